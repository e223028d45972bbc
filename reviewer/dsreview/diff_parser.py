"""Diffs into values: git's own output, and patches of any origin.

The only user of unidiff, which reads the hunks. Paths, status and modes of git's
own diffs come from its `--raw -z` list, because the text of a patch is ambiguous
about them; of a foreign patch, from its header lines.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk as ParsedHunk
from unidiff.patch import PatchSet

from dsreview.diff_headers import read_modes, read_paths
from dsreview.diff_sections import Section, read_sections
from dsreview.errors import GitError, PatchError
from dsreview.patch import (
    FilePatch,
    FileStatus,
    Hunk,
    Line,
    LineKind,
    Patch,
    Span,
    kind_of_mode,
    split_lines,
)

_GITLINK = 0o160000
_STATUS = {
    "A": FileStatus.ADDED,
    "D": FileStatus.DELETED,
    "M": FileStatus.MODIFIED,
    "R": FileStatus.RENAMED,
    "C": FileStatus.COPIED,
    "T": FileStatus.TYPE_CHANGED,
}
_KINDS = {" ": LineKind.CONTEXT, "": LineKind.CONTEXT, "+": LineKind.ADDED, "-": LineKind.REMOVED}
_CONVERTED = re.compile(r"(?:diff --git .*|@@ -[\d,]+ \+[\d,]+ @@)\r$")
_RAW = re.compile(rb":(\d{6}) (\d{6}) ([0-9a-f]+) ([0-9a-f]+) ([A-Z])\d*\0")


@dataclass(frozen=True, slots=True)
class PatchedFile:
    """One file of a foreign patch, and the blob ids its `index` line claims."""

    file: FilePatch
    old_id: str
    """Perhaps abbreviated; empty where the patch names none."""
    new_id: str
    line: int
    """1-based line of the patch at which it starts."""


@dataclass(frozen=True, slots=True)
class ForeignPatch:
    files: tuple[PatchedFile, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _RawEntry:
    old_mode: int
    new_mode: int
    old_id: str
    new_id: str
    status: FileStatus
    old_path: str
    path: str


def parse_git_diff(output: bytes) -> Patch:
    """The output of `git diff-tree -r --raw -z -p --full-index`.

    Raises:
        GitError: the list and the patch do not fit together, or an entry is unmerged.
    """
    entries, rest = _read_raw(output)
    try:
        sections = read_sections(split_lines(rest.decode("utf-8", "surrogateescape")))
    except PatchError as error:
        raise GitError(f"git wrote a diff that cannot be read: {error}") from None
    files: list[FilePatch] = []
    at = 0
    for entry in entries:
        is_split = kind_of_mode(entry.old_mode) is not kind_of_mode(entry.new_mode)
        num_sections = 2 if is_split and entry.status is FileStatus.TYPE_CHANGED else 1
        files.append(_join(entry, sections[at : at + num_sections]))
        at += num_sections
    if at != len(sections):
        raise GitError(f"git listed {len(entries)} files and wrote {len(sections)} patches")
    return Patch(tuple(files))


def _read_raw(output: bytes) -> tuple[list[_RawEntry], bytes]:
    entries: list[_RawEntry] = []
    at = 0
    while output[at : at + 1] == b":":
        match = _RAW.match(output, at)
        if match is None or (letter := match.group(5).decode()) not in _STATUS:
            raise GitError("git listed an unmerged or unknown entry")
        first, at = _read_path(output, match.end())
        second, at = _read_path(output, at) if letter in "RC" else (first, at)
        entries.append(
            _RawEntry(
                int(match.group(1), 8),
                int(match.group(2), 8),
                match.group(3).decode(),
                match.group(4).decode(),
                _STATUS[letter],
                first,
                second,
            )
        )
    return entries, output[at + 1 :]


def _read_path(output: bytes, at: int) -> tuple[str, int]:
    end = output.find(b"\0", at)
    if end < 0:
        raise GitError("git's list of changed files is cut short")
    return output[at:end].decode("utf-8", "surrogateescape"), end + 1


def _join(entry: _RawEntry, sections: list[Section]) -> FilePatch:
    if not sections:
        raise GitError(f"git wrote no patch for {entry.path}")
    ids = [section.extended["index"] for section in sections if "index" in section.extended]
    claimed = [one.split(" ", 1)[0].split("..") for one in ids]
    if claimed and (claimed[0][0], claimed[-1][-1]) != (entry.old_id, entry.new_id):
        raise GitError(f"git's list and its patch disagree about {entry.path}")
    return FilePatch(
        path=entry.path,
        old_path=entry.old_path,
        status=entry.status,
        old_mode=entry.old_mode,
        new_mode=entry.new_mode,
        hunks=tuple(hunk for section in sections for hunk in _parse_hunks(section)),
        is_binary=any(section.is_binary for section in sections),
    )


def parse_patch(text: bytes) -> ForeignPatch:
    """A patch of any origin: git, `diff -u`, a mail, several of them in a row.

    Raises:
        PatchError: it cannot be read, or holds no diff; the message names the line.
    """
    notes: list[str] = []
    lines = split_lines(_decode(text, notes))
    if any(_CONVERTED.match(line) for line in lines):
        lines = [line.removesuffix("\r") for line in lines]
        notes.append("the patch had its line ends converted to CRLF; they were read as LF")
    sections = read_sections(lines)
    if not sections and "".join(lines).strip():
        hint = "; it is coloured, use --no-color" if "\x1b[" in "".join(lines) else ""
        raise PatchError(f"no diff found in the patch{hint}")
    return ForeignPatch(
        tuple(_without_inner(_merge_type_changes(map(_read_file, sections)))), tuple(notes)
    )


def _decode(text: bytes, notes: list[str]) -> str:
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        notes.append("the patch is UTF-16; it was read as such")
        try:
            return text.decode("utf-16").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            raise PatchError(f"the patch starts as UTF-16 and is not: {error.reason}") from None
    return text.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _read_file(section: Section) -> PatchedFile:
    try:
        old_path, path, status = read_paths(section)
    except PatchError as error:
        raise PatchError(f"line {section.line}: {error}") from None
    for one in (old_path, path):
        if one.startswith("/") or ".." in one.split("/") or not one or "\0" in one:
            raise PatchError(f"line {section.line}: not a path inside a repository: {one}")
    old_mode, new_mode = read_modes(section, status)
    old_id, _, new_id = section.extended.get("index", "").split(" ", 1)[0].partition("..")
    return PatchedFile(
        FilePatch(
            path=path,
            old_path=old_path,
            status=status,
            old_mode=old_mode,
            new_mode=new_mode,
            hunks=_parse_hunks(section),
            is_binary=section.is_binary,
        ),
        old_id=old_id,
        new_id=new_id.lstrip("."),
        line=section.line,
    )


def _merge_type_changes(files: Iterable[PatchedFile]) -> list[PatchedFile]:
    """git writes a file that became a link, say, as deleted and added again."""
    found: list[PatchedFile] = []
    for one in files:
        last = found[-1] if found else None
        if last is not None and _is_type_change(last.file, one.file):
            found[-1] = replace(
                one,
                file=replace(
                    one.file,
                    status=FileStatus.TYPE_CHANGED,
                    old_mode=last.file.old_mode,
                    hunks=last.file.hunks + one.file.hunks,
                    is_binary=last.file.is_binary or one.file.is_binary,
                ),
                old_id=last.old_id,
                line=last.line,
            )
        else:
            found.append(one)
    return found


def _is_type_change(last: FilePatch, one: FilePatch) -> bool:
    return (
        last.path == one.path
        and last.status is FileStatus.DELETED
        and one.status is FileStatus.ADDED
        and last.kind is not one.kind
    )


def _without_inner(files: list[PatchedFile]) -> list[PatchedFile]:
    """Without the files below a submodule, which `--submodule=diff` writes out."""
    links = tuple(f"{one.file.path}/" for one in files if one.file.new_mode == _GITLINK)
    return [one for one in files if not links or not one.file.path.startswith(links)]


def parse_hunks(text: str) -> tuple[Hunk, ...]:
    """Hunks alone, as in the `patch` field of GitHub's API.

    Raises:
        PatchError: it cannot be read.
    """
    (section,) = read_sections(["--- a/-", "+++ b/-", *split_lines(text)]) or [Section(line=1)]
    return _parse_hunks(section)


def _parse_hunks(section: Section) -> tuple[Hunk, ...]:
    if not section.hunks:
        return ()
    text = "\n".join(["--- a/-", "+++ b/-", *section.hunks, ""])
    try:
        (parsed,) = PatchSet(text)
    except (UnidiffParseError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "cannot be read"
        raise PatchError(f"line {section.hunk_line}: {reason}") from None
    return tuple(_convert(hunk) for hunk in parsed)


def _convert(parsed: ParsedHunk) -> Hunk:
    lines: list[Line] = []
    for line in parsed:
        kind = _KINDS.get(line.line_type)
        if kind is None:
            lines[-1] = replace(lines[-1], has_newline=False)
            continue
        text = line.value.removesuffix("\n")
        lines.append(Line(kind, text, line.source_line_no, line.target_line_no))
    return Hunk(
        old=_span(parsed.source_start, parsed.source_length),
        new=_span(parsed.target_start, parsed.target_length),
        heading=parsed.section_header,
        lines=tuple(lines),
    )


def _span(start: int, length: int) -> Span:
    """A hunk of no lines names the line before the gap; a span the line after it."""
    return Span(start, start + length) if length else Span(start + 1, start + 1)
