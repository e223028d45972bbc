"""Suggestions of one review that are applied one after the other."""

import pytest

from dsreview.applying.session import Session, verified
from dsreview.applying.values import NotApplied, Target
from dsreview.finding import Edit, Finding, Origin, Proof, Severity, Suggestion
from dsreview.patch import Span
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.repository import find_repository
from dsreview.sources.snapshots import MemorySnapshot

CODE = b"if x:\n    a()\n    b()\nc()\n"


def finding(start, stop, *lines, proof=Proof.VERIFIED, path="a.py", rule="some-rule"):
    return Finding(
        rule=rule,
        severity=Severity.HIGH,
        path=path,
        span=Span(start, stop),
        quote="",
        message="m",
        scenario="",
        confidence=1,
        origin=Origin.RULE,
        suggestion=Suggestion(Edit(Span(start, stop), lines), proof),
    )


@pytest.fixture
def session():
    with Session(MemorySnapshot({"a.py": CODE})) as opened:
        yield opened


def test_what_goes_together_becomes_one_rewrite(session):
    plan = session.plan([finding(2, 3, "    aa()", "    aaa()"), finding(4, 5, "cc()")])
    assert plan.refused == ()
    assert plan.rewrite.before == CODE
    assert plan.rewrite.after == b"if x:\n    aa()\n    aaa()\n    b()\ncc()\n"
    assert plan.rewrite.summary == "some-rule at line 2, some-rule at line 4"


def test_of_two_on_the_same_line_the_first_is_taken(session):
    first, second = finding(2, 3, "    aa()"), finding(2, 4, "    z()")
    plan = session.plan([first, second])
    assert plan.chosen == (first,)
    assert plan.refused == ("a.py:2: its lines were changed by a suggestion applied before",)


def test_two_that_hold_alone_but_not_together_are_not_applied_together(session):
    first, second = finding(2, 3), finding(3, 4)
    plan = session.plan([first, second])
    assert plan.chosen == (first,)
    assert plan.refused[0].startswith("a.py:2: beside what was applied before, after the edit, ")
    assert session.plan([second]).chosen == (second,)


@pytest.mark.parametrize("proof", [Proof.NONE, Proof.PARSE_NOT_VERIFIABLE])
def test_only_what_is_verified_is_applied(session, proof):
    unsure = finding(2, 3, "    aa()", proof=proof)
    assert session.plan([unsure]).refused == ("a.py:2: has no verified suggestion",)
    assert verified([unsure]) == {}


def test_suggestions_are_taken_by_file_in_the_order_of_their_lines():
    one, two, three = finding(9, 10), finding(2, 3), finding(1, 2, path="b.py")
    assert verified([one, two, three]) == {"a.py": [two, one], "b.py": [three]}


def test_a_file_that_is_not_known_is_refused(session):
    with pytest.raises(NotApplied, match="its content is not known"):
        session.plan([finding(1, 2, path="gone.py")])


def test_without_a_room_nothing_is_written(session):
    with pytest.raises(NotApplied, match="only told, not written"):
        session.apply(session.plan([finding(2, 3, "    aa()")]))


def test_later_findings_move_with_what_was_applied(play):
    """And those whose lines are gone are said to be."""
    play.rewriting(CODE, CODE, path="a.py")
    head = MemorySnapshot({"a.py": CODE})
    room = CleanRoom(find_repository(play.folder))
    with room, Session(head, Target.INDEX_AND_WORKTREE, room) as session:
        session.apply(session.plan([finding(2, 3, "    aa()", "    aaa()")]))
        later = session.moved(finding(4, 5, "cc()"))
        assert later is not None
        assert later.suggestion is not None
        assert (later.span, later.suggestion.edit.span) == (Span(5, 6), Span(5, 6))
        assert session.moved(finding(2, 4)) is None
        session.apply(session.plan([finding(4, 5, "cc()")]))
        expected = b"if x:\n    aa()\n    aaa()\n    b()\ncc()\n"
        assert session.snapshot.read("a.py") == expected
    assert (play.folder / "a.py").read_bytes() == play.staged_content("a.py") == expected


def test_after_a_refusal_the_session_goes_on_from_what_is_there(play):
    play.rewriting(CODE, CODE, path="a.py")
    head = MemorySnapshot({"a.py": CODE})
    room = CleanRoom(find_repository(play.folder))
    lock = play.folder / ".git/index.lock"
    with room, Session(head, Target.INDEX_AND_WORKTREE, room) as session:
        lock.write_bytes(b"")
        with pytest.raises(NotApplied, match="locked"):
            session.apply(session.plan([finding(2, 3, "    aa()")]))
        lock.unlink()
        session.apply(session.plan([finding(4, 5, "cc()")]))
    assert (play.folder / "a.py").read_bytes() == CODE.replace(b"c()", b"cc()")


def test_a_rule_of_any_characters_is_noted_as_it_is_shown(play):
    play.rewriting(CODE, CODE, path="a.py")
    room = CleanRoom(find_repository(play.folder))
    with room, Session(MemorySnapshot({"a.py": CODE}), Target.WORKTREE, room) as session:
        session.apply(session.plan([finding(4, 5, "cc()", rule="\x1b[2J\ud800")]))
    (result,) = play.undo()
    assert result.message == "a.py: taken back: \\x1b[2J\\u{d800} at line 4"
