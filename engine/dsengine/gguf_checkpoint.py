"""A GGUF file as a checkpoint: configuration, tokenizer and weights are one file, or several
parts of one.
"""

import re
from pathlib import Path
from typing import Final

from dsengine.checkpoint import Checkpoint
from dsengine.errors import ModelNotFoundError
from dsengine.gguf import is_gguf
from dsengine.gguf_model import PART, read_model
from dsengine.gguf_tokenizer import end_ids, tokenizer_config, tokenizer_json

_NO_MODEL: Final = re.compile(r"mmproj|imatrix", re.IGNORECASE)
"""In names of files that lie beside a model and are none."""


def find_gguf(model: str | Path) -> Path | None:
    """The file that a path names, itself or as the only model in its folder; else None.

    Raises:
        ModelNotFoundError: a folder without a checkpoint holds several.
    """
    path = Path(model).expanduser()
    if path.is_dir() and not (path / "config.json").is_file():
        found = [
            file
            for file in sorted(path.glob("*.gguf"))
            if not _NO_MODEL.search(file.name) and _is_first_part(file)
        ]
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise ModelNotFoundError(f"{model}: has several models; name one of: {names}")
        return found[0].resolve() if found else None
    return path.resolve() if path.is_file() and is_gguf(path) else None


def open_gguf(path: Path) -> Checkpoint:
    """Read all of a GGUF file but its weights.

    Raises:
        UnsupportedModelError: damaged, cut, a part is missing, or of no kind known here.
    """
    model = read_model(path)
    header = model.headers[0]
    ends = end_ids(header)
    return Checkpoint(
        folder=path,
        config={"model_type": model.architecture},
        generation_config={"eos_token_id": ends},
        tokenizer=tokenizer_json(header),
        tokenizer_config=tokenizer_config(header),
        chat_template=header.text("tokenizer.chat_template"),
        weights=model.paths,
        tensors=tuple(tensor for part in model.headers for tensor in part.tensors),
        gguf=model,
    )


def _is_first_part(path: Path) -> bool:
    match = PART.search(path.name)
    return match is None or int(match[1]) == 1
