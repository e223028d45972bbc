"""What a model answered, as findings and edits: the only parser of answers.

A model that is held to the schema answers exact JSON. Others wrap it in prose, fences
or thinking, or break off. Whatever comes, the result is what was found, together with
what was lost, or an `AnswerError`; an answer that cannot be read is never "no findings".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final

import msgspec

from dsreview.errors import BackendError
from dsreview.finding import Edit, Severity
from dsreview.lenient_json import Json, Value, find_values
from dsreview.patch import Span

MAX_ANSWER_CHARS: Final = 200_000
_MAX_FINDINGS: Final = 50
_MAX_QUOTE: Final = 2_000
_MAX_PROSE: Final = 1_500
_MAX_LINES: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_FENCE: Final = re.compile(r"^\s*(`{3,}|~{3,})[\w-]*\s*$", re.MULTILINE)
_MAX_PROSE_AROUND_NOTHING: Final = 300
"""An empty list is believed only where little else was said: no echo of the code."""


class AnswerError(BackendError):
    """An answer of which nothing can be used; the message is a reason for people."""


@dataclass(frozen=True, slots=True)
class AnsweredFinding:
    """A finding as the model gave it: its place not yet looked up."""

    rule: str
    severity: Severity
    line: int
    quote: str
    message: str
    scenario: str
    confidence: float
    edit: Edit | None
    edit_problem: str = ""
    """Why there is no edit although one was given."""
    index: int | None = field(default=None, compare=False)
    """Its place in the answer's list; None where the answer holds several lists."""


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    findings: tuple[AnsweredFinding, ...]
    problems: tuple[str, ...] = ()
    """What was there and could not be used: such a context was not read to its end."""


@dataclass(frozen=True, slots=True)
class _Suggestion:
    start_line: Annotated[int, msgspec.Meta(ge=1, le=9_999_999)]
    end_line: Annotated[int, msgspec.Meta(ge=0, le=9_999_999)]
    replacement: list[str] | str


@dataclass(frozen=True, slots=True)
class _Finding:
    rule: Annotated[str, msgspec.Meta(min_length=1)]
    severity: str
    line: Annotated[int, msgspec.Meta(ge=1, le=9_999_999)]
    quote: Annotated[str, msgspec.Meta(min_length=1)]
    message: Annotated[str, msgspec.Meta(min_length=1)]
    scenario: Annotated[str, msgspec.Meta(min_length=1)]
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]
    suggestion: object = None


def parse_review(text: str) -> ReviewAnswer:
    """The findings of an answer to the prompt `review`.

    Raises:
        AnswerError: nothing in it can be read as findings.
    """
    answer = _without_thinking(_checked(text))
    values = _values(answer)
    if _FENCE.sub("", answer).strip() == "[]":
        return ReviewAnswer(())
    reviews = [review for review in map(_review_of, values) if review is not None]
    if not reviews:
        raise AnswerError(_what_it_is(answer, values))
    if len(reviews) > 1:
        reviews = [_without_places(review) for review in reviews]
    findings = tuple(dict.fromkeys(f for review in reviews for f in review.findings))
    problems = tuple(dict.fromkeys(p for review in reviews for p in review.problems))
    if not findings and problems:
        raise AnswerError(problems[0])
    if not findings and _num_chars_around(answer, values) > _MAX_PROSE_AROUND_NOTHING:
        raise AnswerError("an empty list of findings among other text")
    return ReviewAnswer(findings[:_MAX_FINDINGS], problems)


def parse_repair(text: str) -> Edit | None:
    """The edit of an answer to the prompt `repair`; None where the model gave up.

    Raises:
        AnswerError: no edit can be read in it.
    """
    answer = _without_thinking(_checked(text))
    values = _values(answer)
    for value in values:
        if value.is_cut or not isinstance(value.value, dict):
            continue
        given = value.value
        if "suggestion" in given:
            return None if given["suggestion"] is None else _edit_of(given["suggestion"])
        if "replacement" in given:
            return _edit_of(given)
    raise AnswerError(_what_it_is(answer, values))


def _checked(text: str) -> str:
    if len(text) > MAX_ANSWER_CHARS:
        raise AnswerError(f"the answer has more than {MAX_ANSWER_CHARS:,} characters")
    if not text.strip():
        raise AnswerError("the answer is empty")
    return text


def _without_thinking(text: str) -> str:
    """What follows the model's thinking, in whatever way that is marked."""
    if _exact_json(text) is not None:
        return text
    opened, closed = text.find("<think>"), text.find("</think>")
    if opened < 0 and closed < 0:
        return text
    if closed < 0:
        before = text[:opened].strip()
        if before:
            return before
        raise AnswerError("the answer never ends thinking")
    tail = text[closed + len("</think>") :]
    # Code that is quoted in the answer may itself hold the tag.
    if _exact_json(tail) is None and not find_values(tail[: tail.rfind("</think>") + 1]):
        tail = tail.rpartition("</think>")[2]
    if not tail.strip():
        raise AnswerError("the answer ends with its thinking")
    return tail


def _exact_json(text: str) -> Json:
    try:
        value: Json = msgspec.json.decode(text.strip().encode("utf-8", "surrogatepass"))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return value


def _values(text: str) -> list[Value]:
    exact = _exact_json(text)
    if isinstance(exact, dict | list):
        return [Value(exact, 0, len(text), is_cut=False)]
    return find_values(text)


def _review_of(value: Value) -> ReviewAnswer | None:
    """None where `value` is something else than findings."""
    given = value.value
    cut = ("the answer breaks off",) if value.is_cut else ()
    if isinstance(given, dict) and isinstance(given.get("findings"), list):
        members = given["findings"]
    elif isinstance(given, dict) and "rule" in given and "quote" in given and not value.is_cut:
        members = [given]
    elif isinstance(given, list) and given and all(map(_looks_like_finding, given)):
        members = given
    else:
        return None
    assert isinstance(members, list)
    return _read_findings(members, cut)


def _without_places(review: ReviewAnswer) -> ReviewAnswer:
    return replace(review, findings=tuple(replace(one, index=None) for one in review.findings))


def _looks_like_finding(member: Json) -> bool:
    return isinstance(member, dict) and "rule" in member


def _read_findings(members: Sequence[Json], problems: tuple[str, ...]) -> ReviewAnswer:
    findings: list[AnsweredFinding] = []
    lost = list(problems)
    for index, member in enumerate(members):
        try:
            findings.append(replace(_finding_of(member), index=index))
        except (AnswerError, msgspec.ValidationError) as error:
            lost.append(f"findings[{index}]: {error}")
    return ReviewAnswer(tuple(findings), tuple(lost))


def _finding_of(member: Json) -> AnsweredFinding:
    given = msgspec.convert(member, _Finding, strict=False)
    label = given.severity.strip().upper()
    if label not in Severity.__members__:
        raise AnswerError(f"severity {given.severity[:40]!r}; use low, medium, high or critical")
    rule = _kebab(given.rule)
    if not (rule and given.quote.strip() and given.message.strip() and given.scenario.strip()):
        raise AnswerError("rule, quote, message and scenario must not be blank")
    edit, problem = _optional_edit(given.suggestion)
    return AnsweredFinding(
        rule=rule,
        severity=Severity[label],
        line=given.line,
        quote=given.quote[:_MAX_QUOTE],
        message=_prose(given.message),
        scenario=_prose(given.scenario),
        confidence=given.confidence,
        edit=edit,
        edit_problem=problem,
    )


def _optional_edit(suggestion: object) -> tuple[Edit | None, str]:
    if suggestion is None:
        return None, ""
    try:
        return _edit_of(suggestion), ""
    except AnswerError as error:
        return None, str(error)


def _edit_of(suggestion: object) -> Edit:
    try:
        given = msgspec.convert(suggestion, _Suggestion, strict=False)
    except msgspec.ValidationError as error:
        raise AnswerError(f"the suggestion cannot be read: {error}") from None
    if given.end_line < given.start_line - 1:
        raise AnswerError(f"the suggestion names lines {given.start_line} to {given.end_line}")
    rows = [given.replacement] if isinstance(given.replacement, str) else given.replacement
    # A row that holds line ends is several lines; an empty row is an empty line.
    lines = [line.removesuffix("\r") for row in rows for line in _rows(row)]
    if isinstance(given.replacement, str) and not given.replacement:
        lines = []
    if len(lines) > _MAX_LINES:
        raise AnswerError(f"the suggestion has {len(lines)} lines; use at most {_MAX_LINES}")
    return Edit(Span(given.start_line, given.end_line + 1), tuple(lines))


def _rows(row: str) -> list[str]:
    return row.removesuffix("\n").split("\n")


def _kebab(name: str) -> str:
    """`name` as a rule's name: lower case, words joined by "-", at most 40 characters."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-")


def _prose(text: str) -> str:
    clean = _CONTROL.sub("", text).strip()
    return clean if len(clean) <= _MAX_PROSE else clean[: _MAX_PROSE - 1] + "…"


def _num_chars_around(text: str, values: Sequence[Value]) -> int:
    inside = sum(value.stop - value.start for value in values)
    return len(_FENCE.sub("", text).strip()) - inside


def _what_it_is(text: str, values: Sequence[Value]) -> str:
    """Why an answer holds no findings, as a reason for the report."""
    keys = {key for value in values if isinstance(value.value, dict) for key in value.value}
    if {"properties", "type"} <= keys:
        return "the answer repeats the schema"
    if any(value.is_cut for value in values):
        return "the answer breaks off before the first finding ends"
    if re.search(r"^(@@ |[+-]{3} |diff --git )", text, re.MULTILINE):
        return "the answer repeats the change"
    if re.search(r"^\s*-?\s*(findings|suggestion|rule)\s*:", text, re.MULTILINE):
        return "the answer is not JSON but looks like YAML"
    return "the answer holds no JSON that fits the schema"
