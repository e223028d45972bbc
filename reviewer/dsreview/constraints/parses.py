"""The edited file must have no syntax error that it did not have before.

tree-sitter always returns a tree and marks what it could not read with ERROR and
MISSING nodes, so "it parses" means: not more such nodes than before, in the file and
in the function around the edit. Python is compiled as well, which refuses what the
grammar lets through. Where that function was not understood before, nothing is proved.
"""

import re
from typing import Final

from dsreview import languages
from dsreview.constraints.base import Candidate, Constraint, NotVerifiable, Violation
from dsreview.errors import TaskFailed
from dsreview.languages.tasks import SYNTAX, SyntaxReply, SyntaxRequest
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

_NAME: Final = "parses"
_PREPROCESSED: Final = frozenset({"c", "cpp", "c_sharp"})
_BEGINS: Final = re.compile(r"^[ \t]*#[ \t]*if", re.MULTILINE)
_ENDS: Final = re.compile(r"^[ \t]*#[ \t]*endif", re.MULTILINE)
"""What stands between may be left out by a compiler: no parser is sure of the brackets."""
_OUTSIDE_CODE: Final = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL
)
_BRACKETS: Final = ("()", "[]", "{}")


def _parses(candidate: Candidate, sandbox: Sandbox) -> Violation | NotVerifiable | None:
    language = candidate.file.language
    if not language:
        return NotVerifiable(_NAME, "no parser for this file")
    request = SyntaxRequest(
        language=language,
        before=candidate.file.source,
        after=candidate.edited_text.encode("utf-8", "surrogateescape"),
        before_span=candidate.edit.span,
        after_span=candidate.edited_span,
    )
    try:
        reply = sandbox.call(SYNTAX, request)
    except TaskFailed as failure:
        return NotVerifiable(_NAME, str(failure))
    return _judge(reply, candidate)


def _judge(reply: SyntaxReply, candidate: Candidate) -> Violation | NotVerifiable | None:
    before, after = reply.before, reply.after
    title = languages.by_name(candidate.file.language).title
    has_more = after.num_errors > before.num_errors
    if has_more or (after.num_in_scope > before.num_in_scope and not before.num_in_scope):
        line = after.first_in_scope or after.first_line or candidate.edited_span.start
        message = f"after the edit, line {line} is not valid {title}"
        return Violation(_NAME, message, Span(line, line + 1))
    if reply.refused_after is not None and reply.refused_before is None:
        message = f"after the edit, {reply.refused_after}"
        return Violation(_NAME, message, candidate.edited_span)
    if candidate.file.language in _PREPROCESSED and not _is_balanced(candidate):
        return NotVerifiable(_NAME, "its brackets are others, and a preprocessor chooses lines")
    if reply.refused_after is not None or (before.num_in_scope and after.num_in_scope):
        return NotVerifiable(_NAME, "the code around it had a syntax error before")
    return None


def _is_balanced(candidate: Candidate) -> bool:
    """Whether what is written opens and closes as much as what it replaces."""
    if not _BEGINS.search(candidate.file.text):
        return True
    old, new = (
        _OUTSIDE_CODE.sub("", "\n".join(lines))
        for lines in (candidate.replaced, candidate.edit.lines)
    )
    if _depth(old) != _depth(new):
        return False
    return all(old.count(a) - old.count(b) == new.count(a) - new.count(b) for a, b in _BRACKETS)


def _depth(text: str) -> int:
    """How many conditions of the preprocessor it leaves open."""
    return len(_BEGINS.findall(text)) - len(_ENDS.findall(text))


PARSES = Constraint(
    name=_NAME,
    requirement="the whole file stays valid source code",
    check=_parses,
)
