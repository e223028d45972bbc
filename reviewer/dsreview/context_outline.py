"""Lines of the same file that are shown beside an excerpt, as far as they fit."""

import re
from collections.abc import Iterator

from dsreview.change import ChangedFile
from dsreview.context_fit import Budget, Excerpt
from dsreview.context_rows import Rows, render_row
from dsreview.errors import TaskFailed
from dsreview.languages.outline import Outline, Region
from dsreview.languages.tasks import OUTLINE, OutlineRequest
from dsreview.patch import Span
from dsreview.sandbox import Sandbox

MAX_SPAN_LINES = 8
"""Of one import or signature."""


def find_outlines(
    file: ChangedFile, rows: Rows, excerpts: list[Excerpt], budget: Budget, sandbox: Sandbox
) -> list[str]:
    """One text per excerpt; "" where nothing helps, fits or could be parsed."""
    source = file.source
    regions = tuple(_region(excerpt, rows) for excerpt in excerpts)
    try:
        reply = sandbox.call(OUTLINE, OutlineRequest(file.language, source, regions))
    except TaskFailed:
        return [""] * len(excerpts)
    return [
        _fitting_text(outline, excerpt, rows, budget)
        for outline, excerpt in zip(reply.outlines, excerpts, strict=True)
    ]


def _region(excerpt: Excerpt, rows: Rows) -> Region:
    changed: set[int] = set()
    removed_words: set[str] = set()
    for index in excerpt.piece.changed:
        place = rows.place(index)
        changed.add(place.start)
        if place.num_lines == 0:
            changed.add(max(place.start - 1, 1))
            removed_words.update(re.findall(r"\w+", rows[index].text))
    return Region(excerpt.shown, tuple(sorted(changed)), tuple(sorted(removed_words)))


def _fitting_text(outline: Outline, excerpt: Excerpt, rows: Rows, budget: Budget) -> str:
    """Without fields, then without imports, then of signatures only, where it is too long."""
    groups = [outline.called, outline.types, outline.imports, outline.fields]
    while groups:
        spans = [span for group in groups for span in group]
        text = "\n".join(_lines(spans, excerpt, rows))
        if budget.count_tokens(f"{text}\n{excerpt.code}") <= budget.max_tokens:
            return text
        groups.pop()
    return ""


def _lines(spans: list[Span], excerpt: Excerpt, rows: Rows) -> Iterator[str]:
    """In source order, each once, without what the excerpt shows."""
    wanted = {
        line
        for span in spans
        for line in range(span.start, min(span.stop, span.start + MAX_SPAN_LINES))
        if line in rows.of_line and not any(line in shown for shown in excerpt.shown)
    }
    for line in sorted(wanted):
        yield render_row(rows[rows.of_line[line]])
