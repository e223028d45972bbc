import json
from dataclasses import replace
from difflib import unified_diff

import pytest

from dsreview.backends import ScriptedBackend
from dsreview.change import ChangedFile
from dsreview.diff_parser import parse_patch
from dsreview.errors import BackendError
from dsreview.finding import Edit, Finding, Origin, Proof, Severity, Suggestion
from dsreview.patch import Span
from dsreview.prompt import Answer, StopReason
from dsreview.repair import RepairSettings, repair
from dsreview.sandbox import Limits, Sandbox

OLD = "def total(xs):\n    return sum(xs)\n"
NEW = "def total(xs):\n    t = 0\n    for x in xs:\n        t = x\n    return t\n"


class MemoryCache:
    def __init__(self):
        self.entries = {}

    def get(self, key):
        return self.entries.get(key)

    def put(self, key, value):
        self.entries[key] = value


GOOD, BROKEN = "        t += x", "        t = (t + x"


def file_of(path, text=NEW, language="python"):
    rows = unified_diff(OLD.splitlines(True), text.splitlines(True), "a/f", "b/f")
    patch = parse_patch("".join(rows).encode()).files[0].file
    return ChangedFile(path, language, patch, OLD, text)


def finding(line=BROKEN, path="a.py", origin=Origin.MODEL):
    return Finding(
        rule="lost-sum",
        severity=Severity.HIGH,
        path=path,
        span=Span(4, 5),
        quote="        t = x",
        message="The sum is overwritten.",
        scenario="[1, 2] gives 2.",
        confidence=0.8,
        origin=origin,
        suggestion=Suggestion(Edit(Span(4, 5), (line,))),
    )


def fix(*lines):
    return json.dumps({"suggestion": {"start_line": 4, "end_line": 4, "replacement": lines}})


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


def run(sandbox, findings, answers=(), backend=None, **settings):
    backend = backend or ScriptedBackend(answers)
    files = [file_of(path) for path in dict.fromkeys(one.path for one in findings)]
    return repair(findings, files, sandbox, backend, RepairSettings(**settings)), backend


def test_a_good_suggestion_is_verified_and_costs_nothing(sandbox):
    result, backend = run(sandbox, [finding(GOOD)])
    (kept,) = result.findings
    assert (kept.suggestion.proof, kept.suggestion.repair_round) == (Proof.VERIFIED, 1)
    assert (result.rounds, result.usage.prompt_tokens) == (1, 0)
    assert backend.batches == []


def test_a_broken_one_is_asked_again_with_its_violation(sandbox):
    result, backend = run(sandbox, [finding()], [fix(GOOD)])
    (kept,) = result.findings
    assert kept.suggestion == Suggestion(Edit(Span(4, 5), (GOOD,)), Proof.VERIFIED, 2)
    ((prompts, _),) = backend.batches
    text = prompts[0].messages[-1].text
    assert "(parses, line 4): after the edit, line 4 is not valid Python" in text
    assert BROKEN in text
    assert result.rounds == 2
    assert result.usage.completion_tokens > 0


def test_all_refused_suggestions_of_a_round_share_one_call(sandbox):
    findings = [finding(path="a.py"), finding(GOOD, "b.py"), finding(path="c.py")]
    result, backend = run(sandbox, findings, [fix(GOOD), fix(BROKEN), fix(GOOD)])
    assert [len(prompts) for prompts, _ in backend.batches] == [2, 1]
    assert [one.suggestion.repair_round for one in result.findings] == [2, 1, 3]


def test_a_finding_outlives_its_fix(sandbox):
    result, backend = run(sandbox, [finding()], [fix(BROKEN), fix(BROKEN)])
    (kept,) = result.findings
    assert kept == replace(finding(), suggestion=None)
    assert [one.reason for one in result.refused] == ["parses"]
    assert len(backend.batches) == 2  # rounds 2 and 3; the first was the review


def test_no_request_is_sent_twice(sandbox):
    _, backend = run(sandbox, [finding()], [fix(BROKEN)] * 3, max_rounds=4)
    requests = [(prompts[0], sampling.temperature) for prompts, sampling in backend.batches]
    assert len({prompt for prompt, _ in requests}) == 3
    assert [temperature for _, temperature in requests] == pytest.approx([0.3, 0.6, 0.9])


@pytest.mark.parametrize("stop", [StopReason.LENGTH, StopReason.DEADLINE])
def test_a_cut_repair_is_not_asked_for_again(sandbox, stop):
    result, backend = run(sandbox, [finding()], [Answer('{"sugg', 5, 5, stop)])
    assert len(backend.batches) == 1
    assert result.findings[0].suggestion is None
    assert len(result.refused) == 1


def test_the_model_may_give_up(sandbox):
    result, backend = run(sandbox, [finding()], ['{"suggestion": null}'])
    assert len(backend.batches) == 1
    assert "knows no correction" in result.refused[0].message


def test_an_unreadable_repair_is_asked_for_again_in_other_words(sandbox):
    result, backend = run(sandbox, [finding()], ["Just add them up!", fix(GOOD)])
    assert len(backend.batches) == 2
    assert result.findings[0].suggestion.repair_round == 3


def test_time_ends_the_rounds(sandbox):
    result, backend = run(sandbox, [finding()], [fix(GOOD)], deadline_s=0.0)
    assert backend.batches == []
    assert [one.reason for one in result.refused] == ["deadline"]


def test_one_round_repairs_nothing(sandbox):
    result, backend = run(sandbox, [finding()], max_rounds=1)
    assert backend.batches == []
    assert [one.reason for one in result.refused] == ["parses"]


def test_without_a_model_the_gate_still_stands(sandbox):
    result = repair([finding()], [file_of("a.py")], sandbox, None, RepairSettings())
    assert result.findings[0].suggestion is None


@pytest.mark.parametrize("origin", [Origin.RULE, Origin.IMPACT])
def test_suggestions_of_checks_pass_the_same_gate_and_are_not_asked_for(sandbox, origin):
    result, backend = run(sandbox, [finding(origin=origin), finding(GOOD, origin=origin)])
    assert [one.suggestion is None for one in result.findings] == [True, False]
    assert backend.batches == []


def test_a_model_that_fails_costs_the_suggestion_not_the_finding(sandbox):
    class Broken(ScriptedBackend):
        def complete(self, prompts, sampling, on_answer):
            raise BackendError("the server is gone")

    result, _ = run(sandbox, [finding(), finding(GOOD)], backend=Broken([]))
    assert [one.suggestion is None for one in result.findings] == [True, False]
    assert [(one.reason, one.message) for one in result.refused] == [
        ("backend", "the server is gone")
    ]


def test_a_repair_that_does_not_fit_the_window_is_dropped(sandbox):
    result, _ = run(sandbox, [finding()], backend=ScriptedBackend([], max_tokens=600))
    assert [one.reason for one in result.refused] == ["window"]


def test_a_repair_that_failed_is_dropped_with_what_went_wrong(sandbox):
    result, backend = run(sandbox, [finding()], [Answer.failed("the server answers 500")])
    assert len(backend.batches) == 1
    assert [(one.reason, one.message) for one in result.refused] == [
        ("backend", "the server answers 500")
    ]


@pytest.fixture
def cost_of_one(sandbox):
    """The most tokens that asking once may take."""
    _, backend = run(sandbox, [finding()], [fix(GOOD)])
    ((prompts, sampling),) = backend.batches
    return backend.count_tokens(prompts[0]) + sampling.max_new_tokens


@pytest.mark.parametrize(("missing", "num_asked"), [(0, 2), (1, 1)])
def test_a_round_asks_only_for_what_the_tokens_surely_pay(sandbox, cost_of_one, missing, num_asked):
    findings = [finding(path="a.py"), finding(path="b.py")]
    budget = 2 * cost_of_one - missing
    result, backend = run(sandbox, findings, [fix(GOOD)] * 2, max_tokens=budget)
    assert [len(prompts) for prompts, _ in backend.batches] == [num_asked]
    assert sum(one.suggestion is not None for one in result.findings) == num_asked
    assert [(one.reason, one.message) for one in result.refused] == [
        ("budget", "the token budget was used up")
    ] * (2 - num_asked)


def test_later_rounds_have_what_earlier_ones_left(sandbox, cost_of_one):
    result, backend = run(sandbox, [finding()], [fix(BROKEN)] * 2, max_tokens=cost_of_one + 1)
    assert len(backend.batches) == 1
    assert result.usage.prompt_tokens + result.usage.completion_tokens <= cost_of_one
    assert [one.reason for one in result.refused] == ["budget"]


def test_no_tokens_left_is_a_limit_too(sandbox):
    result, backend = run(sandbox, [finding()], max_tokens=0)
    assert backend.batches == []
    assert [one.reason for one in result.refused] == ["budget"]


def test_a_kept_repair_needs_no_tokens(sandbox):
    cache, backend = MemoryCache(), ScriptedBackend([fix(GOOD)])
    arguments = [finding()], [file_of("a.py")], sandbox, backend
    repair(*arguments, RepairSettings(), cache)
    result = repair(*arguments, RepairSettings(max_tokens=0), cache)
    assert len(backend.batches) == 1
    assert result.findings[0].suggestion.proof is Proof.VERIFIED


def test_nothing_is_verified_in_a_file_that_nobody_saw_whole(sandbox):
    findings = [finding(GOOD, "a.py"), finding(GOOD, "b.py"), finding(path="a.py")]
    files = [file_of("a.py"), file_of("b.py")]
    backend = ScriptedBackend([fix(GOOD)])
    result = repair(findings, files, sandbox, backend, RepairSettings(), unseen=frozenset({"a.py"}))
    assert [one.suggestion.proof for one in result.findings] == [
        Proof.PARSE_NOT_VERIFIABLE,
        Proof.VERIFIED,
        Proof.PARSE_NOT_VERIFIABLE,
    ]


def test_a_file_that_cannot_be_parsed_is_never_called_verified():
    with Sandbox(Limits(max_source_bytes=10)) as tight:
        result, _ = run(tight, [finding(GOOD)])
    assert result.findings[0].suggestion.proof is Proof.PARSE_NOT_VERIFIABLE


def test_every_suggestion_that_is_shown_was_proved(sandbox):
    lines = (GOOD, BROKEN, "        t = undefined_name", "t += x", "        t = x", "")
    findings = [finding(line, f"f{number}.py") for number, line in enumerate(lines)]
    result, _ = run(sandbox, findings, max_rounds=1)
    shown = [one.suggestion for one in result.findings if one.suggestion]
    assert [one.edit.lines for one in shown] == [(GOOD,)]
    assert len(result.refused) == len(lines) - 1
    assert len(result.findings) == len(lines)


class Folder:
    def __init__(self, files):
        self.files = files

    def paths(self):
        return sorted(self.files)

    def read(self, path):
        return self.files.get(path)

    def identity(self, path):
        return None

    def size_bytes(self, path):
        return len(self.files[path])


@pytest.mark.parametrize(
    ("neighbour", "is_shown"),
    [("shop/tax.go", True), ("other/tax.go", False), ("shop/tax.py", False)],
)
def test_a_package_lends_its_names_to_its_own_files_alone(sandbox, neighbour, is_shown):
    old = "package shop\n\nfunc price(net int) int {\n\treturn net\n}\n"
    new = old.replace("return net", "return net * 2")
    rows = unified_diff(old.splitlines(True), new.splitlines(True), "a/shop/p.go", "b/shop/p.go")
    patch = parse_patch("".join(rows).encode()).files[0].file
    file = ChangedFile("shop/p.go", "go", patch, old, new)
    given = replace(
        finding(),
        path="shop/p.go",
        quote="return net * 2",
        suggestion=Suggestion(Edit(Span(4, 5), ("\treturn net * taxRate()",))),
    )
    head = Folder({"shop/p.go": new.encode(), neighbour: b"func taxRate() int { return 2 }"})
    result = repair([given], [file], sandbox, None, RepairSettings(), head=head)
    assert (result.findings[0].suggestion is not None) is is_shown
