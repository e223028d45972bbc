"""Runs git where nothing of the reviewed repository can take effect.

git gets a git folder that is written here, an empty worktree, an empty
environment and object ids; it borrows the reviewed repository's objects and copies
of its refs. So it opens none of that repository's configuration, hooks,
attributes, filters or drivers. What it writes, objects and changed copies of the
index, stays in the room.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from dsreview.errors import GitError
from dsreview.sources.data_files import read_data
from dsreview.sources.git_output import read_output
from dsreview.sources.refs import Refs, is_ref_name, read_refs
from dsreview.sources.repository import Repository

if TYPE_CHECKING:
    from git.cmd import Git

    from dsreview.sources.trees import Tree

TIMEOUT_S = 120.0
MAX_COMPARED_BYTES = 8 << 20
"""A larger file is only said to differ, as a binary one is."""
EMPTY_TREES = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
MAX_OUTPUT_BYTES = 1 << 30
_WRAPPER = "git.cmd"
_PINS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "core.commitGraph=false",
    "core.multiPackIndex=false",
    "core.quotePath=true",
    f"core.bigFileThreshold={MAX_COMPARED_BYTES}",
    "protocol.allow=never",
    "safe.bareRepository=explicit",
    "safe.directory=*",
)


class CleanRoom:
    """A context manager; everything in it is gone on exit."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.empty_tree = EMPTY_TREES[repository.hash_name]
        self.trees: dict[str, Tree] = {}
        """Listed so far, by id."""
        self._exit = ExitStack()

    def __enter__(self) -> "CleanRoom":
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="dsreview-"))
            self.folder = Path(folder)
            self.git_dir = self.folder / "room.git"
            self._executable = find_git(self.repository)
            self._git = _import_git()(str(self.folder))
            self._write_git_dir()
            self._exit = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._exit.close()

    def on_exit(self, close: Callable[[], None]) -> None:
        """Has something closed before the room goes."""
        self._exit.callback(close)

    def run(
        self,
        *arguments: str,
        allowed: tuple[int, ...] = (0,),
        max_bytes: int = MAX_OUTPUT_BYTES,
    ) -> bytes:
        """Output of a git command.

        Raises:
            OutputTooLarge: it is larger than `max_bytes`.
            GitError: git ended with another status than the allowed ones, or never.
        """
        process = self.start(*arguments, has_input=False)
        output, complaint = read_output(process, max_bytes, TIMEOUT_S)
        if process.returncode not in allowed:
            raise GitError(f"git {arguments[0]}: {first_line(complaint)}")
        return output

    def start(self, *arguments: str, has_input: bool = True) -> "subprocess.Popen[bytes]":
        """A git process of the room; who starts it ends it."""
        pins = [part for pin in _PINS for part in ("-c", pin)]
        # GitPython adds to the environment that it inherits; env -i empties it.
        command = [
            "/usr/bin/env",
            "-i",
            *(f"{name}={value}" for name, value in self._environment().items()),
            self._executable,
            *pins,
            "--no-pager",
            "--literal-pathspecs",
            *arguments,
        ]
        stdin = subprocess.PIPE if has_input else subprocess.DEVNULL
        wrapped = self._git.execute(
            command,
            istream=stdin,
            as_process=True,
            shell=False,
            strip_newline_in_stdout=False,
            stdout_as_string=False,
        )
        process = wrapped.proc
        assert process is not None
        wrapped.proc = None  # or it would be killed when the wrapper goes
        return process

    def copy_reflogs(self, name: str) -> None:
        """Lets `name@{…}` be resolved; `name` is as typed, or empty for the branch."""
        head = self.refs.head.removeprefix("ref: ")
        stems = ("", "refs/", "refs/heads/", "refs/tags/", "refs/remotes/")
        for log in {"HEAD", head, *(f"{stem}{name}" for stem in stems)}:
            if log != "HEAD" and not is_ref_name(log):
                continue
            root = self.repository.git_dir if log == "HEAD" else self.repository.common_dir
            content = read_data(root / "logs" / log)
            if content is not None:
                self._write_bytes(f"logs/{log}", content)

    def allow_sparse_index(self) -> None:
        with (self.git_dir / "config").open("a") as file:
            file.write("[core]\n\tsparseCheckout = true\n\tsparseCheckoutCone = true\n")
            file.write("[index]\n\tsparse = true\n")
        self._write("info/sparse-checkout", "/*\n!/*/\n")

    def _environment(self) -> Mapping[str, str]:
        return {
            "PATH": f"{Path(self._executable).parent}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LC_ALL": "C",
            "GIT_DIR": str(self.git_dir),
            "GIT_WORK_TREE": str(self.folder / "worktree"),
            "GIT_INDEX_FILE": str(self.git_dir / "index"),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": ":".join(
                _quote(path) for path in self._borrowed_objects()
            ),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ATTR_SOURCE": self.empty_tree,
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_PAGER": "cat",
            "GIT_ADVICE": "0",
        }

    def _borrowed_objects(self) -> list[Path]:
        objects = self.repository.objects.resolve()
        found = [objects]
        # git runs pre-receive with the new objects in a folder of their own
        quarantine = os.environ.get("GIT_QUARANTINE_PATH", "")
        if quarantine and Path(quarantine).resolve().is_relative_to(objects):
            found.append(Path(quarantine).resolve())
        return found

    def _write_git_dir(self) -> None:
        for name in ("objects/info", "objects/pack", "refs", "../worktree"):
            (self.git_dir / name).mkdir(parents=True, exist_ok=True)
        version, extension = "0", ""
        if self.repository.hash_name != "sha1":
            version = "1"
            extension = f"[extensions]\n\tobjectFormat = {self.repository.hash_name}\n"
        self._write(
            "config", f"[core]\n\trepositoryformatversion = {version}\n\tbare = false\n{extension}"
        )
        self.refs = read_refs(self.repository)
        if self.refs.shallow:
            self._write("shallow", "".join(f"{oid}\n" for oid in sorted(self.refs.shallow)))
        self._write_refs(self.refs)

    def _write_refs(self, refs: Refs) -> None:
        self._write("HEAD", f"{refs.head}\n")
        packed = "".join(
            f"{oid} {name}\n" for name, oid in refs.direct.items() if name.startswith("refs/")
        )
        self._write("packed-refs", packed)
        for name, oid in refs.direct.items():
            if not name.startswith("refs/"):
                self._write(name, f"{oid}\n")
        for name, target in refs.symbolic.items():
            with suppress(OSError):  # too long a name below a longer folder
                self._write(name, f"ref: {target}\n")

    def _write(self, name: str, text: str) -> None:
        self._write_bytes(name, text.encode("utf-8", "surrogateescape"))

    def _write_bytes(self, name: str, content: bytes) -> None:
        path = self.git_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def first_line(complaint: bytes) -> str:
    text = complaint.decode("utf-8", "backslashreplace").strip()
    line = text.split("\n", 1)[0] if text else "failed without a word"
    return line.removeprefix("fatal: ").removeprefix("error: ")


def find_git(repository: Repository) -> str:
    """git on the user's PATH, but never one that the repository brings along.

    Raises:
        GitError: there is none.
    """
    inside = repository.worktree or repository.git_dir
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        folder = Path(entry)
        if folder.is_absolute() and not folder.resolve().is_relative_to(inside.resolve()):
            found = shutil.which("git", path=entry)
            if found is not None:
                return found
    raise GitError("git is not installed, or not on PATH")


def _import_git() -> "type[Git]":
    """GitPython's process wrapper, without the rest of it.

    The package itself would import all of its modules, 0.04 s that a hook with nothing to do
    has not got, and run `git version` from PATH, which may start with the folder under review.
    So the wrapper is imported below a bare package, which is forgotten at once.
    """
    if "git" not in sys.modules and _WRAPPER not in sys.modules:
        found = PathFinder.find_spec("git")
        if found is None or found.submodule_search_locations is None:
            raise GitError("GitPython is not installed")
        bare = ModuleType("git")
        bare.__path__ = found.submodule_search_locations
        sys.modules["git"] = bare
        try:
            import_module(_WRAPPER)
        finally:
            del sys.modules["git"]
    wrapper: type[Git] = import_module(_WRAPPER).Git
    return wrapper


def _quote(path: Path) -> str:
    """As git reads a list of folders: in C quotes, so that any byte can be in it."""
    raw = os.fsencode(path)
    if raw.isascii() and raw.decode().isprintable() and not set(b':"\\') & set(raw):
        return str(path)
    plain = {ord('"'): '\\"', ord("\\"): "\\\\"}
    body = "".join(
        plain.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in raw
    )
    return f'"{body}"'
