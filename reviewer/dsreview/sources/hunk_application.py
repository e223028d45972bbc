"""Hunks on content, exactly where they say; no search for a better place."""

from collections.abc import Sequence
from dataclasses import replace

from dsreview.patch import FilePatch, FileStatus, Hunk, Line, LineKind

_REVERSED_KIND = {
    LineKind.ADDED: LineKind.REMOVED,
    LineKind.REMOVED: LineKind.ADDED,
    LineKind.CONTEXT: LineKind.CONTEXT,
}
_REVERSED_STATUS = {
    FileStatus.ADDED: FileStatus.DELETED,
    FileStatus.DELETED: FileStatus.ADDED,
    FileStatus.COPIED: FileStatus.DELETED,
}


def apply_hunks(content: bytes, hunks: Sequence[Hunk]) -> bytes | None:
    """The content after the hunks; None where a line of theirs is not there."""
    lines = _split(content)
    done: list[bytes] = []
    at = 0
    for hunk in hunks:
        start = hunk.old.start - 1
        if start < at or hunk.old.stop - 1 > len(lines):
            return None
        done += lines[at:start]
        at = start
        for line in hunk.lines:
            raw = _raw(line)
            if line.kind is not LineKind.ADDED:
                if at >= len(lines) or lines[at] != raw:
                    return None
                at += 1
            if line.kind is not LineKind.REMOVED:
                done.append(raw)
    return b"".join(done + lines[at:])


def _split(content: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in content.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _raw(line: Line) -> bytes:
    return line.text.encode("utf-8", "surrogateescape") + (b"\n" if line.has_newline else b"")


def reverse(file: FilePatch) -> FilePatch:
    """The patch that takes this one back."""
    return replace(
        file,
        path=file.old_path,
        old_path=file.path,
        status=_REVERSED_STATUS.get(file.status, file.status),
        old_mode=file.new_mode,
        new_mode=file.old_mode,
        hunks=tuple(_reverse_hunk(hunk) for hunk in file.hunks),
    )


def _reverse_hunk(hunk: Hunk) -> Hunk:
    lines = tuple(
        Line(
            _REVERSED_KIND[line.kind], line.text, line.new_number, line.old_number, line.has_newline
        )
        for line in hunk.lines
    )
    return Hunk(hunk.new, hunk.old, hunk.heading, lines)
