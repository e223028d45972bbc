"""`dsreview fix` and `dsreview undo` as a user runs them."""

import os
import subprocess
import sys

import pytest

BASE = "import time\n\n\ndef check(total):\n    return total\n"
BUGGY = (
    BASE.replace("return total", 'assert (total == 3, "three")\n    return total')
    + "\n\ndef load():\n    try:\n        check(1)\n    except OSError or ValueError:\n        return 2\n"
)
FIXED = BUGGY.replace('(total == 3, "three")', 'total == 3, "three"').replace(
    "OSError or ValueError", "(OSError, ValueError)"
)


@pytest.fixture
def run(run_dsreview, tmp_path, repository):
    def run_here(*arguments, **options):
        environment = {"DSREVIEW_STATE_DIR": str(tmp_path / "state")}
        environment |= options.pop("environment", {})
        return run_dsreview(*arguments, cwd=repository.folder, environment=environment, **options)

    return run_here


def faults(repository):
    repository.commit({"app/run.py": BASE})
    repository.write({"app/run.py": BUGGY})
    return repository.folder / "app/run.py"


def test_all_verified_suggestions_are_applied_and_taken_back(repository, run):
    file = faults(repository)
    outcome = run("fix")
    assert (outcome.code, outcome.err) == (0, "")
    assert "app/run.py: applied to the file on disk: py-assert-tuple at line 5" in outcome.out
    assert "2 suggestions applied, 0 findings left" in outcome.out
    assert file.read_text() == FIXED
    undone = run("undo")
    assert (undone.code, undone.err) == (0, "")
    assert file.read_text() == BUGGY
    again = run("undo")
    assert (again.code, again.out) == (2, "")
    assert again.err == "error: nothing that dsreview applied is left to take back here\n"


def test_a_hard_reset_of_one_file_keeps_no_older_from_being_taken_back(repository, run):
    older = repository.folder / "older.py"
    repository.commit({"older.py": BASE})
    older.write_text(BUGGY)
    assert run("fix").code == 0
    fixed = older.read_text()
    repository.commit({"app/run.py": BASE + "# committed\n", "older.py": fixed})
    repository.write({"app/run.py": BUGGY})
    assert run("fix").code == 0
    repository.git("reset", "-q", "--hard")
    left = "app/run.py: changed since, and is left as it is\n"
    outcome = run("undo")
    assert (outcome.code, outcome.err) == (3, "")
    assert outcome.out.startswith(f"{left}older.py: taken back: ")
    assert older.read_text() == BUGGY
    assert (run("undo").code, run("undo").out) == (3, left)
    (repository.folder / "app/run.py").unlink()
    assert "app/run.py: is gone" in run("undo").out
    assert run("undo").code == 2


def test_of_what_is_staged_the_index_gets_them_too(repository, run):
    file = faults(repository)
    repository.git("add", "-A")
    assert run("fix", "--staged").code == 0
    assert file.read_text() == repository.git("show", ":app/run.py") == FIXED
    assert run("undo", "--all").code == 0
    assert file.read_text() == repository.git("show", ":app/run.py") == BUGGY


def test_unstaged_work_in_the_file_is_a_reason_to_leave_it(repository, run):
    file = faults(repository)
    repository.git("add", "-A")
    file.write_text(BUGGY + "# unstaged\n")
    index = (repository.folder / ".git/index").read_bytes()
    outcome = run("fix", "--staged", "--fail-on=critical")
    assert outcome.code == 3
    assert outcome.err == "not applied: app/run.py: the file on disk is not what was reviewed\n"
    assert "0 suggestions applied, 2 findings left" in outcome.out
    assert file.read_text() == BUGGY + "# unstaged\n"
    assert (repository.folder / ".git/index").read_bytes() == index
    assert run("fix", "--staged").code == 1


def test_of_commits_there_is_only_a_patch(repository, run):
    faults(repository)
    repository.commit({})
    arguments = ("--commit", "HEAD")
    outcome = run("fix", *arguments)
    assert outcome.code == 2
    assert "commits were reviewed, not the files on disk; --dry-run prints a patch" in outcome.err
    patch = run("fix", *arguments, "--dry-run")
    assert patch.code == 0
    repository.git("apply", "-", input=patch.out.encode())
    assert (repository.folder / "app/run.py").read_text() == FIXED


def in_latin_1(text):
    return f"# caf\xe9\n{text}".encode("latin-1")


UNUSUAL = {
    "a b/quo\"te's.py": lambda text: text.replace("\n", "\r\n").encode(),
    "größe/名前.py": lambda text: text.removesuffix("\n").encode(),
    "a\tb.py": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "-caf\udce9.py": in_latin_1,
}


def test_the_patch_of_a_dry_run_is_taken_by_git_and_says_what_fix_does(repository, run):
    """Unusual names, line ends and encodings, several files in one patch."""
    repository.git("config", "core.autocrlf", "false")
    repository.commit({path: write(BASE) for path, write in UNUSUAL.items()})
    files = {path: repository.folder / path for path in UNUSUAL}
    before = {path: write(BUGGY) for path, write in UNUSUAL.items()}
    fixed = {path: write(FIXED) for path, write in UNUSUAL.items()}
    repository.write(before)
    environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    patch = subprocess.run(
        [sys.executable, "-P", "-m", "dsreview", "fix", "--dry-run", "--no-cache"],
        cwd=repository.folder,
        env=environment | {"DSREVIEW_CONFIG": os.devnull},
        capture_output=True,
        check=True,
    ).stdout
    assert {path: file.read_bytes() for path, file in files.items()} == before
    repository.git("apply", "-", input=patch)
    assert {path: file.read_bytes() for path, file in files.items()} == fixed
    repository.write(before)
    assert run("fix").code == 0
    assert {path: file.read_bytes() for path, file in files.items()} == fixed
    assert run("undo", "--all").code == 0
    assert {path: file.read_bytes() for path, file in files.items()} == before


NOTE = "note: names in the patch start at the top of the repository; run git apply there\n"


def test_in_a_subfolder_it_is_said_where_the_patch_belongs(repository, run, run_dsreview):
    """There, `git apply` would skip what lies outside without a word."""
    faults(repository)
    repository.write({"sub/x.py": "x = 1\n"})
    sub = repository.folder / "sub"
    outcome = run_dsreview("fix", "--dry-run", cwd=sub)
    assert (outcome.code, outcome.err) == (0, NOTE)
    assert run("fix", "--dry-run").err == ""
    assert run("fix", "--dry-run", "-C", sub).err == ""
    repository.git("apply", "-", input=outcome.out.encode())
    assert (repository.folder / "app/run.py").read_text() == FIXED
    again = run_dsreview("fix", "--dry-run", cwd=sub)
    assert (again.out, again.err) == ("", "")


def test_without_anything_to_apply_nothing_is_written(repository, run, tmp_path):
    repository.commit({"a.py": "x = 1\n"})
    repository.write({"a.py": "x = 2\n"})
    outcome = run("fix")
    assert (outcome.code, outcome.out) == (0, "0 suggestions applied, 0 findings left\n")
    assert run("fix", "--dry-run").out == ""
    assert not (tmp_path / "state").exists()


def test_what_a_killed_process_left_is_said_by_the_next_command(repository, run, tmp_path):
    """A record without its writing: the process died right behind it."""
    file = faults(repository)
    assert run("fix").code == 0
    (record,) = (tmp_path / "state").rglob("*.applied")
    file.write_text(BUGGY)
    record.rename(record.with_suffix(".pending"))
    outcome = run("diff", "--format=json")
    assert "was cut off and has been taken back" in outcome.err
    assert outcome.err.count("\n") == 1
