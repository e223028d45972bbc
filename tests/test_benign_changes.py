"""Changes that break nothing: the checks stay silent, whatever the language."""

import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsreview.cache import NoCache
from dsreview.change import EmptySnapshot
from dsreview.config import load
from dsreview.progress import SilentProgress
from dsreview.review import Tools, review
from dsreview.sandbox import Sandbox
from dsreview.sources import SourceRequest, open_change

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    name: str
    before: dict[str, str]
    after: dict[str, str]


def cases():
    """`=== name`, then files, each headed by `--- before`, `after` or `both` and its path.

    What stands only under `before` is gone afterwards; what did not change is under `both`.
    """
    for path in sorted((FOLDER / "cases/benign").glob("*.txt")):
        _, *sections = re.split(r"^=== (.*)\n", path.read_text("utf-8"), flags=re.MULTILINE)
        for name, body in zip(sections[::2], sections[1::2], strict=True):
            trees = {"before": {}, "after": {}}
            _, *parts = re.split(r"^--- (before|after|both) (.*)\n", body, flags=re.MULTILINE)
            for when, file, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
                for tree in trees if when == "both" else (when,):
                    trees[tree][file] = text
            yield Case(f"{path.stem}: {name}", trees["before"], trees["after"])


CASES = list(cases())


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """A repository with two commits a case, and those commits."""
    place = FOLDER / "sources" / "play.py"
    specification = importlib.util.spec_from_file_location("play", place)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    repo = module.Repo(tmp_path_factory.mktemp("benign") / "repo")
    commits = {}
    for case in CASES:
        ids = []
        for tree in (case.before, case.after):
            repo.git("rm", "-rqf", "--ignore-unmatch", ".")
            for path, text in tree.items():
                repo.write(path, text)
            ids.append(repo.commit(case.name))
        commits[case.name] = ids
    return repo, commits


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


def findings_between(repo, sandbox, before, after):
    config = load(EmptySnapshot(), {}, {})
    with open_change(SourceRequest(repo.top, revision=f"{before}..{after}")) as change:
        report = review(change, config, Tools(sandbox, NoCache(), None, SilentProgress()))
    assert report.coverage
    assert not report.gaps
    return [f"{one.path}:{one.span.start} {one.rule}: {one.message}" for one in report.findings]


def test_there_are_enough_of_them():
    endings = {Path(path).suffix for case in CASES for path in case.after}
    assert len(CASES) >= 36
    assert len(endings) >= 8
    assert all(case.before != case.after for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_harmless_change_has_no_finding(history, sandbox, case):
    repo, commits = history
    assert findings_between(repo, sandbox, *commits[case.name]) == []
