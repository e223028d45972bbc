import json
from difflib import unified_diff

import pytest

from dsreview.backends import ScriptedBackend
from dsreview.change import ChangedFile
from dsreview.context import ContextMode
from dsreview.coverage import CoverageLedger
from dsreview.diff_parser import parse_patch
from dsreview.model_stage import ModelStage
from dsreview.progress import SilentProgress
from dsreview.prompt import Answer, StopReason
from dsreview.sandbox import Sandbox

CLEAN = json.dumps({"findings": []})
PATHS = ("a.py", "b.py", "c.py")


class MemoryCache:
    def __init__(self):
        self.entries = {}

    def get(self, key):
        return self.entries.get(key)

    def put(self, key, value):
        self.entries[key] = value


def file_of(path):
    old, new = "total = 1\n", "total = 2\n"
    rows = unified_diff([old], [new], f"a/{path}", f"b/{path}")
    patch = parse_patch("".join(rows).encode()).files[0].file
    return ChangedFile(path, "python", patch, old, new)


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def run(sandbox):
    """The reason of each file's row, and the model."""

    def stage(answers, paths=PATHS, cache=None, max_tokens=0, identity=None, votes=1):
        backend = ScriptedBackend(answers)
        backend.identity = identity or backend.identity
        ledger = CoverageLedger(paths)
        ModelStage(
            backend=backend,
            mode=ContextMode.HUNK,
            sandbox=sandbox,
            cache=cache or MemoryCache(),
            progress=SilentProgress(),
            max_tokens=max_tokens,
            deadline_s=None,
            votes=votes,
        ).run([file_of(path) for path in paths], ledger)
        return [row.reason for row in ledger.rows()], backend

    return stage


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (CLEAN, ""),
        (Answer("", 9, 0, StopReason.DEADLINE), "the time budget was used up"),
        (
            Answer('{"find', 9, 9, StopReason.LENGTH),
            "the model's answer was cut by its length limit",
        ),
        (Answer.failed("m answers 500: no"), "the model gave no answer (m answers 500: no)"),
        ("", "the model's answer could not be read (the answer is empty)"),
    ],
)
def test_the_row_says_why_a_context_was_not_read(run, answer, reason):
    reasons, _ = run([answer, CLEAN, CLEAN])
    assert reasons == [reason, "", ""]


@pytest.fixture
def cost_of_one(run):
    _, backend = run([CLEAN], PATHS[:1])
    ((prompts, sampling),) = backend.batches
    return backend.count_tokens(prompts[0]) + sampling.max_new_tokens


@pytest.mark.parametrize(("missing", "num_asked"), [(0, 2), (1, 1)])
def test_only_what_the_tokens_surely_pay_is_asked(run, cost_of_one, missing, num_asked):
    reasons, backend = run([CLEAN] * num_asked, max_tokens=2 * cost_of_one - missing)
    ((prompts, _),) = backend.batches
    assert len(prompts) == num_asked
    assert reasons == [""] * num_asked + ["the token budget was used up"] * (3 - num_asked)


def test_kept_answers_leave_the_tokens_to_the_others(run, cost_of_one):
    cache = MemoryCache()
    _, first = run([CLEAN], PATHS[:1], cache)
    reasons, backend = run(
        [CLEAN] * 2, cache=cache, max_tokens=2 * cost_of_one, identity=first.identity
    )
    assert reasons == ["", "", ""]
    ((prompts, _),) = backend.batches
    assert len(prompts) == 2


@pytest.mark.parametrize(("missing", "num_asked"), [(0, 2), (1, 1)])
def test_every_vote_is_paid_for(run, cost_of_one, missing, num_asked):
    reasons, backend = run([CLEAN] * 3 * num_asked, max_tokens=6 * cost_of_one - missing, votes=3)
    ((prompts, _),) = backend.batches
    assert len(prompts) == 3 * num_asked
    assert reasons == [""] * num_asked + ["the token budget was used up"] * (3 - num_asked)
