"""Repositories to play in, made by real git that sees no configuration of this machine.

Loaded by path: tests are no package.
"""

import os
import subprocess
from pathlib import Path

from dsreview.sources import SourceRequest, open_change

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "C",
    "GIT_COMMITTER_EMAIL": "c@example.org",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "LC_ALL": "C",
}


class Repo:
    """A repository to play in."""

    def __init__(self, top: Path, *options: str) -> None:
        self.top = top
        top.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *options)

    def git(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
        environment = {**ENVIRONMENT, "HOME": str(self.top.parent)}
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.top,
            env=environment,
            input=stdin,
            capture_output=True,
        )
        if check and done.returncode:
            raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
        return done.stdout

    def write(self, path: str | bytes, content: str | bytes) -> None:
        name = os.path.join(os.fsencode(self.top), os.fsencode(path))
        os.makedirs(os.path.dirname(name), exist_ok=True)
        with open(name, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str = "change") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD").decode().strip()

    def change(self, **request):
        return open_change(SourceRequest(request.pop("folder", self.top), **request))

    def rows(self, **request):
        """(status, old path, path) of each file of a change."""
        with self.change(**request) as change:
            return [(one.status.value, one.old_path, one.path) for one in change.patch.files]
