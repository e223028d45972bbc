"""Histories with any dates, written through `git fast-import`."""

import os
import subprocess
from dataclasses import dataclass, field

import pytest

from dsreview.sandbox import Sandbox

DAY_S = 24 * 3600
START_S = 1_500_000_000
REGULAR, LINK, SUBMODULE = "100644", "120000", "160000"


@dataclass
class History:
    """Commits on branches, oldest first; `days` after the start."""

    stream: bytearray = field(default_factory=bytearray)
    num: int = 0

    def commit(self, files, message="work", days=0, branch="main", parents=(), modes=None):
        """Of `files`, None removes and a pair `(old path,)` renames; the mark to name it by."""
        self.num += 1
        text = message if isinstance(message, bytes) else message.encode()
        head = f"commit refs/heads/{branch}\nmark :{self.num}\n"
        head += f"committer Ann <ann@example.org> {START_S + days * DAY_S} +0000\n"
        self.stream += head.encode() + b"data %d\n%s\n" % (len(text), text)
        for place, parent in enumerate(parents):
            self.stream += b"%s :%d\n" % (b"merge" if place else b"from", parent)
        for path, content in files.items():
            self._file(path, content, (modes or {}).get(path, REGULAR))
        return self.num

    def _file(self, path, content, mode):
        quoted = '"' + path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
        if content is None:
            self.stream += f"D {quoted}\n".encode()
        elif isinstance(content, tuple):
            self.stream += f'R "{content[0]}" {quoted}\n'.encode()
        elif mode == SUBMODULE:
            self.stream += f"M {mode} {content} {quoted}\n".encode()
        else:
            raw = content if isinstance(content, bytes) else content.encode()
            self.stream += f"M {mode} inline {quoted}\n".encode()
            self.stream += b"data %d\n%s\n" % (len(raw), raw)

    def write(self, folder):
        """Into a repository in `folder`, a new one where there is none; ids by mark."""
        git = ["git", "-C", str(folder)]
        environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        marks = folder / ".git" / "marks"
        for arguments, given in (
            (["init", "-q", "-b", "main"], b""),
            (["fast-import", "--quiet", f"--export-marks={marks}"], bytes(self.stream)),
        ):
            subprocess.run([*git, *arguments], input=given, env=environment, check=True)
        rows = (line.split() for line in marks.read_text().splitlines())
        return {int(mark[1:]): oid for mark, oid in rows}


@pytest.fixture
def history():
    return History()


@pytest.fixture(scope="module")
def shared_history():
    return History()


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened
