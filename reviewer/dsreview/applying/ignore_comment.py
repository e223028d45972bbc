"""The comment that answers a finding: where it goes, and that it changes no code.

It is written above the flagged line, or behind it where a line above would be part of a
string or a macro. What is proposed here is what `suppression` honours: it is asked.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from dsreview import languages
from dsreview.applying.anchoring import EditedText
from dsreview.applying.values import NotApplied
from dsreview.change import ChangedFile
from dsreview.errors import TaskFailed
from dsreview.finding import Edit, Finding
from dsreview.gathering import comment_finder
from dsreview.languages.same_code import SAME_CODE, SameCodeRequest
from dsreview.patch import FilePatch, FileStatus, Span, split_lines
from dsreview.sandbox import Sandbox
from dsreview.sanitize import terminal_line
from dsreview.suppression import suppress

MAX_REASON_CHARS = 300
_INDENTATION = re.compile(r"[ \t]*")
_RULE = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_OTHER_ANSWER = re.compile(r"dsreview:\s*ignore\[")
_REGULAR = 0o100644


def ignore_edit(
    finding: Finding, text: EditedText, language: str, reason: str, sandbox: Sandbox
) -> Edit:
    """The edit of the reviewed text that has `finding` ignored.

    Raises:
        NotApplied: no reason is given, or no comment can stand there.
    """
    words = plain_reason(reason)
    if not words:
        raise NotApplied("a reason is needed; nothing was written")
    if not _RULE.fullmatch(finding.rule):
        raise NotApplied(f"{finding.path}: no comment can name the rule {finding.rule!r}")
    if not language:
        raise NotApplied(f"{finding.path}: comments of this kind of file are not known")
    span = text.moved(finding.span)
    if span is None:
        raise NotApplied(f"{finding.path}: its lines were changed by what was applied before")
    mark = languages.by_name(language).line_comment
    comment = f"{mark} dsreview: ignore[{finding.rule}] {words}"
    moved = replace(finding, span=span)
    for edit in _candidates(moved, text.text, comment):
        if _is_honoured(moved, text.text, edit, language, sandbox):
            shift = span.start - finding.span.start
            own = Span(edit.span.start - shift, edit.span.stop - shift)
            if text.moved(own) == edit.span:
                return replace(edit, span=own)
    raise NotApplied(f"{finding.path}:{span.start}: no comment can stand there")


def plain_reason(text: str) -> str:
    """A reason as one line that stays inside its comment.

    >>> plain_reason("  checked by\\nthe caller \\\\ ")
    'checked by the caller'
    """
    line = terminal_line(" ".join(text.split()))[:MAX_REASON_CHARS]
    # in C a backslash at the end draws the next line in
    return line.lstrip(" :-").rstrip(" \\:-")


def _candidates(finding: Finding, text: str, comment: str) -> Iterator[Edit]:
    lines = split_lines(text)
    start = finding.span.start
    if not 1 <= start <= len(lines):
        return
    line = lines[start - 1].removesuffix("\r")
    found = _INDENTATION.match(line)
    indentation = found.group() if found else ""
    if line.startswith("#!"):  # which must stay as it is, and the first
        return
    if start == 1 or not _OTHER_ANSWER.search(lines[start - 2]):
        # else that one would no longer stand right above the line
        yield Edit(Span(start, start), (indentation + comment,))
    yield Edit(Span(start, start + 1), (f"{line}  {comment}",))


def _is_honoured(finding: Finding, text: str, edit: Edit, language: str, sandbox: Sandbox) -> bool:
    """The edit adds a comment and nothing else, and the comment answers the finding."""
    edited = EditedText(text).with_edit(edit).text
    before, after = (one.encode("utf-8", "surrogateescape") for one in (text, edited))
    try:
        reply = sandbox.call(SAME_CODE, SameCodeRequest(language, before, after))
    except TaskFailed:
        return False
    if not reply.is_same:
        return False
    shift = 1 if edit.span.num_lines == 0 else 0
    span = Span(finding.span.start + shift, finding.span.stop + shift)
    patch = FilePatch(finding.path, finding.path, FileStatus.MODIFIED, _REGULAR, _REGULAR)
    file = ChangedFile(finding.path, language, patch, text, edited)
    is_comment = comment_finder([file], sandbox)
    kept, _, _ = suppress([replace(finding, span=span)], {finding.path: edited}, is_comment)
    return not kept
