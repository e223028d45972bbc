"""The command at a terminal: a pseudo-terminal of its own, and somebody who types."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time

import pytest

WAIT_S = 15
PROMPT = r"\[q\]uit  \[\?\]  > "
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Session:
    """One process at a terminal, and all it has shown so far."""

    def __init__(self, command, folder, environment, columns=100):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.raw = b""
        self._seen = 0

    @property
    def screen(self):
        """What was shown, without colours."""
        return SEQUENCE.sub("", self.raw.decode().replace("\r\n", "\n"))

    def _read(self, until):
        """Whether something came before that time."""
        if not select.select([self._master], [], [], max(0, until - time.monotonic()))[0]:
            return False
        try:
            got = os.read(self._master, 65536)
        except OSError:  # how Linux says that the other end is closed
            got = b""
        self.raw += got
        return bool(got)

    def expect(self, pattern):
        """Waits for it behind what was expected before; the match."""
        until = time.monotonic() + WAIT_S
        while True:
            found = re.search(pattern, self.screen[self._seen :])
            if found:
                self._seen += found.end()
                return found
            assert self._read(until), f"no {pattern!r} in:\n{self.screen[self._seen :]}"

    def type(self, keys):
        os.write(self._master, keys.encode())

    def answer(self, keys):
        """Waits for the question first."""
        self.expect(PROMPT)
        self.type(keys)

    def wait(self):
        """The exit code, and nothing left to read."""
        until = time.monotonic() + WAIT_S
        while self._read(until):
            pass
        return self.process.wait(WAIT_S)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)


@pytest.fixture
def environment(tmp_path):
    settings = {
        key: text
        for key, text in os.environ.items()
        if not key.startswith(("GIT_", "DSREVIEW_")) and key not in ("NO_COLOR", "PRE_COMMIT")
    }
    return settings | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(tmp_path / "cache"),
        "DSREVIEW_STATE_DIR": str(tmp_path / "state"),
        "DSREVIEW_CONFIG": os.devnull,
        "TERM": "xterm-256color",
        "TMPDIR": str(tmp_path),
    }


class Starter:
    """Starts programs at terminals of their own; `close` ends all."""

    def __init__(self, environment):
        self._environment = environment
        self._sessions = []

    def __call__(self, *arguments, **options):
        """`dsreview ...`"""
        return self.program(sys.executable, "-P", "-m", "dsreview", *arguments, **options)

    def program(self, *command, cwd, columns=100, **more):
        words = list(map(str, command))
        self._sessions.append(Session(words, cwd, self._environment | more, columns))
        return self._sessions[-1]

    def close(self):
        while self._sessions:
            self._sessions.pop().close()


@pytest.fixture
def start(environment):
    starter = Starter(environment)
    yield starter
    starter.close()


BASE = "import time\n\n\ndef check(total):\n    return total\n"
BUGGY = """\
import time


def check(total):
    assert (total == 3, "three")
    return total


def load():
    try:
        check(1)
    except OSError or ValueError:
        return 2
    return 1
"""


@pytest.fixture
def buggy(repository):
    """Two staged faults in one file, both with a verified suggestion."""
    repository.commit({"app/run.py": BASE, "other.py": "x = 1\n"})
    repository.write({"app/run.py": BUGGY})
    repository.git("add", "-A")
    repository.write({"other.py": "x = 2  # unstaged work\n"})
    return repository
