"""A repository with something to apply, and what must not change in it."""

import stat
from dataclasses import dataclass

import pytest

from dsreview.applying.journal import open_journal
from dsreview.applying.recovery import settle_all, undo
from dsreview.applying.transaction import Writer
from dsreview.applying.values import Rewrite, Target, no_step
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.repository import find_repository

PATH = "app/run.py"
BEFORE = b"import os\n\n\ndef check(total):\n    assert (total == 3, 'three')\n    return total\n"
AFTER = BEFORE.replace(b"(total == 3, 'three')", b"total == 3, 'three'")


@dataclass
class Play:
    """A repository, and one rewrite that is to be applied to it."""

    repository: object
    rewrite: Rewrite
    target: Target = Target.INDEX_AND_WORKTREE

    @property
    def folder(self):
        return self.repository.folder

    @property
    def git(self):
        return self.repository.git

    @property
    def file(self):
        return self.folder / self.rewrite.path

    def rewriting(self, before, after=None, path=PATH):
        """Another content of the file, staged."""
        after = before.replace(b"'three'", b"'3'") if after is None else after
        self.rewrite = Rewrite(path, before, after, "rule at line 5")
        self.repository.write({path: before})
        self.git("add", "-A", "--", path)

    def apply(self, on_step=no_step, run="run"):
        with CleanRoom(find_repository(self.folder)) as room:
            return Writer(room, run, on_step).apply(self.rewrite, self.target)

    def undo(self, whole_run=False, on_step=no_step):
        repository = find_repository(self.folder)
        with CleanRoom(repository) as room, open_journal(repository) as journal:
            return list(undo(room, journal, whole_run=whole_run, on_step=on_step))

    def settle(self, on_step=no_step):
        repository = find_repository(self.folder)
        with CleanRoom(repository) as room, open_journal(repository) as journal:
            return list(settle_all(room, journal, on_step))

    def unfinished(self):
        with open_journal(find_repository(self.folder)) as journal:
            return journal.unfinished()

    def staged_content(self, path=None):
        return self.git("cat-file", "blob", f":{path or self.rewrite.path}").encode(
            "utf-8", "surrogateescape"
        )

    def files(self):
        """Content, mode and kind of all that lies in the worktree."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder)
            if name.parts[0] == ".git" or (path.is_dir() and not path.is_symlink()):
                continue
            content = path.readlink() if path.is_symlink() else path.read_bytes()
            found[str(name)] = (content, stat.S_IMODE(path.lstat().st_mode))
        return found

    def entries(self):
        """What the index says, but for the times that it remembers of files."""
        return self.git("ls-files", "--stage", "-v", "-z")

    def git_files(self):
        """git's own files but for objects, which may be there without a use."""
        top = find_repository(self.folder).git_dir
        return {
            str(path.relative_to(top)): path.read_bytes()
            for path in sorted(top.rglob("*"))
            if path.is_file() and "objects" not in path.relative_to(top).parts
        }

    def state(self):
        return self.files(), self.git_files()


@pytest.fixture(autouse=True)
def state_folder(tmp_path, monkeypatch):
    folder = tmp_path / "state"
    monkeypatch.setenv("DSREVIEW_STATE_DIR", str(folder))
    for name in ("GIT_INDEX_FILE", "GIT_DIR", "PRE_COMMIT"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def play(repository):
    """One staged change, one that is not, one file that git does not know."""
    repository.commit({PATH: "import os\n", "other.py": "x = 1\n", "bin/tool": "#!/bin/sh\n"})
    repository.write({PATH: BEFORE})
    repository.git("add", "-A")
    repository.write({"other.py": "x = 2\n", "new.py": "y = 1\n"})
    return Play(repository, Rewrite(PATH, BEFORE, AFTER, "py-assert-tuple at line 5"))


@pytest.fixture
def play_in():
    return Play
