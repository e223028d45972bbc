"""The pipeline as a whole: what is read, what is left out, and that both are said."""

from dataclasses import replace

import pytest

from dsreview.cache import NoCache
from dsreview.change import EmptySnapshot
from dsreview.config import load
from dsreview.errors import BackendError
from dsreview.progress import SilentProgress
from dsreview.report import CoverageState, Status
from dsreview.review import Tools, review
from dsreview.sandbox import Sandbox
from dsreview.sources import SourceRequest, open_change

CONFIG = load(EmptySnapshot(), {}, {})
FAULTY = 'import subprocess\n\n\ndef show(name):\n    subprocess.run(f"ls {name}", shell=True)\n'


class Clock:
    """Shows `steps` one after the other, and then the last of them for ever."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def __call__(self):
        return self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def reviewed(repository, sandbox):
    def run(config=CONFIG, clock=None, focus=None, open_backend=None, **request):
        tools = Tools(sandbox, NoCache(), open_backend, SilentProgress())
        if clock is not None:
            tools = replace(tools, clock=clock)
        with open_change(SourceRequest(repository.folder, **request)) as change:
            return review(replace(change, focus=focus), config, tools)

    return run


def rows(report):
    return {row.path: (row.state.value, row.reason) for row in report.coverage}


def test_files_after_the_end_of_the_time_are_left_out_and_this_is_said(repository, reviewed):
    repository.commit({"a.py": "x = 1\n", "b.py": "x = 1\n"})
    repository.write({"a.py": FAULTY, "b.py": FAULTY})
    clock = Clock(0.0, 0.0, 0.0, 9.0)
    report = reviewed(replace(CONFIG, budget_s=5.0), clock)
    assert report.status is Status.PARTIAL
    assert {reason for _, reason in rows(report).values()} == {"the time budget was used up"}
    assert report.exit_code(CONFIG.fail_on, partial_ok=False) in (1, 3)


def test_impact_checks_that_did_not_run_are_a_gap(repository, reviewed):
    repository.commit({"a.py": "x = 1\n", "gone.py": "y = 1\n"})
    (repository.folder / "gone.py").unlink()
    repository.write({"a.py": "x = 2\n"})
    in_time = reviewed(replace(CONFIG, budget_s=5.0), Clock(0.0))
    assert in_time.status is Status.COMPLETE
    assert in_time.coverage[0].reviewers == ("impact", "rules")
    assert rows(in_time)["gone.py"] == ("reviewed", "deleted")
    # the clock is read at the start, before the file, and before the impact checks
    late = reviewed(replace(CONFIG, budget_s=5.0), Clock(0.0, 0.0, 9.0))
    assert rows(late) == {
        "a.py": ("partial", "the time budget was used up"),
        "gone.py": ("skipped", "the time budget was used up"),
    }


def test_what_a_check_could_not_read_is_a_gap_also_outside_of_the_focus(repository, reviewed):
    repository.commit({"a.py": "x = 1\n", "b.py": "x = 1\n", "c.py": "x = 1\n"})
    repository.write({"a.py": "x = 2\n", "b.py": "x = 2\n", "notes.txt": "words\n"})
    # the clock is read at the start, before each file, and before the impact checks
    late = reviewed(replace(CONFIG, budget_s=5.0), Clock(0.0, 0.0, 9.0), focus=frozenset({"a.py"}))
    assert late.status is Status.PARTIAL
    assert rows(late)["b.py"] == ("skipped", "the time budget was used up")


def no_backend():
    raise BackendError("it is not there")


def test_outside_of_the_focus_nobody_misses_the_model(repository, reviewed):
    repository.commit({"a.py": "x = 1\n", "b.py": "x = 1\n", "notes.txt": "words\n"})
    repository.write({"a.py": "x = 2\n", "b.py": "x = 2\n", "notes.txt": "more\n"})
    report = reviewed(focus=frozenset({"a.py"}), open_backend=no_backend)
    assert rows(report) == {"a.py": ("partial", "the model could not be used")}


def test_a_deleted_file_that_no_check_looks_for_is_not_called_reviewed(repository, reviewed):
    repository.commit({"a.rb": "x = 1\n"})
    (repository.folder / "a.rb").unlink()
    (row,) = reviewed().coverage
    assert (row.state, row.reviewers, row.is_gap) == (CoverageState.SKIPPED, (), False)


def test_a_fault_that_only_moved_to_another_file_is_not_new(repository, reviewed):
    repository.commit({"a.py": FAULTY, "b.py": "x = 1\n"})
    repository.write({"a.py": "x = 1\n", "b.py": f"x = 1\n\n\n{FAULTY}"})
    assert reviewed().findings == ()


def test_a_fault_that_was_copied_is_new(repository, reviewed):
    repository.commit({"a.py": FAULTY, "b.py": "x = 1\n"})
    repository.write({"b.py": f"x = 1\n\n\n{FAULTY}"})
    assert [finding.path for finding in reviewed().findings] == ["b.py"]


@pytest.mark.parametrize("name", ["a.py", "b/c d.py", "é.py"])
def test_every_file_of_the_change_has_one_row(name, repository, reviewed):
    repository.commit({name: "x = 1\n", "keep.md": "x\n"})
    repository.write({name: "x = 2\n", "keep.md": "y\n", "new.bin": b"\0\1\2"})
    repository.git("add", "-A")
    report = reviewed(is_staged=True)
    assert sorted(row.path for row in report.coverage) == sorted([name, "keep.md", "new.bin"])


def test_findings_of_a_disabled_rule_and_milder_ones_are_left_out(repository, reviewed):
    repository.commit({"a.py": "x = 1\n"})
    repository.write({"a.py": FAULTY})
    (finding,) = reviewed().findings
    assert reviewed(replace(CONFIG, disable=(finding.rule,))).findings == ()
    critical = type(finding.severity).CRITICAL
    assert reviewed(replace(CONFIG, min_severity=critical)).findings == ()
