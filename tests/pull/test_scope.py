"""When a run may look at what is new alone, and why it may not."""

from dataclasses import dataclass, fields, replace

import pytest

from dsreview.config import Config
from dsreview.finding import Severity
from dsreview.outputs.github_pr.marker import LastReview
from dsreview.pull_scope import SHAPING, PullScope, Wanted, choose_scope, review_digest
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


def test_only_what_is_new_where_the_rest_is_as_it_was():
    assert choose_scope(LAST, HEAD, "digest", Known(), Wanted.BEST) == PullScope(LAST.head_sha)


def test_a_first_review_needs_no_reason():
    assert choose_scope(None, HEAD, "digest", Known(), Wanted.BEST) == PullScope(None)


@pytest.mark.parametrize(
    ("last", "head", "digest", "known", "wanted", "words"),
    [
        (LAST, HEAD, "digest", Known(), Wanted.FULL, "asked for"),
        (LAST, LAST.head_sha, "digest", Known(), Wanted.BEST, "same commit"),
        (LAST, HEAD, "other", Known(), Wanted.BEST, "settings"),
        (replace(LAST, status=Status.PARTIAL), HEAD, "digest", Known(), Wanted.BEST, "left"),
        (replace(LAST, status=Status.FAILED), HEAD, "digest", Known(), Wanted.BEST, "left"),
        (LAST, HEAD, "digest", Known(is_here=False), Wanted.BEST, "not in this clone"),
        (LAST, HEAD, "digest", Known(is_ancestor=False), Wanted.BEST, "rewritten"),
        (LAST, HEAD, "digest", Known(has_same_base=False), Wanted.BEST, "base"),
    ],
)
def test_all_of_it_with_the_reason_said(last, head, digest, known, wanted, words):
    scope = choose_scope(last, head, digest, known, wanted)
    assert scope.since is None
    assert words in scope.reason


def test_what_decides_a_review_changes_its_digest():
    plain = review_digest(Config(), MemorySnapshot({"a.py": b"1"}))
    assert plain == review_digest(Config(), MemorySnapshot({"a.py": b"2"}))
    others = [
        review_digest(Config(min_severity=Severity.HIGH), MemorySnapshot()),
        review_digest(Config(model="/models/x"), MemorySnapshot()),
        review_digest(Config(disable=("a",)), MemorySnapshot()),
        review_digest(Config(exclude=("a",)), MemorySnapshot()),
        review_digest(Config(), MemorySnapshot({".dsreviewignore": b"*.py"})),
        review_digest(Config(), MemorySnapshot({".dsreview/rules/a.yml": b"1"})),
        review_digest(Config(), MemorySnapshot({".dsreview/rules/a.yml": b"2"})),
    ]
    assert len({plain, *others}) == 1 + len(others)


SHOWN_OR_PAID = {"fail_on", "max_findings", "partial_ok", "budget_s", "device", "batch_size"}
OTHERS = {"api_key_env", "cache"}
OF_HOOKS = {"mode", "deadline_s", "strict", "finish", "interactive", "notify"}


def test_every_setting_is_known_to_decide_or_not():
    names = {field.name for field in fields(Config)}
    assert names - SHAPING == SHOWN_OR_PAID | OTHERS | OF_HOOKS
    assert names >= SHAPING
