"""Cases of the impact checks: two small trees in one text file, and what is found."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsreview import languages
from dsreview.change import Change, ChangedFile
from dsreview.checks.base import CheckResult
from dsreview.checks.impact import find_impacts
from dsreview.patch import FilePatch, FileStatus, Hunk, Line, LineKind, Patch, Span, split_lines
from dsreview.sandbox import Sandbox

CASES = Path(__file__).parents[2] / "cases" / "impact"


@dataclass(frozen=True)
class Tree:
    """A snapshot that is a mapping from path to text."""

    files: Mapping[str, str]

    def paths(self) -> Sequence[str]:
        return tuple(sorted(self.files))

    def read(self, path: str) -> bytes | None:
        text = self.files.get(path)
        return None if text is None else text.encode()

    def identity(self, path: str) -> str | None:
        return None

    def size_bytes(self, path: str) -> int | None:
        content = self.read(path)
        return None if content is None else len(content)


@dataclass(frozen=True)
class Case:
    title: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    expected: tuple[str, ...]
    """Each `rule path:line | part of the message or scenario`; a gap is `path:line-`."""


def read_cases(path: Path) -> list[Case]:
    return [_read_case(text) for text in path.read_text().split("\n======\n")]


def _read_case(text: str) -> Case:
    title, *sections = ("\n" + text).split("\n--- ")
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    expected: tuple[str, ...] = ()
    for section in sections:
        heading, _, body = section.partition("\n")
        side, _, name = heading.partition(" ")
        if side == "expect":
            expected = tuple(line for line in body.split("\n") if line.strip())
            continue
        content = body.rstrip("\n") + "\n"
        if side in ("before", "both"):
            before[name] = content
        if side in ("after", "both"):
            after[name] = content
        assert side in ("before", "after", "both"), heading
    return Case(title.strip(), before, after, expected)


def change_of(before: Mapping[str, str], after: Mapping[str, str]) -> Change:
    patches = [
        _patch(path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]
    return Change(Patch(tuple(patches)), Tree(before), Tree(after), "before", "after")


def _patch(path: str, old: str | None, new: str | None) -> FilePatch:
    status = FileStatus.MODIFIED
    if old is None or new is None:
        status = FileStatus.ADDED if old is None else FileStatus.DELETED
    old_mode, new_mode = (0 if text is None else 0o100644 for text in (old, new))
    return FilePatch(path, path, status, old_mode, new_mode, (_hunk(old or "", new or ""),))


def _hunk(old: str, new: str) -> Hunk:
    """The whole file as one hunk."""
    before, after = split_lines(old), split_lines(new)
    lines: list[Line] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            lines += [
                Line(LineKind.CONTEXT, before[i], i + 1, j1 + i - i1 + 1) for i in range(i1, i2)
            ]
            continue
        lines += [Line(LineKind.REMOVED, before[i], i + 1, None) for i in range(i1, i2)]
        lines += [Line(LineKind.ADDED, after[j], None, j + 1) for j in range(j1, j2)]
    return Hunk(Span(1, len(before) + 1), Span(1, len(after) + 1), "", tuple(lines))


def changed_files(change: Change) -> tuple[ChangedFile, ...]:
    return tuple(
        ChangedFile(
            path=patch.path,
            language=languages.detect(patch.path).name,
            patch=patch,
            old_text=_text(change.base.read(patch.old_path)),
            text=_text(change.head.read(patch.path)),
        )
        for patch in change.patch.files
        if patch.status is not FileStatus.DELETED and languages.detect(patch.path)
    )


def _text(content: bytes | None) -> str | None:
    return None if content is None else content.decode()


def check(case: Case, sandbox: Sandbox) -> tuple[Change, CheckResult]:
    change = change_of(case.before, case.after)
    return change, find_impacts(change, changed_files(change), sandbox, None)


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as started:
        yield started


@pytest.fixture
def check_case(sandbox):
    return lambda case: check(case, sandbox)


def pytest_generate_tests(metafunc):
    if "impact_case" not in metafunc.fixturenames:
        return
    cases = [(path, case) for path in sorted(CASES.glob("*/*.txt")) for case in read_cases(path)]
    names = [f"{path.parent.name}/{path.stem}: {case.title}" for path, case in cases]
    metafunc.parametrize("impact_case", [case for _, case in cases], ids=names)


@pytest.fixture
def make_change():
    def make(before, after):
        change = change_of(before, after)
        return change, changed_files(change)

    return make
