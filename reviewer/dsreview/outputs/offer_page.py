"""What a person sees who is asked about findings one by one."""

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from rich.console import Console
from rich.text import Text

from dsreview.finding import Finding
from dsreview.outputs.base import CodeView
from dsreview.outputs.terminal_page import (
    coverage_lines,
    finding_lines,
    heading_line,
    place_of,
    printed,
    wrapped,
)
from dsreview.report import Report, count_of
from dsreview.sanitize import terminal_line

_NARROW = 54
"""Columns below which the prompt shows letters alone."""


class Choice(Enum):
    """What can be done about a finding: its key, and the word that shows it."""

    APPLY = "apply"
    SKIP = "skip"
    IGNORE = "ignore"
    EDIT = "edit"
    QUIT = "quit"
    HELP = "?"

    @property
    def key(self) -> str:
        return self.value[0]


_HELP = {
    Choice.APPLY: "write the suggestion; `dsreview undo` takes it back",
    Choice.SKIP: "leave it as it is and go on",
    Choice.IGNORE: "write a comment above the line that says why this is no fault",
    Choice.EDIT: "open the file at the line in $VISUAL or $EDITOR, then ask again",
    Choice.QUIT: "leave the rest; what was applied stays (as Ctrl-D and Ctrl-C do)",
}


_UNDO = "dsreview undo takes back the last change, dsreview undo --all every one of them"


def opening(report: Report, code: CodeView, notes: Iterable[str]) -> str:
    """The change, and what must be known before the first question."""

    def lines(console: Console) -> Iterator[Text]:
        yield heading_line(report)
        for note in notes:
            yield from wrapped(Text(terminal_line(note), "yellow"), console, code.width)

    return printed(code, lines)


def question(finding: Finding, number: int, num_all: int, code: CodeView) -> str:
    """One finding under a rule that says how many there are."""

    def lines(console: Console) -> Iterator[Text]:
        label = f"─ {number} of {num_all} "
        yield Text()
        yield Text(label + "─" * max(0, min(code.width, 100) - len(label)), "dim")
        yield from finding_lines(finding, code, console)
        yield Text()

    return printed(code, lines)


def prompt(choices: Sequence[Choice], code: CodeView) -> str:
    """The one line that asks, without a line end."""
    line = Text("  ")
    for choice in choices:
        if code.width < _NARROW:
            line.append(choice.key, "bold cyan")
            line.append(" ")
            continue
        line.append("[", "dim")
        line.append(choice.key, "bold cyan")
        line.append("]", "dim")
        line.append(f"{choice.value[1:]}  ")
    line.append("> ", "bold")
    # nothing behind the last character: the cursor waits there
    return printed(code, lambda _console: [line]).rstrip("\n") + " "


def help_page(choices: Sequence[Choice], code: CodeView) -> str:
    def lines(console: Console) -> Iterator[Text]:
        for choice in choices:
            if choice in _HELP:
                key = Text(f"  {choice.key}  ", "bold cyan")
                yield from _hanging(key, Text(_HELP[choice]), console, code.width)

    return printed(code, lines)


def remark(text: str, code: CodeView, *, is_good: bool) -> str:
    """What became of an answer, on one line."""
    mark, style = ("✓", "green") if is_good else ("✗", "yellow")
    head, body = Text(f"  {mark} ", style), Text(terminal_line(text))
    return printed(code, lambda console: _hanging(head, body, console, code.width))


def passed_over(finding: Finding, code: CodeView) -> str:
    """A finding that is not asked about any more."""
    words = "its lines were changed by what was applied before; review again to see it"
    return remark(f"{place_of(finding)} {finding.rule}: {words}", code, is_good=False)


def ask_reason(code: CodeView) -> str:
    line = Text.assemble("  ", ("why is this no fault? ", "bold"))
    if code.width >= _NARROW:
        line.append("(empty: do nothing) ", "dim")
    line.append("> ", "bold")
    return printed(code, lambda _console: [line]).rstrip("\n") + " "


def closing(counts: Sequence[tuple[int, str]], report: Report, code: CodeView) -> str:
    """What was done, what is left, and how far the review itself saw."""
    words = ", ".join(f"{num} {what}" for num, what in counts if num) or "nothing done"

    def lines(console: Console) -> Iterator[Text]:
        yield Text()
        yield from coverage_lines(report, code, console)
        yield Text()
        left = count_of(len(report.findings), "finding")
        style = "bold yellow" if report.findings or report.gaps else "bold green"
        yield Text(f"{words}; {left} left", style)
        if counts[0][0] or counts[1][0]:
            yield from wrapped(Text(_UNDO, "dim"), console, code.width)

    return printed(code, lines)


def _hanging(head: Text, body: Text, console: Console, width: int) -> Iterator[Text]:
    """A paragraph whose first line starts with `head`, the others as far in."""
    indent = head.cell_len
    for number, line in enumerate(wrapped(body, console, width - indent)):
        yield Text() + (head if number == 0 else Text(" " * indent)) + line
