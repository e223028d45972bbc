"""A repository's refs, read as data; only well-formed ones are taken over."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dsreview.errors import GitError
from dsreview.sources.data_files import read_data, read_line
from dsreview.sources.repository import Repository, common_dir_of, git_dir_of

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NAME = re.compile(r"(?!.*(?:\.\.|//|@\{|\.lock(?:/|$)|/\.|\.(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]+")
_PSEUDO = (
    "AUTO_MERGE",
    "BISECT_HEAD",
    "CHERRY_PICK_HEAD",
    "FETCH_HEAD",
    "MERGE_HEAD",
    "ORIG_HEAD",
    "REBASE_HEAD",
    "REVERT_HEAD",
)
MAX_SYMBOLIC_DEPTH = 5


@dataclass(frozen=True, slots=True)
class Refs:
    head: str
    """`ref: refs/heads/…` or a commit id."""
    direct: dict[str, str]
    """Full name to object id."""
    symbolic: dict[str, str]
    """Full name to the full name it stands for."""
    shallow: frozenset[str]
    """Commits whose parents a shallow clone leaves out."""

    @property
    def head_oid(self) -> str | None:
        """The commit at HEAD, where it or its branch names one itself."""
        branch = self.head.removeprefix("ref: ")
        if branch == self.head:
            return branch
        return self.direct.get(branch) if branch.startswith("refs/heads/") else None

    @property
    def is_unborn(self) -> bool:
        """HEAD is a branch without commits."""
        target = self.head.removeprefix("ref: ")
        return target != self.head and target not in self.direct and target not in self.symbolic


def read_refs(repository: Repository) -> Refs:
    """Every ref of a worktree.

    Raises:
        GitError: its HEAD is neither a branch nor a commit.
    """
    direct = _read_packed(repository.common_dir)
    symbolic: dict[str, str] = {}
    for root in dict.fromkeys((repository.common_dir, repository.git_dir)):
        for name in _loose_names(root):
            _take(root / name, name, direct, symbolic)
    for name in _PSEUDO:
        _take(repository.git_dir / name, name, direct, symbolic)
    head = _read_head(repository.git_dir)
    if not head:
        raise GitError(f"{repository.git_dir}: HEAD cannot be read")
    return Refs(head, direct, symbolic, _read_shallow(repository.common_dir))


def _read_shallow(common_dir: Path) -> frozenset[str]:
    lines = (read_data(common_dir / "shallow") or b"").decode("ascii", "replace").split("\n")
    return frozenset(line for line in lines if _OID.fullmatch(line))


def _take(path: Path, name: str, direct: dict[str, str], symbolic: dict[str, str]) -> None:
    value = read_line(path) or ""
    target = value.removeprefix("ref:").strip()
    if value.startswith("ref:") and is_ref_name(target):
        direct.pop(name, None)
        symbolic[name] = target
    elif match := _OID.match(value):
        direct[name] = match.group()


def is_ref_name(name: str) -> bool:
    return name.startswith("refs/") and _NAME.fullmatch(name) is not None


def _read_packed(common_dir: Path) -> dict[str, str]:
    content = read_data(common_dir / "packed-refs") or b""
    found: dict[str, str] = {}
    for line in content.decode("utf-8", "surrogateescape").split("\n"):
        oid, _, name = line.partition(" ")
        if _OID.fullmatch(oid) and is_ref_name(name):
            found[name] = oid
    return found


def _loose_names(root: Path) -> Iterator[str]:
    pending = ["refs"]
    while pending:
        folder = pending.pop()
        try:
            entries = list(os.scandir(root / folder))
        except OSError:
            continue
        for entry in entries:
            name = f"{folder}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                pending.append(name)
            elif is_ref_name(name):
                yield name


def _read_head(git_dir: Path) -> str:
    path = git_dir / "HEAD"
    if path.is_symlink():  # how old versions of git wrote it
        target = str(path.readlink())
        return f"ref: {target}" if is_ref_name(target) else ""
    value = read_line(path) or ""
    target = value.removeprefix("ref:").strip()
    if value.startswith("ref:"):
        return f"ref: {target}" if is_ref_name(target) else ""
    return value if _OID.fullmatch(value) else ""


def read_head_of(worktree: Path) -> str | None:
    """The commit a checked-out repository (a submodule) is at; None where it is none."""
    git_dir = git_dir_of(worktree)
    if git_dir is None:
        return None
    value = _read_head(git_dir)
    common_dir = common_dir_of(git_dir)
    packed: dict[str, str] | None = None
    for _ in range(MAX_SYMBOLIC_DEPTH):
        if not value.startswith("ref: "):
            break
        name = value.removeprefix("ref: ")
        loose = read_line(common_dir / name)
        if loose is None:
            packed = _read_packed(common_dir) if packed is None else packed
            return packed.get(name)
        value = loose
    return value if _OID.fullmatch(value) else None
