"""When a run may look at what is new alone, and why it may not."""

from dataclasses import dataclass, fields, replace

import pytest

from dsreview.config import Config
from dsreview.finding import Severity
from dsreview.outputs.github_pr.marker import LastReview
from dsreview.pull_scope import SHAPING, Plans, PullScope, Wanted, choose_scope, review_digest
from dsreview.report import Status
from dsreview.sources.snapshots import MemorySnapshot

LAST = LastReview("a" * 40, "b" * 40, "digest", Status.COMPLETE, "findings")
HEAD = "c" * 40


@dataclass
class Known:
    """What a clone knows of the commit that was reviewed last."""

    is_here: bool = True
    is_ancestor: bool = True
    has_same_base: bool = True

    def has(self, commit):
        assert commit == LAST.head_sha
        return self.is_here

    def descends_from(self, commit):
        assert self.is_here
        return self.is_ancestor

    def parted_where(self, commit):
        assert self.is_here
        return self.has_same_base


PLANS = Plans(HEAD, "digest", Severity.HIGH)


def test_only_what_is_new_where_the_rest_is_as_it_was():
    assert choose_scope(LAST, PLANS, Known()) == PullScope(LAST.head_sha)
    mild = replace(LAST, worst=Severity.MEDIUM)
    assert choose_scope(mild, PLANS, Known()) == PullScope(LAST.head_sha)


def test_a_first_review_needs_no_reason():
    assert choose_scope(None, PLANS, Known()) == PullScope(None)


@pytest.mark.parametrize(
    ("last", "plans", "known", "words"),
    [
        (LAST, replace(PLANS, wanted=Wanted.FULL), Known(), "asked for"),
        (LAST, replace(PLANS, head=LAST.head_sha), Known(), "same commit"),
        (LAST, replace(PLANS, config_digest="other"), Known(), "settings"),
        (replace(LAST, status=Status.PARTIAL), PLANS, Known(), "left"),
        (replace(LAST, status=Status.FAILED), PLANS, Known(), "left"),
        (replace(LAST, num_left_out=1), PLANS, Known(), "more than its summary has room for"),
        (replace(LAST, worst=Severity.HIGH), PLANS, Known(), "high"),
        (replace(LAST, worst=Severity.CRITICAL), PLANS, Known(), "critical"),
        (LAST, PLANS, Known(is_here=False), "not in this clone"),
        (LAST, PLANS, Known(is_ancestor=False), "rewritten"),
        (LAST, PLANS, Known(has_same_base=False), "base"),
    ],
)
def test_all_of_it_with_the_reason_said(last, plans, known, words):
    scope = choose_scope(last, plans, known)
    assert scope.since is None
    assert words in scope.reason


def test_what_decides_a_review_changes_its_digest():
    plain = review_digest(Config(), MemorySnapshot({"a.py": b"1"}))
    assert plain == review_digest(Config(), MemorySnapshot({"a.py": b"2"}))
    others = [
        review_digest(Config(min_severity=Severity.HIGH), MemorySnapshot()),
        review_digest(Config(model="/models/x"), MemorySnapshot()),
        review_digest(Config(weights="int4"), MemorySnapshot()),
        review_digest(Config(disable=("a",)), MemorySnapshot()),
        review_digest(Config(exclude=("a",)), MemorySnapshot()),
        review_digest(Config(), MemorySnapshot({".dsreviewignore": b"*.py"})),
        review_digest(Config(), MemorySnapshot({".dsreview/rules/a.yml": b"1"})),
        review_digest(Config(), MemorySnapshot({".dsreview/rules/a.yml": b"2"})),
    ]
    assert len({plain, *others}) == 1 + len(others)


SHOWN_OR_PAID = {
    "fail_on",
    "max_findings",
    "partial_ok",
    "budget_s",
    "device",
    "runner",
    "batch_size",
}
OTHERS = {"api_key_env", "cache", "daemon"}
OF_HOOKS = {"mode", "deadline_s", "strict", "finish", "interactive", "notify"}


def test_every_setting_is_known_to_decide_or_not():
    names = {field.name for field in fields(Config)}
    assert names - SHAPING == SHOWN_OR_PAID | OTHERS | OF_HOOKS
    assert names >= SHAPING
