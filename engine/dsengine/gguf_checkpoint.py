"""A GGUF file as a checkpoint: configuration, tokenizer and weights are one file, or several
parts of one.
"""

from pathlib import Path

from dsengine.checkpoint import Checkpoint, is_path
from dsengine.errors import ModelNotFoundError
from dsengine.gguf import is_gguf
from dsengine.gguf_model import NO_MODEL, PART, read_model
from dsengine.gguf_stores import find_stored, is_stored_name
from dsengine.gguf_tokenizer import end_ids, tokenizer_config, tokenizer_json


def find_gguf(model: str | Path) -> Path | None:
    """The file that a name of a store or a path means: itself, or the only model in its
    folder; None where it means something else.

    Raises:
        ModelNotFoundError: a store does not have it; a folder without a checkpoint has several.
        UnsupportedModelError: what a store says of it is damaged.
    """
    if isinstance(model, str) and is_stored_name(model):
        return find_stored(model)
    if not is_path(model):
        return None
    path = Path(model).expanduser()
    if path.is_dir() and not (path / "config.json").is_file():
        found = [file for file in sorted(path.glob("*.gguf")) if _is_model(file)]
        if len(found) > 1:
            names = ", ".join(file.name for file in found)
            raise ModelNotFoundError(f"{model}: has several models; name one of: {names}")
        return found[0].resolve() if found else None
    return path.absolute() if path.is_file() and is_gguf(path) else None


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


def _is_model(path: Path) -> bool:
    part = PART.search(path.name)
    return (part is None or int(part[1]) == 1) and not NO_MODEL.search(path.name)
