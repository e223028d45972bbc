"""The edit must be code as it will stand: no fences, marks, numbers or placeholders.

Some of these parse: a comment that stands for the rest of a function deletes it.
"""

import re
from typing import Final

from dsreview.constraints.base import Candidate, Constraint, NotVerifiable, Violation
from dsreview.languages.base import words
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "complete-code"
_FENCE: Final = re.compile(r"\s*(`{3,}|~~~)\s*[\w+#-]*\s*")
_TICKED: Final = re.compile(r"\s*`.+`\s*")
_PROSE: Final = re.compile(r"\s*[A-Z][a-z]+(?: [a-z']+)+[:.]\s*")
"""A shell takes any words for a command."""
_ANNOUNCES: Final = re.compile(
    r"\s*(?:here(?:'s| is| are)|(?:the )?(?:fixed|corrected|updated)|replace the lines?)\b"
    r"[\w' ]*[:.]",
    re.IGNORECASE,
)
_CONFLICT: Final = re.compile(r"(?:<{7}|>{7}) .*")
_ENTITY: Final = re.compile(r"&(lt|gt|amp|quot|#39);")
_GOES_ON: Final = re.compile(r".*(?:,|(?<![=!<>+*/-])[=]|\|\||&&)\s*")
_MAY_GO_ON: Final = re.compile(r".*[,(\[{=|&?:+\\]\s*")
_BARE: Final = re.compile(r"\s*(\w+)\s*;?\s*")
_STATEMENTS: Final = words(
    "pass break continue return raise throw else try finally do default yield debugger"
)
_NAMES_DO_NOTHING: Final = frozenset({"python", "javascript", "typescript", "tsx"})
"""Languages in which a line that is a name is none that gives a result, or calls something."""
_LISTED: Final = re.compile(r"\s*(\d+)\s*[|:]\s.*|\s*(\d+) [+\- ] .*|\s*(\d+)\t.*")
_DIFFED: Final = re.compile(r"[+-].*|@@ .*")
_PLACEHOLDER: Final = re.compile(
    r"\W*(\.\.\.|…)\W*|"
    r"\W*(\.\.\.|…)[\s\w']*\b(existing|rest|remaining|unchanged|same|previous|other|code)\b.*|"
    r"\s*(#|//|/\*|--|<!--)\s*\(?(the )?"
    r"(rest of|remaining|existing code|unchanged|same as (before|above)\W*$|previous code|"
    r"(your|other) code|code (here|goes|continues|unchanged|omitted)|omitted)\b.*",
    re.IGNORECASE,
)


def _complete_code(candidate: Candidate, _: Sandbox) -> Violation | NotVerifiable | None:
    start, new = candidate.edit.span.start, candidate.edit.lines
    known = set(candidate.replaced)
    for number, line in enumerate(new, start):
        wrong = "" if line in known else _what_is_wrong(line, candidate)
        if wrong:
            return Violation(_NAME, f"line {number} is {wrong}", Span(number, number + 1))
    if _breaks_off(candidate):
        last = candidate.edited_span.last
        return Violation(_NAME, f"line {last} breaks off", Span(last, last + 1))
    if _is_ticked(candidate):
        return Violation(_NAME, f"line {start} stands in backticks", candidate.edited_span)
    if _is_listing(candidate):
        message = f"line {start} has a diff mark or a line number in front of its code"
        return Violation(_NAME, message, candidate.edited_span)
    bare = _bare_name(candidate)
    if bare is not None:
        return NotVerifiable(_NAME, f"line {bare} is a name and nothing else")
    return None


def _what_is_wrong(line: str, candidate: Candidate) -> str:
    if _FENCE.fullmatch(line) and line in _ends(candidate):
        return "a fence, not code"
    if _CONFLICT.fullmatch(line):
        return "a conflict mark, not code"
    if _ANNOUNCES.fullmatch(line) and line in _ends(candidate):
        return "prose, not code"
    if candidate.file.language == "bash" and _PROSE.fullmatch(line):
        return "prose, not code"
    if _ENTITY.search(line) and not _ENTITY.search(candidate.file.text):
        return "written for HTML, not as code"
    if _PLACEHOLDER.fullmatch(line) and not _is_python_ellipsis(line, candidate):
        return "a placeholder, not code"
    return ""


def _ends(candidate: Candidate) -> tuple[str, ...]:
    """First and last line of what is written; between them, a heading may be underlined."""
    new = [line for line in candidate.edit.lines if line.strip()]
    return (new[0], new[-1]) if new else ()


def _bare_name(candidate: Candidate) -> int | None:
    """A written line that does nothing: the start of one that broke off."""
    if candidate.file.language not in _NAMES_DO_NOTHING:
        return None
    known = set(candidate.replaced)
    before = candidate.lines[: candidate.edit.span.start - 1]
    above = next((row for row in reversed(before) if row.strip()), "")
    for number, line in enumerate(candidate.edit.lines, candidate.edit.span.start):
        name = _BARE.fullmatch(line)
        does_something = not name or name[1] in _STATEMENTS or line in known
        goes_on = _MAY_GO_ON.fullmatch(above) and not above.rstrip().endswith(":")
        if not does_something and above.strip() and not goes_on:
            return number
        above = line if line.strip() else above
    return None


def _breaks_off(candidate: Candidate) -> bool:
    """Whether the last line wants to go on, in code where neither what it replaces nor the line
    before did, and nothing that belongs to it follows."""
    span, new = candidate.edit.span, [line for line in candidate.edit.lines if line.strip()]
    if not new or not _GOES_ON.fullmatch(new[-1]):
        return False
    before = [line for line in (*candidate.lines[: span.start - 1], *new[:-1]) if line.strip()]
    old = [line for line in candidate.replaced if line.strip()]
    if any(_MAY_GO_ON.fullmatch(line) for line in (*before[-1:], *old[-1:])):
        return False
    following = next((line for line in candidate.lines[span.stop - 1 :] if line.strip()), "")
    return len(following) - len(following.lstrip()) <= len(new[-1]) - len(new[-1].lstrip())


def _is_ticked(candidate: Candidate) -> bool:
    """Whether each line is quoted as in prose, where no replaced line is."""
    new = [line for line in candidate.edit.lines if line.strip()]
    is_new = not any(_TICKED.fullmatch(line) for line in candidate.replaced)
    return is_new and bool(new) and all(_TICKED.fullmatch(line) for line in new)


def _is_listing(candidate: Candidate) -> bool:
    """Whether every line came with what stands before it in a diff or a listing."""
    new = [line for line in candidate.edit.lines if line.strip()]
    old = [line for line in candidate.replaced if line.strip()]
    if not new or any(_DIFFED.match(line) or _LISTED.match(line) for line in old):
        return False
    if all(_DIFFED.match(line) for line in new):
        return True
    span = candidate.edit.span
    near = range(span.start - 1, span.stop + len(new) + 1)
    return all(
        (match := _LISTED.match(line)) is not None and int(match[1] or match[2] or match[3]) in near
        for line in new
    )


def _is_python_ellipsis(line: str, candidate: Candidate) -> bool:
    """`...` alone is a statement of Python, in stubs and protocols."""
    rows = [row.rstrip() for row in candidate.edit.lines]
    above = (*candidate.lines[: candidate.edit.span.start - 1], *rows[: rows.index(line.rstrip())])
    before = next((row.rstrip() for row in reversed(above) if row.strip()), "")
    return (
        candidate.file.language == "python"
        and line.strip() == "..."
        and before.endswith((":", '"""'))
        and any(old.strip().endswith("...") for old in candidate.lines)
    )


COMPLETE_CODE = Constraint(
    name=_NAME,
    requirement="it is complete code: no fences, no diff marks, no line numbers, and no "
    "placeholder for code that is left out",
    check=_complete_code,
)
