"""No finding is lost, repeated or told to somebody who has answered it."""

import random
from collections import Counter
from dataclasses import replace

import msgspec
import pytest

from dsreview.finding import Edit, Origin, Proof, Refusal, Severity, Suggestion, fingerprints
from dsreview.line_diff import diff_hunks
from dsreview.outputs.github_pr.history import Silence, fix_names, names_by_place, standing
from dsreview.outputs.github_pr.marker import known_entries, last_review
from dsreview.outputs.github_pr.plan import plan_posting
from dsreview.outputs.github_pr.sticky import MAX_BODY_BYTES
from dsreview.outputs.github_pr.values import PostingPlan, RunFacts, Side
from dsreview.patch import FilePatch, FileStatus, Patch, Span
from dsreview.report import Coverage, CoverageState, Report, Stats, Status

NEXT_HEAD = "c" * 40
OLD = "".join(f"line {number}\n" for number in range(1, 61))
NEW = OLD.replace("line 10\n", "bad call\n").replace("line 30\n", "worse call\n")


@pytest.fixture
def pull(make_pull):
    return make_pull({"a.py": OLD, "b.py": OLD}, {"a.py": NEW, "b.py": NEW})


@pytest.fixture
def bad(found):
    return found("a.py", 10, "bad call")


def names(comments):
    return [one.fingerprint for one in comments]


def everywhere(plan):
    """How often each finding is told, in all places together."""
    places = (*plan.inline, *plan.file_level, *(plan.summary.entries if plan.summary else ()))
    return Counter(names(places))


def reviewed(*paths):
    return tuple(Coverage(path, CoverageState.REVIEWED) for path in paths)


def test_a_finding_on_a_shown_line_is_a_comment_there(pull, bad):
    (comment,) = pull.plan([bad]).inline
    assert (comment.path, comment.line, comment.side) == ("a.py", 10, Side.RIGHT)
    assert comment.start_line is None


def test_a_finding_outside_of_the_shown_lines_is_a_comment_on_its_file(pull, found):
    plan = pull.plan([found("a.py", 45, "line 45")])
    assert not plan.inline
    assert "`a.py:45`" in plan.file_level[0].body


def test_a_finding_in_a_file_whose_name_is_not_utf8_is_in_the_summary(make_pull, found):
    path = "\udcff.py"
    pull = make_pull({path: ""}, {path: "x = 1\ny = 2\n"})
    added = FilePatch(path, path, FileStatus.ADDED, 0, 0o100644, diff_hunks("", pull.new[path]))
    report = Report(
        Status.COMPLETE,
        (found(path, 1, "x = 1"),),
        reviewed(path),
        Stats(),
        base_name="a" * 40,
        head_name="b" * 40,
    )
    facts = RunFacts("a" * 40, "b" * 40, "c0ffee")
    unlisted = replace(pull.state, files=())
    plan = plan_posting(report, pull.code, unlisted, facts, Patch((added,)))
    assert not plan.inline
    assert not plan.file_level
    assert "&#92;xff.py:" in plan.summary.text
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=PostingPlan) == plan


def test_a_finding_outside_of_the_pull_request_is_in_the_summary(pull, found):
    plan = pull.plan([found("other.py", 1, "x")])
    assert not plan.inline
    assert not plan.file_level
    assert "`other.py:1`" in plan.summary.text


def test_the_second_run_on_a_head_writes_nothing(pull, bad, found, as_posted):
    findings = [bad, found("a.py", 45, "line 45"), found("other.py", 1, "x")]
    first = pull.plan(findings)
    pull.comments, pull.summary = as_posted(first), first.summary.text
    assert pull.plan(findings).is_empty


def test_the_second_run_writes_nothing_after_github_refused_comments(pull, bad, as_posted):
    first = pull.plan([bad])
    shown = first.demoted(frozenset(names(first.inline)))
    shown = shown.demoted(frozenset(names(shown.file_level)))
    pull.summary = shown.summary.text
    assert pull.plan([bad]).is_empty


def test_code_that_moved_is_not_told_again(pull, bad, found, as_posted):
    first = pull.plan([bad])
    pull.comments, pull.summary = as_posted(first), first.summary.text
    pull.new = {"a.py": "new\n" * 40 + NEW}
    plan = pull.plan([replace(bad, span=Span(50, 51))], NEXT_HEAD)
    assert not plan.inline
    assert not plan.file_level
    assert "1 commented before" in plan.summary.text


def test_a_file_that_was_renamed_is_not_told_again(pull, bad, as_posted):
    first = pull.plan([bad])
    pull.comments = as_posted(first)
    pull.new, pull.renamed = {"z.py": NEW}, {"z.py": "a.py"}
    plan = pull.plan([replace(bad, path="z.py")], NEXT_HEAD)
    assert not plan.inline
    assert "1 commented before" in plan.summary.text


def test_the_same_fix_in_other_words_is_not_told_again(pull, bad, as_posted):
    edit = Suggestion(Edit(Span(10, 11), ("good call",)), Proof.VERIFIED)
    pull.comments = as_posted(pull.plan([replace(bad, suggestion=edit)]))
    other = replace(bad, rule="other-rule", message="other words", suggestion=edit)
    assert not pull.plan([other], NEXT_HEAD).inline


def test_a_second_place_for_the_same_fix_is_told(pull, bad, as_posted):
    edit = Suggestion(Edit(Span(10, 11), ("good call",)), Proof.VERIFIED)
    one = replace(bad, suggestion=edit)
    pull.comments = as_posted(pull.plan([one]))
    again = replace(one, scope="elsewhere", span=Span(30, 31), quote="bad call")
    assert everywhere(pull.plan([one, again], NEXT_HEAD)) == Counter(fingerprints([one, again])[1:])
    nothing = Suggestion(Edit(Span(10, 11), ()), Proof.VERIFIED)
    gaps = [replace(bad, quote="", suggestion=nothing, scope=scope) for scope in "ab"]
    pull.comments = as_posted(pull.plan(gaps[:1]))
    assert everywhere(pull.plan(gaps, NEXT_HEAD)) == Counter(fingerprints(gaps)[1:])


@pytest.mark.parametrize("became", [{}, {"is_resolved": True}, {"has_replies": True}])
def test_the_same_line_added_above_is_told_and_the_old_one_is_not(pull, bad, as_posted, became):
    edit = Suggestion(Edit(Span(10, 11), ("good call",)), Proof.VERIFIED)
    for one in (bad, replace(bad, suggestion=edit)):
        first = pull.plan([one])
        (comment,) = as_posted(first, **became)
        above = replace(
            pull, new=pull.new | {"a.py": NEW.replace("line 3\n", "bad call\nline 3\n")}
        )
        above.comments = (replace(comment, line=11),)
        moved = replace(one, span=Span(11, 12))
        if one.suggestion is not None:
            moved = replace(
                moved, suggestion=replace(edit, edit=Edit(Span(11, 12), ("good call",)))
            )
        added = replace(one, span=Span(3, 4), suggestion=None)
        for found_now in ([added, moved], [moved, added]):
            plan = above.plan(found_now, NEXT_HEAD)
            assert [(told.path, told.line) for told in plan.inline] == [("a.py", 3)]
            above_that = replace(above, comments=(*above.comments, *as_posted(plan, 1)))
            assert not above_that.plan(found_now, NEXT_HEAD).inline


NUM_HISTORIES = [30, pytest.param(2_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]


@pytest.mark.parametrize("num_histories", NUM_HISTORIES)
def test_of_lines_that_are_the_same_each_is_told_once(make_pull, found, as_posted, num_histories):
    """Bugs that look the same come and go; GitHub moves comments along with their lines."""
    choices = random.Random(7)
    num_told = 0
    for _ in range(num_histories):
        lines = [[None, 0] for _ in range(12)]  # what became of its comment; 0: no bug
        comments = {}
        for run in range(5):
            for bug in [line for line in lines if line[1]]:
                if choices.random() < 0.2:
                    comments.pop(bug[0], None)  # fixed: GitHub calls its comment outdated
                    bug[:] = [None, 0]
            for _ in range(choices.randrange(3)):
                lines.insert(choices.randrange(len(lines)), [None, 1])
            text = "".join("bad call\n" if line[1] else f"x{n}\n" for n, line in enumerate(lines))
            pull = make_pull({"a.py": ""}, {"a.py": text})
            at = {index + 1: line for index, line in enumerate(lines) if line[1]}
            pull.comments = tuple(
                replace(comments[line[0]], line=number) for number, line in at.items() if line[0]
            )
            new = [number for number, line in at.items() if line[0] is None]
            plan = pull.plan(
                [found("a.py", number, "bad call") for number in at],
                f"{run}" * 40,
                max_comments=100,
            )
            assert [one.line for one in plan.inline] == new
            num_told += len(new)
            posted = as_posted(plan, 100 * run, is_resolved=choices.random() < 0.5)
            for number, comment in zip(new, posted, strict=True):
                at[number][0] = comment.id + 1
                comments[comment.id + 1] = comment
    assert num_told > num_histories


@pytest.mark.parametrize(
    ("became", "why"),
    [
        ({"is_resolved": True}, Silence.RESOLVED),
        ({"has_replies": True}, Silence.ANSWERED),
        ({"is_minimized": True, "minimized_reason": "off-topic"}, Silence.HIDDEN),
        ({"is_disliked": True}, Silence.DISLIKED),
        ({"is_outdated": True}, Silence.COMMENTED),
        (
            {"is_minimized": True, "minimized_reason": "OUTDATED", "has_replies": True},
            Silence.ANSWERED,
        ),
    ],
)
def test_what_people_have_dealt_with_stays_silent(pull, bad, as_posted, became, why):
    pull.comments = as_posted(pull.plan([bad]), **became)
    plan = pull.plan([bad], NEXT_HEAD)
    assert not plan.inline
    assert not plan.summary.entries
    assert f"1 {why.value}" in plan.summary.text
    assert names(plan.annotations) == fingerprints([bad])


def test_a_finding_that_comes_back_after_it_was_gone_is_told_again(pull, bad, as_posted):
    gone = {"is_minimized": True, "minimized_reason": "OUTDATED", "is_resolved": True}
    pull.comments = as_posted(pull.plan([bad]), **gone)
    assert names(pull.plan([bad], NEXT_HEAD).inline) == fingerprints([bad])


def test_what_two_runs_posted_and_was_gone_is_told_again(pull, bad, as_posted):
    first = pull.plan([bad])
    hidden = {"is_minimized": True}
    pull.comments = (
        *as_posted(first, 0, **hidden, minimized_reason="OUTDATED"),
        *as_posted(first, 1, **hidden, minimized_reason="DUPLICATE"),
    )
    assert names(pull.plan([bad], NEXT_HEAD).inline) == fingerprints([bad])
    pull.comments = as_posted(first, **hidden, minimized_reason="DUPLICATE")
    assert not pull.plan([bad], NEXT_HEAD).inline  # the only one: somebody else hid it


def test_a_head_that_comes_back_has_another_key(pull, bad, as_posted):
    first = pull.plan([bad])
    keys = [first.key]
    for number in range(2):
        gone = {"is_minimized": True, "minimized_reason": "OUTDATED"}
        pull.comments += as_posted(first, number, **gone)
        plan = pull.plan([bad])
        assert names(plan.inline) == fingerprints([bad])
        keys.append(plan.key)
        assert pull.plan([bad]).key == plan.key
    assert len(set(keys)) == 3


def test_a_marker_of_somebody_else_silences_nothing(pull, bad, as_posted):
    forged = as_posted(pull.plan([bad]), is_ours=False, is_resolved=True)
    pull.comments = forged
    assert names(pull.plan([bad]).inline) == fingerprints([bad])


def test_twenty_comments_at_most_and_the_most_severe_ones(make_pull, found):
    text = "".join(f"call({number})\n" for number in range(60))
    pull = make_pull({"a.py": ""}, {"a.py": text})
    severities = [Severity.LOW, Severity.CRITICAL, Severity.MEDIUM]
    findings = [
        found("a.py", number + 1, f"call({number})", severity=severities[number % 3])
        for number in range(60)
    ]
    plan = pull.plan(findings)
    assert len(plan.inline) == 20
    severe = {name for name, one in zip(fingerprints(findings), findings, strict=True) if one.severity is Severity.CRITICAL}  # fmt: skip
    assert set(names(plan.inline)) == severe
    assert everywhere(plan) == Counter(fingerprints(findings))
    assert len(known_entries(plan.summary.text)) == 40
    fewer = pull.plan(findings, max_comments=3)
    assert len(fewer.inline) == 3


def test_what_the_summary_has_told_does_not_become_a_comment(pull, bad, found, as_posted):
    first = pull.plan([bad], max_comments=0)
    pull.summary = first.summary.text
    plan = pull.plan([bad], NEXT_HEAD)
    assert not plan.inline
    assert names(plan.summary.entries) == fingerprints([bad])


def test_comments_on_lines_that_are_gone_are_hidden_after_a_whole_run(pull, bad, as_posted):
    pull.comments = as_posted(pull.plan([bad]), is_outdated=True)
    assert pull.plan([], NEXT_HEAD).minimize == ("N0",)
    assert pull.plan([], NEXT_HEAD).resolve == ()
    pull.can_resolve = True
    assert pull.plan([], NEXT_HEAD).resolve == ("T0",)


@pytest.mark.parametrize(
    ("became", "facts"),
    [
        ({"is_outdated": False}, {}),
        ({"has_replies": True}, {}),
        ({"is_ours": False}, {}),
        ({"is_minimized": True, "is_resolved": True}, {}),
        ({}, {"status": Status.PARTIAL}),
        ({}, {"status": Status.FAILED}),
        ({}, {"coverage": (Coverage("a.py", CoverageState.PARTIAL, "cut"),)}),
        ({}, {"coverage": reviewed("b.py"), "since": "b" * 40}),
    ],
)
def test_any_doubt_leaves_a_comment_as_it_is(pull, bad, as_posted, became, facts):
    pull.comments = as_posted(pull.plan([bad]), **({"is_outdated": True} | became))
    pull.can_resolve = True
    plan = pull.plan([], NEXT_HEAD, **facts)
    assert plan.minimize == plan.resolve == ()


def test_a_comment_whose_finding_is_still_there_is_not_hidden(pull, bad, as_posted):
    pull.comments = as_posted(pull.plan([bad]), is_outdated=True)
    assert pull.plan([bad], NEXT_HEAD).minimize == ()


def test_comments_that_wait_for_an_answer_are_counted(pull, bad, found, as_posted):
    waiting = as_posted(pull.plan([bad, found("a.py", 30, "worse call")]))
    pull.comments = (waiting[0], replace(waiting[1], has_replies=True))
    text = pull.plan([], NEXT_HEAD, coverage=reviewed("b.py"), since="b" * 40).summary.text
    assert "no findings in 1 file; 1 earlier comment still open." in text


def test_the_summary_counts_what_github_took(pull, bad, found):
    plan = pull.plan([bad, found("a.py", 30, "worse call")])
    assert "2 new comments on the code" in plan.summary.text
    plan = plan.demoted(frozenset(names(plan.inline)[:1]))
    assert "2 new comments on the code" in plan.summary.text
    plan = plan.demoted(frozenset(names(plan.file_level)))
    assert "1 new comment on the code · 1 finding below" in plan.summary.text


def test_an_incremental_run_keeps_what_it_did_not_read(pull, found):
    kept, settled = found("b.py", 50, "line 50"), found("a.py", 50, "line 50")
    first = pull.plan([settled, kept], max_comments=0)
    pull.summary = first.summary.text
    plan = pull.plan([], NEXT_HEAD, coverage=reviewed("a.py"), since="b" * 40)
    assert names(plan.summary.entries) == [fingerprints([settled, kept])[1]]
    assert "`b.py:50`" in plan.summary.text
    assert "1 finding below · 1 of them kept from an earlier review" in plan.summary.text
    assert pull.plan([], NEXT_HEAD).summary.entries == ()
    failed = pull.plan(
        [],
        NEXT_HEAD,
        status=Status.FAILED,
        coverage=(Coverage("a.py", CoverageState.SKIPPED, "no time"),),
    )
    assert len(failed.summary.entries) == 2


LATE = Coverage("b.py", CoverageState.PARTIAL, "out of time", reviewers=("rules",))
UNREAD = Coverage("b.py", CoverageState.SKIPPED, "out of time")
BOTH = replace(LATE, reviewers=("impact", "rules"))


@pytest.mark.parametrize(
    ("origin", "rows", "since", "is_kept"),
    [
        (Origin.MODEL, reviewed("a.py"), "b" * 40, True),
        (Origin.RULE, reviewed("a.py"), "b" * 40, False),
        (Origin.IMPACT, reviewed("a.py"), "b" * 40, False),
        (Origin.RULE, (LATE,), "", False),
        (Origin.RULE, (UNREAD,), "b" * 40, True),
        (Origin.MODEL, (BOTH,), "", True),
        (Origin.IMPACT, (BOTH,), "", False),
        (Origin.IMPACT, (replace(LATE, path="a.py"),), "b" * 40, True),
    ],
)
def test_what_the_checks_did_not_find_again_is_not_kept(pull, found, origin, rows, since, is_kept):
    one = replace(found("b.py", 50, "line 50"), origin=origin)
    pull.summary = pull.plan([one], max_comments=0).summary.text
    status = Status.PARTIAL if any(row.is_gap for row in rows) else Status.COMPLETE
    plan = pull.plan([], NEXT_HEAD, status=status, coverage=rows, since=since)
    assert len(plan.summary.entries) == is_kept


def test_what_is_kept_is_kept_word_for_word_through_many_runs(pull, found):
    first = pull.plan([found("b.py", 50, "line 50", message="a *b* `c`")], max_comments=0)
    texts = []
    pull.summary = first.summary.text
    for head in "cde":
        plan = pull.plan([], head * 40, coverage=reviewed("a.py"), since="b" * 40)
        pull.summary = plan.summary.text.replace("\n", "\r\n")
        texts.append([entry.text for entry in known_entries(pull.summary)])
    assert texts == [[first.summary.entries[0].block]] * 3


def test_nothing_found_is_one_line_or_silence(pull):
    text = pull.plan([]).summary.text
    shown = [line for line in text.splitlines() if line and not line.startswith("<!--")]
    assert len(shown) == 1
    assert shown[0].startswith("**dsreview:** no findings in 2 files.")
    assert pull.plan([], is_quiet=True).is_empty


def test_quiet_or_not_an_old_summary_is_brought_up_to_date(pull, bad):
    pull.summary = pull.plan([bad]).summary.text
    plan = pull.plan([], NEXT_HEAD, is_quiet=True)
    assert "no findings" in plan.summary.text


@pytest.mark.parametrize("status", [Status.PARTIAL, Status.FAILED])
def test_what_was_not_reviewed_is_said_even_where_quiet_is_wanted(pull, status):
    gap = (*reviewed("a.py"), Coverage("b.py", CoverageState.SKIPPED, "out of time"))
    text = pull.plan([], status=status, coverage=gap, is_quiet=True).summary.text
    assert "no findings" not in text
    assert "not everything was reviewed" in text.lower() or "the review failed" in text
    assert "| skipped | `b.py` | out of time |" in text


def test_the_next_run_reads_what_this_one_was(pull, bad):
    last = last_review(pull.plan([bad], status=Status.PARTIAL).summary.text)
    assert (last.head_sha, last.base_sha) == ("b" * 40, "a" * 40)
    assert (last.status, last.config_digest) == (Status.PARTIAL, "c0ffee")


def test_the_key_is_that_of_the_head_and_the_comments(pull, bad, found):
    other = found("a.py", 30, "worse call")
    assert pull.plan([bad]).key == pull.plan([replace(bad, message="other words")]).key
    keys = {pull.plan([bad]).key, pull.plan([other]).key, pull.plan([bad], NEXT_HEAD).key}
    assert len(keys) == 3


def test_secrets_are_in_nothing_that_is_posted(make_pull, found):
    token = "ghp_" + "a1B2c3D4e5F6" * 3
    text = NEW.replace("bad call", f"login('{token}')")
    pull = make_pull({"a.py": OLD}, {"a.py": text})
    edit = Suggestion(Edit(Span(10, 11), (f"login(token='{token}')",)), Proof.VERIFIED)
    one = found("a.py", 10, f"login('{token}')", message=f"{token} leaks", suggestion=edit)
    plan = pull.plan([one])
    assert plan.inline
    assert token.encode() not in msgspec.json.encode(plan)
    assert "```suggestion" not in plan.inline[0].body
    assert "ghp_****" in plan.inline[0].body


def test_no_line_of_a_key_is_shown_even_where_it_stands_alone(make_pull, found):
    lines = [letter * 30 + "7g+/" * 6 for letter in "ABC"]
    key = ["-----BEGIN RSA PRIVATE KEY-----", *lines, "-----END RSA PRIVATE KEY-----"]
    text = "".join(f"{line}\n" for line in ['KEY = """', *key, '"""', "call()"])
    pull = make_pull({"a.py": ""}, {"a.py": text})
    edit = Suggestion(Edit(Span(4, 5), (lines[1], "x")), Proof.VERIFIED)
    beside = Suggestion(Edit(Span(5, 6), ("x",)), Proof.VERIFIED)
    plan = pull.plan(
        [
            found("a.py", 4, lines[1], message=f"{lines[0]} leaks", suggestion=edit),
            found("a.py", 3, lines[0], last=7, suggestion=beside),
            found(
                "a.py",
                4,
                lines[1],
                last=5,
                suggestion=replace(beside, edit=Edit(Span(8, 8), ("y",))),
            ),
        ]
    )
    assert len(plan.inline) == 3
    written = msgspec.json.encode(plan).decode()
    assert not any(line in written for line in lines)
    assert "```suggestion" not in plan.inline[0].body


def test_a_plan_passes_from_one_program_to_another(pull, bad, found):
    plan = pull.plan([bad, found("other.py", 1, "x\udcff", message="\udcff\ud800")])
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plan), type=PostingPlan) == plan


NUM_PULLS = [20, pytest.param(1_000, marks=[pytest.mark.slow, pytest.mark.timeout(1_200)])]


@pytest.mark.parametrize("num_pulls", NUM_PULLS)
def test_no_finding_is_ever_lost(make_pull, found, as_posted, num_pulls):
    """Any findings, any refusals of GitHub, any history: each is told exactly once."""
    choices = random.Random(3)
    seen = Counter()
    for _ in range(num_pulls):
        pull = make_pull({"a.py": OLD}, {"a.py": NEW, "big.py": "x = 1\n" * 3})
        findings = random_findings(choices, found)
        pull.comments = tuple(
            replace(one, is_resolved=choices.random() < 0.5, is_ours=choices.random() < 0.7)
            for one in as_posted(pull.plan(findings[::3]))
            if choices.random() < 0.5
        )
        if choices.random() < 0.5:
            pull.summary = pull.plan(findings[1::3], max_comments=0).summary.text
        limit = choices.choice([0, 3, 20])
        plan = pull.plan(findings, NEXT_HEAD, max_comments=limit)
        wanted = Counter(fingerprints(findings))
        assert Counter(names(plan.annotations)) == wanted
        silent = silent_in(pull, findings)
        assert everywhere(plan) == wanted - silent
        while plan.inline or plan.file_level:
            assert len(plan.inline) + len(plan.file_level) <= limit
            comments = (*plan.inline, *plan.file_level)
            seen["on lines"] += len(plan.inline)
            refused = choices.sample(names(comments), choices.randrange(1, len(comments) + 1))
            plan = plan.demoted(frozenset(refused))
            assert everywhere(plan) == wanted - silent
        text = plan.summary.text
        assert len(text.encode()) <= MAX_BODY_BYTES
        listed = Counter(entry.fingerprint for entry in known_entries(text))
        assert listed.total() + plan.summary.num_left_out == (wanted - silent).total()
        assert not listed - wanted
        seen["silent"] += silent.total()
    print(dict(seen))
    assert seen["on lines"] > 5
    assert seen["silent"] > 10


SLOW_PIECES = ["x", "\0", "```\n", "a\n\n", "0123456789abcdef", "|"]


@pytest.mark.parametrize(
    "piece",
    ["@`", "\U000e0041", *(pytest.param(one, marks=pytest.mark.slow) for one in SLOW_PIECES)],
)
def test_nothing_is_larger_than_github_takes(make_pull, found, piece):
    line = (piece * 1_000).replace("\n", "")
    pull = make_pull({"a.py": ""}, {"a.py": f"{line}\n" * 90})
    edit = Suggestion(Edit(Span(1, 61), (line,) * 60), Proof.PARSE_NOT_VERIFIABLE)
    findings = [
        found(path, number, line, rule=piece * 500, message=piece * 9_000, scenario=piece * 9_000)
        for number in range(1, 4)
        for path in ("a.py", line)
    ]
    findings[0] = replace(findings[0], span=Span(1, 61), suggestion=edit)
    gap = Coverage(line, CoverageState.SKIPPED, piece * 900)
    report = Report(
        Status.PARTIAL,
        tuple(findings),
        (gap,) * 60,
        Stats(),
        refused=(Refusal(line, piece * 500, piece * 500, piece * 900),) * 60,
        notes=(piece * 900,) * 60,
    )
    plan = plan_posting(report, pull.code, pull.state, RunFacts("a" * 40, "b" * 40, "c0ffee"))
    assert plan.inline
    everything = plan.demoted(frozenset(names(plan.inline)))
    everything = everything.demoted(frozenset(names(everything.file_level)))
    bodies = [one.body for one in plan.inline] + [one.file_body for one in plan.inline]
    bodies += [plan.summary.text, everything.summary.text, plan.review_body]
    assert max(len(body.encode()) for body in bodies) <= MAX_BODY_BYTES
    assert len(known_entries(everything.summary.text)) == len(findings)
    assert len(plan.job_summary.encode()) < 1 << 20


def test_what_has_no_room_is_counted_and_annotated(pull, found):
    findings = [
        found("other.py", number + 1, f"x{number}", message="words " * 50, severity=severity)
        for number in range(300)
        for severity in (Severity.LOW, Severity.HIGH)
    ]
    plan = pull.plan(findings)
    text = plan.summary.text
    listed = known_entries(text)
    assert plan.summary.num_left_out == 600 - len(listed) > 0
    assert f"{600 - len(listed)} more findings in the log of the run." in text
    assert len(text.encode()) <= MAX_BODY_BYTES
    assert len(plan.annotations) == 600
    ranks = [entry.rank for entry in listed]
    assert ranks == sorted(ranks, reverse=True)


def test_the_same_head_is_told_nothing_more_also_where_the_summary_is_full(
    make_pull, found, as_posted
):
    text = "".join(f"call({number})\n" for number in range(400))
    pull = make_pull({"a.py": ""}, {"a.py": text})
    findings = [
        found("a.py", number + 1, f"call({number})", message="words " * 50) for number in range(400)
    ]
    first = pull.plan(findings)
    pull.comments, pull.summary = as_posted(first), first.summary.text.replace("\n", "\r\n")
    memory = last_review(pull.summary)
    assert memory.num_left_out == first.summary.num_left_out > 0
    assert "more finding" not in known_entries(pull.summary)[-1].text
    assert pull.plan(findings).is_empty
    told = {*names(first.inline), *(one.fingerprint for one in known_entries(pull.summary))}
    for plan in (
        pull.plan(findings, NEXT_HEAD),
        pull.plan(findings, status=Status.PARTIAL),
        replace(pull, summary=pull.summary.replace("config=c0ffee", "config=bad")).plan(findings),
    ):
        assert len(plan.inline) == 20
        assert told.isdisjoint(names(plan.inline))


FIXES = [
    Suggestion(Edit(Span(10, 11), lines), Proof.VERIFIED) for lines in ((), ("good call",), ("x",))
]


def random_findings(choices, found):
    findings = []
    for number in range(choices.choice([1, 4, 30, 150])):
        path = choices.choice(["a.py", "a.py", "big.py", "other.py"])
        line = choices.randrange(1, 61)
        code = NEW.splitlines()[line - 1] if path == "a.py" else "x = 1"
        findings.append(
            found(
                path,
                line,
                choices.choice([code, code, "gone"]),
                rule=f"rule-{number % 7}",
                severity=choices.choice(list(Severity)),
                suggestion=choices.choice([None, None, *FIXES]),
                message=choices.choice(["short", "long " * 400, "@all `a` " * 200]),
            )
        )
    return findings


def silent_in(pull, findings):
    """Those that a comment of ours is about, or whose very fix it has."""
    told = " ".join(one.body for one in pull.comments if one.is_ours)
    fresh = replace(pull, comments=(), summary=None).plan(findings, max_comments=len(findings))
    line_of = {one.fingerprint: one.line for one in fresh.inline}
    lines = [line_of.get(name) for name in fingerprints(findings)]
    held = standing(pull.comments)
    pairs = zip(
        names_by_place(findings, lines, held), fix_names(findings, lines, held), strict=True
    )
    return Counter(
        name for name, fix in pairs if f"name={name}" in told or (fix and f"fix={fix}" in told)
    )
