"""Files that git does not track, found without git, honouring `.gitignore`."""

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from dsreview.ignore_patterns import IgnorePatterns
from dsreview.sources.data_files import read_data
from dsreview.sources.repository import Repository

_MAX_IGNORE_BYTES = 1 << 20


def untracked_files(repository: Repository, tracked: Collection[str]) -> Iterator[str]:
    """Paths of regular files and links, in no order; other repositories are left out."""
    top = repository.worktree
    assert top is not None
    outer = _read_spec(repository.common_dir / "info" / "exclude")
    user = _read_spec(_user_ignore_file())
    pending: list[tuple[str, tuple[tuple[str, IgnorePatterns], ...]]] = [
        ("", (("", user), ("", outer)))
    ]
    while pending:
        folder, specs = pending.pop()
        path = top / folder
        if not (path / ".gitignore").is_symlink():
            specs = (*specs, (folder, _read_spec(path / ".gitignore")))
        for name, is_folder in _entries(path):
            inner = f"{folder}{name}"
            if inner in tracked:
                continue
            if is_folder and not os.path.lexists(path / name / ".git"):
                if not _is_ignored(f"{inner}/", specs):
                    pending.append((f"{inner}/", specs))
            elif not is_folder and not _is_ignored(inner, specs):
                yield inner


def _entries(path: Path) -> Iterator[tuple[str, bool]]:
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name.lower() != ".git" and (
            is_folder or entry.is_symlink() or entry.is_file(follow_symlinks=False)
        ):
            yield entry.name, is_folder


def _is_ignored(path: str, specs: tuple[tuple[str, IgnorePatterns], ...]) -> bool:
    """The innermost file that says something about a path decides."""
    for folder, spec in reversed(specs):
        deciding = spec.decide(path[len(folder) :])
        if deciding is not None:
            return deciding.is_ignored
    return False


def _read_spec(path: Path) -> IgnorePatterns:
    content = read_data(path, _MAX_IGNORE_BYTES) or b""
    lines = content.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n")
    return IgnorePatterns.from_lines(lines)


def _user_ignore_file() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(folder) / "git" / "ignore"
