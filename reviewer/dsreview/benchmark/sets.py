"""Where a set is found: a file, or a name in a folder of the user's."""

import os
from collections.abc import Mapping
from pathlib import Path

from dsreview.benchmark.items import SUFFIXES
from dsreview.errors import UsageError

FOLDER_VARIABLE = "DSREVIEW_BENCH_DIR"
ORIGINS = {
    "humanevalpack": "the data of huggingface.co/datasets/bigcode/humanevalpack (MIT)",
}
"""Sets that others publish; none is part of dsreview, and none is downloaded by it."""


def sets_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where named sets lie."""
    named = environment.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs  # 4 ms that --help need not pay

    return Path(platformdirs.user_data_dir("dsreview")) / "bench"


def find_set(name: str, environment: Mapping[str, str] = os.environ) -> tuple[str, Path]:
    """The name and the file of the set that `--set` asks for.

    Raises:
        UsageError: there is no such file; says where it is looked for, and where to get it.
    """
    if "/" in name or name.endswith(SUFFIXES):
        path = Path(name).expanduser()
        if not path.is_file():
            raise UsageError(f"--set {name}: no such file")
        return _plain_name(path), path
    folder = sets_folder(environment)
    for suffix in SUFFIXES:
        if (folder / f"{name}{suffix}").is_file():
            return name, folder / f"{name}{suffix}"
    place = folder / f"{name}{SUFFIXES[0]}"
    if name in ORIGINS:
        raise UsageError(
            f"--set {name}: not here; put {ORIGINS[name]} at {place}, or set {FOLDER_VARIABLE}"
        )
    known = ", ".join(_known(folder)) or "none"
    raise UsageError(f"--set {name}: no such set as {place}; there are: {known}")


def _known(folder: Path) -> list[str]:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    return sorted({_plain_name(Path(name)) for name in names if name.endswith(SUFFIXES)})


def _plain_name(path: Path) -> str:
    return path.name.partition(".jsonl")[0]
