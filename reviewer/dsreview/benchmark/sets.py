"""Where a set is found: a file, or a name in a folder of the user's."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from dsreview.benchmark.items import SUFFIXES, Item, read_items
from dsreview.errors import UsageError

FOLDER_VARIABLE = "DSREVIEW_BENCH_DIR"
ORIGINS = {
    "humanevalpack": "data/*/data/humanevalpack.jsonl of "
    "huggingface.co/datasets/bigcode/humanevalpack (MIT)",
}
"""Sets that others publish; none is part of dsreview, and none is downloaded by it."""


def sets_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where named sets lie."""
    named = environment.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    import platformdirs  # 4 ms that --help need not pay

    return Path(platformdirs.user_data_dir("dsreview")) / "bench"


@dataclass(frozen=True, slots=True)
class FoundSet:
    name: str
    files: tuple[Path, ...]

    def items(self) -> Iterator[Item]:
        """As `read_items`, of all files."""
        return chain.from_iterable(read_items(path) for path in self.files)


def find_set(name: str, environment: Mapping[str, str] = os.environ) -> FoundSet:
    """The set that `--set` asks for: a file, a folder of them, or the name of either.

    Raises:
        UsageError: there is none; says where it is looked for, and where to get it.
    """
    if "/" in name or name.endswith(SUFFIXES):
        place = Path(name).expanduser()
        files = _files(place)
        if not files:
            raise UsageError(f"--set {name}: no such file")
        return FoundSet(_plain_name(place), files)
    folder = sets_folder(environment)
    for suffix in (*SUFFIXES, ""):
        files = _files(folder / f"{name}{suffix}")
        if files:
            return FoundSet(name, files)
    if name in ORIGINS:
        raise UsageError(
            f"--set {name}: not here; put {ORIGINS[name]} into {folder / name}, "
            f"or let {FOLDER_VARIABLE} name the folder that holds it"
        )
    known = ", ".join(_known(folder)) or "none"
    raise UsageError(
        f"--set {name}: no such set as {folder / name}{SUFFIXES[0]}; there are: {known}"
    )


def _files(place: Path) -> tuple[Path, ...]:
    """A file itself; of a folder, the sets below it, by path; nothing where it is not there."""
    if not place.is_dir():
        return (place,) if place.is_file() else ()
    return tuple(sorted(one for one in place.rglob("*") if one.name.endswith(SUFFIXES)))


def _known(folder: Path) -> list[str]:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    return sorted({_plain_name(Path(name)) for name in names if name.endswith(SUFFIXES)})


def _plain_name(path: Path) -> str:
    return path.name.partition(".jsonl")[0]
