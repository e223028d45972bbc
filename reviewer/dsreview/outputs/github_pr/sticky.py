"""The text of the one comment that every run edits, as long as findings may still join it."""

from dataclasses import dataclass, replace

from dsreview.outputs.github_pr.marker import left_out_marker
from dsreview.report import count_of

MAX_BODY_BYTES = 65_000
"""GitHub refuses bodies of more than 65,536 characters; bytes are never fewer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding as the summary lists it."""

    fingerprint: str
    block: str
    """Markdown, in full."""
    line: str
    """One line of Markdown, for where `block` has no room."""
    rank: int = 0
    """Of its severity; the summary lists the highest first."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The sticky comment: `head`, where the findings are, those that no line carries, `foot`."""

    head: str
    entries: tuple[Entry, ...]
    foot: str
    num_comments: int = 0
    """Of this run, on lines and files."""
    clauses: tuple[str, ...] = ()
    """What became of all other findings."""

    @property
    def text(self) -> str:
        fitting = self._fitting()
        blocks = [self.head, *self._counted(), *([_HEADING] if fitting else []), *fitting]
        left_out = len(self.entries) - len(fitting)
        if left_out:
            note = f"{count_of(left_out, 'more finding')} in the log of the run."
            blocks.append(f"{left_out_marker(left_out)}\n{note}")
        return "\n\n".join((*blocks, self.foot))

    @property
    def num_left_out(self) -> int:
        """Findings that it has no room for; they are counted in it."""
        return len(self.entries) - len(self._fitting())

    def demoted(self, entries: tuple[Entry, ...]) -> "Summary":
        """With the findings of comments that could not be posted."""
        left = self.num_comments - len(entries)
        return replace(self, entries=(*self.entries, *entries), num_comments=max(0, left))

    def _counted(self) -> tuple[str, ...]:
        parts = list(self.clauses)
        if self.entries:
            parts.insert(0, f"{count_of(len(self.entries), 'finding')} below")
        if self.num_comments:
            parts.insert(0, f"{count_of(self.num_comments, 'new comment')} on the code")
        return (" · ".join(parts),) if parts else ()

    def _fitting(self) -> tuple[str, ...]:
        """In full, as far as all others still have room for one line each."""
        room = MAX_BODY_BYTES - sum(
            _size(part) for part in (self.head, *self._counted(), self.foot)
        )
        room -= _size(_HEADING) + _NOTE_BYTES
        lines_left = sum(_size(entry.line) for entry in self.entries)
        chosen: list[str] = []
        for entry in sorted(self.entries, key=lambda entry: -entry.rank):
            lines_left -= _size(entry.line)
            text = entry.block if _size(entry.block) + lines_left <= room else entry.line
            if _size(text) > room:
                break
            room -= _size(text)
            chosen.append(text)
        return tuple(chosen)


_HEADING = "#### Not on the lines"
_NOTE_BYTES = 120
"""More than the note on what is left out takes."""


def _size(text: str) -> int:
    """Bytes of one block with the blank line behind it."""
    return len(text.encode("utf-8", "surrogateescape")) + 2
