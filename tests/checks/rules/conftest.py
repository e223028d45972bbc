import difflib

import pytest

from dsreview.change import ChangedFile
from dsreview.patch import FilePatch, FileStatus, Hunk, Line, LineKind, Span, split_lines
from dsreview.sandbox import Sandbox


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def changed_file():
    return make_changed_file


def make_changed_file(
    old: str | None, new: str, language: str = "python", path: str = "file.py"
) -> ChangedFile:
    """A file with one hunk per stretch that differs."""
    old_lines, new_lines = split_lines(old or ""), split_lines(new)
    matcher = difflib.SequenceMatcher(None, old_lines, new_lines, autojunk=False)
    hunks = []
    for tag, old_start, old_stop, new_start, new_stop in matcher.get_opcodes():
        if tag == "equal":
            continue
        removed = tuple(
            Line(LineKind.REMOVED, old_lines[i], i + 1, None) for i in range(old_start, old_stop)
        )
        added = tuple(
            Line(LineKind.ADDED, new_lines[i], None, i + 1) for i in range(new_start, new_stop)
        )
        spans = Span(old_start + 1, old_stop + 1), Span(new_start + 1, new_stop + 1)
        hunks.append(Hunk(*spans, "", removed + added))
    status = FileStatus.ADDED if old is None else FileStatus.MODIFIED
    old_mode = 0 if old is None else 0o100644
    patch = FilePatch(path, path, status, old_mode, 0o100644, tuple(hunks))
    return ChangedFile(path, language, patch, old, new)
