"""Rewritten files as a patch that `git apply` takes, byte for byte."""

from collections.abc import Iterator

from dsreview.applying.values import Rewrite
from dsreview.line_diff import diff_hunks
from dsreview.patch import Hunk, Line, Span

_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_NO_NEWLINE = "\\ No newline at end of file\n"


def git_patch(rewrite: Rewrite) -> bytes:
    """The patch of one file; empty where nothing changes."""
    before, after = (
        text.decode("utf-8", "surrogateescape") for text in (rewrite.before, rewrite.after)
    )
    hunks = diff_hunks(before, after)
    if not hunks:
        return b""
    old, new = f"a/{rewrite.path}", f"b/{rewrite.path}"
    text = "".join(
        (
            f"diff --git {_quoted(old)} {_quoted(new)}\n",
            f"--- {_quoted(old)}{_end_of_name(old)}\n",
            f"+++ {_quoted(new)}{_end_of_name(new)}\n",
            *(part for hunk in hunks for part in _hunk(hunk)),
        )
    )
    return text.encode("utf-8", "surrogateescape")


def _hunk(hunk: Hunk) -> Iterator[str]:
    yield f"@@ -{_range(hunk.old)} +{_range(hunk.new)} @@\n"
    yield from map(_line, hunk.lines)


def _line(line: Line) -> str:
    end = "\n" if line.has_newline else f"\n{_NO_NEWLINE}"
    return f"{line.kind.value}{line.text}{end}"


def _range(span: Span) -> str:
    """As diffs count: an empty range is named by the line before it."""
    start = span.start if span.num_lines else span.start - 1
    return f"{start},{span.num_lines}"


def _quoted(name: str) -> str:
    """A name as git writes it: in C quotes where a byte of it would not read back."""
    raw = name.encode("utf-8", "surrogateescape")
    if all(32 <= byte < 127 and byte not in _ESCAPES for byte in raw):
        return name
    return '"' + "".join(map(_quoted_byte, raw)) + '"'


def _quoted_byte(byte: int) -> str:
    if byte in _ESCAPES:
        return f"\\{_ESCAPES[byte]}"
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def _end_of_name(name: str) -> str:
    """Behind a name with a space stands a tab, or what follows would count as a date."""
    return "\t" if " " in name and _quoted(name) == name else ""
