"""Whatever fails, a hook ends with its verdict: nobody reads it, nothing can be written, ..."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from dsreview.errors import GitError
from dsreview.githook.standing import FAILED, Standing

BUG = "def add(item, items=[]):\n    items.append(item)\n    return items\n"
COMMAND = [sys.executable, "-P", "-m", "dsreview", "hook", "run"]


@pytest.fixture
def staged(hooked):
    hooked.repository.write({"shop.py": BUG})
    hooked.repository.git("add", "-A")
    return hooked


def code_of(staged, stream, *options, **more):
    answer = subprocess.run(
        [*COMMAND, *options],
        cwd=staged.repository.folder,
        env=staged.environment(),
        stdin=subprocess.DEVNULL,
        stderr=stream,
        **more,
    )
    return answer.returncode


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--mode", "block"), 1), (("--loud",), 0)])
def test_a_reader_that_is_gone_changes_no_verdict(staged, options, code):
    reader, writer = os.pipe()
    os.close(reader)
    assert code_of(staged, writer, *options, stdout=writer) == code
    os.close(writer)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize(("options", "code"), [((), 0), (("--mode", "block"), 1), (("--loud",), 0)])
def test_a_full_disk_changes_no_verdict(staged, options, code):
    with open("/dev/full", "w") as full:
        assert code_of(staged, full, *options, stdout=full) == code


@pytest.mark.parametrize(("options", "code"), [("", 0), ("--mode block", 1)])
def test_closed_streams_change_no_verdict(staged, options, code):
    command = f'exec "{sys.executable}" -P -m dsreview hook run {options} <&- >&- 2>&-'
    answer = subprocess.run(
        ["sh", "-c", command], cwd=staged.repository.folder, env=staged.environment()
    )
    assert answer.returncode == code


@pytest.mark.slow
def test_what_was_found_is_kept_though_it_could_not_be_written(staged):
    reader, writer = os.pipe()
    os.close(reader)
    code_of(staged, writer)
    os.close(writer)
    assert "HIGH  shop.py:1" in staged.run("last").out


@pytest.mark.parametrize(
    ("options", "code", "traceback"), [((), 0, ""), ((), 0, "1"), (("--strict",), FAILED, "")]
)
def test_a_half_installed_dsreview_holds_up_nobody(staged, tmp_path, options, code, traceback):
    import dsreview

    copy = tmp_path / "installed" / "dsreview"
    names = shutil.ignore_patterns("hook_run.py", "__pycache__")
    shutil.copytree(os.path.dirname(dsreview.__file__), copy, ignore=names)
    paths = os.pathsep.join([str(copy.parent), staged.environment()["PYTHONPATH"]])
    ran = staged.run("hook", "run", *options, PYTHONPATH=paths, DSREVIEW_TRACEBACK=traceback)
    assert ran.code == code
    assert "dsreview failed: ModuleNotFoundError" in ran.err
    assert ("Traceback" in ran.err) == bool(traceback)


def fails():
    raise GitError("git is gone")


@pytest.mark.parametrize(
    ("is_strict", "verdict", "code", "end"),
    [
        (False, 0, 0, "git goes on"),
        (True, 0, GitError("").exit_code, "stopped (strict)"),
        (False, 1, 1, "stopped by a finding"),
        (True, 1, 1, "stopped by a finding"),
    ],
)
def test_a_failure_takes_no_verdict_back(capsys, is_strict, verdict, code, end):
    assert Standing(is_strict, verdict).ended(fails) == code
    assert capsys.readouterr().err == f"dsreview: not reviewed, {end}: git is gone\n"


def test_strict_of_the_repository_counts_for_failures(staged):
    staged.repository.git("reset", "-q")
    staged.repository.commit({".dsreview.toml": "strict = true\n"})
    staged.repository.git("add", "-A")
    staged.repository.write({"more.py": BUG})
    staged.repository.git("add", "-A")
    ran = staged.run("hook", "run", "--backend", "http")
    assert ran.code == 2
    assert re.search(r"not reviewed, stopped \(strict\): .*model", ran.err)
    staged.settings.write_text("strict = false\n")
    assert staged.run("hook", "run", "--backend", "http").code == 0
