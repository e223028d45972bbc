"""A repository whose hooks are witnessed, as a user has it."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

WITNESS = Path(__file__).with_name("witness.py")
NOT_HOOKED = ("-c", "core.hooksPath=/dev/null")


@dataclass(frozen=True)
class Play:
    folder: Path
    log: Path
    environment: dict
    install: object = field(repr=False)
    """Called with a new Play: has git call the hook, through the witness."""

    def git(self, *arguments, stdin=b"", allowed=0, environment=None):
        answer = subprocess.run(
            ["git", "-c", "core.editor=true", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment | (environment or {}),
            input=stdin,
            capture_output=True,
        )
        assert answer.returncode in (0, allowed), (arguments, answer.stdout, answer.stderr)
        return answer.stdout.decode("utf-8", "surrogateescape")

    def quiet(self, *arguments, **options):
        return self.git(*NOT_HOOKED, *arguments, **options)

    def head(self):
        return self.quiet("rev-parse", "HEAD").strip()

    def write(self, files):
        for path, content in files.items():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode())

    def records(self):
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def at(self, folder):
        return replace(self, folder=folder)

    def link(self, is_bare=False):
        """A linked worktree, in a folder whose name is no plain word."""
        owner = self.folder
        if is_bare:
            owner = self.folder.parent / "bare.git"
            self.quiet("clone", "-q", "--bare", ".", str(owner))
        linked = self.folder.parent / "linked wörk tree"
        self.quiet("-C", str(owner), "worktree", "add", "-q", "--detach", str(linked))
        play = self.at(linked)
        if is_bare:
            self.install(play)
        return play

    def clone(self, *options):
        folder = self.folder.parent / "clone"
        self.quiet("clone", "-q", *options, f"file://{self.folder}", str(folder))
        play = self.at(folder)
        self.install(play)
        return play

    def submodule(self):
        inner = self.folder.parent / "inner"
        self.quiet("init", "-q", "-b", "main", str(inner))
        other = self.at(inner)
        other.write({"m.py": "def m():\n    return tok_m1()\n"})
        other.quiet("add", "m.py")
        other.quiet("commit", "-qm", "inner")
        self.quiet("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "mod")
        self.quiet("commit", "-qm", "submodule")
        play = self.at(self.folder / "mod")
        self.install(play)
        return play


def new_play(folder, home, install, object_format="sha1"):
    """A repository that no configuration of this machine reaches."""
    folder.mkdir(parents=True)
    home.mkdir()
    environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    environment |= {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "NO_COLOR": "1",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(home / "dsreview"),
        "DSREVIEW_MAX_FINDINGS": "50",
        "PRE_COMMIT_HOME": str(home / "pre-commit"),
    }
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ann Author\n\temail = ann@example.org\n[init]\n\tdefaultBranch = main\n"
        '[protocol "file"]\n\tallow = always\n[sequence]\n\teditor = true\n'
    )
    play = Play(folder, home / "log", environment, install)
    play.log.write_text("")
    play.quiet("init", "-q", f"--object-format={object_format}")
    install(play)
    return play


def witness(log, stage):
    """The command that a hook runs in the place of its own."""
    return [sys.executable, "-P", str(WITNESS), str(log), stage]
