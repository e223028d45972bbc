"""Stands between git and a hook: writes down what was there before, after, and under review.

Run as a program: LOG STAGE COMMAND...; the command's exit code is its own.
"""

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

from dsreview.githook.events import EVENTS, HookCall, changes_of
from dsreview.sources import open_change
from dsreview.sources.repository import find_repository


def main(log, stage, *command):
    given = sys.stdin.buffer.read() if stage == "pre-push" else b""
    before = state()
    answer = subprocess.run(command, input=given, capture_output=True)
    after = state()
    record = {
        "stage": stage,
        "code": answer.returncode,
        "output": (answer.stdout + answer.stderr).decode(),
        "changed": sorted(key for key in before | after if before.get(key) != after.get(key)),
        "files": len(before),
        "head": head(),
        "reviewed": reviewed(stage, command, given),
    }
    with Path(log).open("a") as file:
        file.write(json.dumps(record) + "\n")
    sys.stdout.buffer.write(answer.stdout)
    sys.stderr.buffer.write(answer.stderr)
    return answer.returncode


def state():
    """Content, mode and times of every file of the worktree, of git's folders and the index."""
    repository = find_repository(Path.cwd())
    index = os.environ.get("GIT_INDEX_FILE")
    places = {repository.worktree, repository.git_dir, repository.common_dir}
    found = {}
    for top in sorted(places | ({Path(index).absolute()} if index else set())):
        paths = [top]
        for folder, folders, files in os.walk(top):
            paths += [Path(folder) / name for name in folders + files]
        for path in paths:
            found[str(path)] = described(path)
    return found


def described(path):
    status = path.lstat()
    content = b""
    if path.is_symlink():
        content = os.fsencode(path.readlink())
    elif path.is_file():
        content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return [digest, status.st_mode, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def head():
    """The commit that HEAD names now; empty for none."""
    answer = subprocess.run(
        ["git", "rev-parse", "-q", "--verify", "HEAD^{commit}"], capture_output=True
    )
    return answer.stdout.decode().strip()


def reviewed(stage, command, given):
    """What the hook reviews: each path it touches, and the new content; null for none."""
    name, arguments = (stage, command[1:]) if stage in EVENTS else ("", ())
    call = HookCall(name, arguments, os.environ, Path.cwd(), io.BytesIO(given).read)
    found = {}
    for request in changes_of(call):
        with open_change(request) as change:
            for file in change.patch.files:
                found[file.old_path] = None
            for file in change.patch.files:
                content = change.head.read(file.path)
                found[file.path] = None if content is None else content.hex()
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
