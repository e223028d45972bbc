"""A repository whose hooks are witnessed, as a user has it."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

from dsreview.githook.installation import Stage
from dsreview.githook.installing import install as install_hooks

HOOKS_FILE = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
DSREVIEW = [sys.executable, "-P", "-m", "dsreview", "hook", "run"]
EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
REGULAR = ("100644", "100755")
WITNESS = Path(__file__).with_name("witness.py")
NOT_HOOKED = ("-c", "core.hooksPath=/dev/null")


class Play:
    """`install` is called with a new Play: it has git call the hook, through the witness."""

    def __init__(self, folder, log, environment, install):
        self.folder, self.log = folder, log
        self.environment, self.install = environment, install

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

    @property
    def object_format(self):
        return self.quiet("rev-parse", "--show-object-format").strip()

    @property
    def empty_tree(self):
        return self.quiet("hash-object", "-t", "tree", "--stdin").strip()

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
        return Play(folder, self.log, self.environment, self.install)

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
        same = f"--object-format={self.object_format}"
        self.quiet("init", "-q", "-b", "main", same, str(inner))
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


def natively(play):
    """`dsreview hook install`, and the witness before what it wrote."""
    outcome = install_hooks(play.folder, Stage)
    assert outcome.is_done, outcome.lines
    for stage in Stage:
        path = git(play, "rev-parse", "--git-path", f"hooks/{stage}")
        written = play.folder / os.fsdecode(path).strip()
        moved = written.with_name(f"{stage}.written")
        written.rename(moved)
        command = shlex.join([*witness(play.log, stage), str(moved)])
        written.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        written.chmod(0o755)


def by_the_framework(play):
    """`pre-commit install` with our own row of hooks, the witness before its entry."""
    (row,) = (row for row in yaml.safe_load(HOOKS_FILE.read_text()) if row["language"] == "system")
    row["entry"] = shlex.join([*witness(play.log, "framework"), *DSREVIEW])
    config = play.log.with_name("pre-commit-config.yaml")
    config.write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": [row]}]}))
    types = [option for stage in Stage for option in ("-t", stage)]
    command = [sys.executable, "-m", "pre_commit", "install", "--config", str(config), *types]
    subprocess.run(command, cwd=play.folder, env=play.environment, check=True, capture_output=True)


def git(play, *arguments):
    answer = subprocess.run(
        ["git", *arguments],
        cwd=play.folder,
        env=play.environment | {"GIT_NO_REPLACE_OBJECTS": "1"},
        check=True,
        capture_output=True,
    )
    return answer.stdout


def committed(play, before, commit):
    """Path and new content of all that a commit changed; None where there is none to read."""
    raw = git(play, "diff-tree", "-r", "--no-renames", "-z", before, commit).split(b"\0")
    found = {}
    for row, path in zip(raw[::2], raw[1::2], strict=False):
        _, mode, _, blob, _ = row.decode().split(" ")
        content = git(play, "cat-file", "blob", blob).hex() if mode in REGULAR else None
        found[path.decode()] = content
    return found
