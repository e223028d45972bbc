"""The code cells of a Jupyter notebook as texts to review.

Each cell keeps, line by line, where it stands in the notebook's JSON. Magics and shell
lines are no code of the kernel's language: they become `pass` with the line behind `#`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from dsreview.change import ChangedFile
from dsreview.errors import NotebookError
from dsreview.line_diff import diff_hunks
from dsreview.located_json import Json, LocatedString, read_json
from dsreview.patch import FilePatch, FileStatus, split_lines

_KERNEL_LANGUAGES: Mapping[str, str] = {
    "python": "python",
    "ipython": "python",
    "python3": "python",
    "javascript": "javascript",
    "typescript": "typescript",
    "java": "java",
    "go": "go",
    "rust": "rust",
    "c": "c",
    "c++": "cpp",
    "c#": "c_sharp",
    "ruby": "ruby",
    "php": "php",
    "kotlin": "kotlin",
    "swift": "swift",
    "bash": "bash",
}
"""What kernels call their language, and a name of `languages.LANGUAGES`."""

_CELL_MAGICS: Mapping[str, str] = {
    "bash": "bash",
    "sh": "bash",
    "javascript": "javascript",
    "js": "javascript",
    "ruby": "ruby",
    "time": "python",
    "timeit": "python",
    "capture": "python",
    "prun": "python",
}
"""The language of a cell that starts with this magic; of others it is not known."""

_MAGIC_LINE = re.compile(r"(?P<indent>\s*)(?P<command>%{1,2}[A-Za-z]|!|\?|[\w.]+\?{1,2}\s*$)")
_MAGIC_VALUE = re.compile(r"(?P<target>[\w.,\s\[\]]+=\s*)(?P<command>(?:%[A-Za-z]|!).*)")


@dataclass(frozen=True, slots=True)
class _Cell:
    number: int
    """1-based, among all cells."""
    identity: str
    """"" where the notebook is older than cell ids."""
    language: str
    text: str
    line_map: tuple[int, ...]


def changed_cells(patch: FilePatch, old: str | None, new: str) -> tuple[ChangedFile, ...]:
    """The code cells of `new` that differ from `old`, in order.

    Raises:
        NotebookError: it is no notebook, or its language is none that is reviewed.
    """
    if old is None and patch.status is not FileStatus.ADDED:
        raise NotebookError("notebook whose old side is not known")
    cells = _code_cells(new)
    old_cells = _code_cells(old) if old is not None else ()
    files = []
    for cell, old_cell in _pairs(old_cells, cells):
        old_text = old_cell.text if old_cell is not None else None
        hunks = diff_hunks(old_text or "", cell.text)
        if not hunks:
            continue
        status = FileStatus.ADDED if old_cell is None else FileStatus.MODIFIED
        cell_patch = FilePatch(
            patch.path, patch.old_path, status, patch.old_mode, patch.new_mode, hunks
        )
        files.append(
            ChangedFile(
                path=patch.path,
                language=cell.language,
                patch=cell_patch,
                old_text=old_text,
                text=cell.text,
                cell=cell.number,
                line_map=cell.line_map,
            )
        )
    return tuple(files)


def _pairs(old: Sequence[_Cell], new: Sequence[_Cell]) -> Iterator[tuple[_Cell, _Cell | None]]:
    """Each new cell with its old self: by id, else by its place among the cells that differ."""
    old_of_id = {cell.identity: cell for cell in old if cell.identity}
    partners = {cell.number: old_of_id[cell.identity] for cell in new if cell.identity in old_of_id}
    taken = {cell.number for cell in partners.values()}
    rest_old = [cell for cell in old if cell.number not in taken]
    rest_new = [cell for cell in new if cell.number not in partners]
    partners.update(_pairs_by_place(rest_old, rest_new))
    for cell in new:
        yield cell, partners.get(cell.number)


def _pairs_by_place(old: list[_Cell], new: list[_Cell]) -> Iterator[tuple[int, _Cell]]:
    matcher = SequenceMatcher(
        None, [cell.text for cell in old], [cell.text for cell in new], autojunk=False
    )
    for _, old_start, old_stop, new_start, new_stop in matcher.get_opcodes():
        for left, right in zip(
            old[old_start:old_stop],
            new[new_start:new_stop],
            strict=False,  # the rest is new
        ):
            yield right.number, left


def _code_cells(text: str) -> tuple[_Cell, ...]:
    try:
        notebook = read_json(text)
    except ValueError as error:
        raise NotebookError(f"not a notebook: {error}") from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(notebook, dict) or not isinstance(cells, list):
        raise NotebookError("not a notebook: no list of cells (version 4 of the format is read)")
    language = _kernel_language(notebook)
    found = (_code_cell(cell, number, language) for number, cell in enumerate(cells, 1))
    return tuple(cell for cell in found if cell is not None)


def _kernel_language(notebook: dict[str, Json]) -> str:
    metadata = notebook.get("metadata")
    named = [
        _text_at(metadata, "language_info", "name"),
        _text_at(metadata, "kernelspec", "language"),
        _text_at(metadata, "kernelspec", "name"),
    ]
    known = [name.lower() for name in named if name]
    for name in known:
        if name in _KERNEL_LANGUAGES:
            return _KERNEL_LANGUAGES[name]
    reason = f"its language is {known[0][:40]!r}" if known else "it does not name its language"
    raise NotebookError(f"notebook not reviewed: {reason}")


def _text_at(value: Json, *keys: str) -> str:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value.text if isinstance(value, LocatedString) else ""


def _code_cell(cell: Json, number: int, language: str) -> _Cell | None:
    """None for text, for a cell of another language, and for what is no cell."""
    if not isinstance(cell, dict) or _text_at(cell, "cell_type") != "code":
        return None
    source = cell.get("source")
    strings = source if isinstance(source, list) else [source]
    lines, line_map = _located_lines([one for one in strings if isinstance(one, LocatedString)])
    magic = re.match(r"%%(\w+)", lines[0]) if lines and language == "python" else None
    if magic is not None and magic.group(1) not in _CELL_MAGICS:
        return None
    cell_language = _CELL_MAGICS[magic.group(1)] if magic is not None else language
    if magic is not None:
        comment = "//" if cell_language == "javascript" else "#"
        lines = [f"{comment} {lines[0]}", *lines[1:]]
    if cell_language == "python":
        lines = list(_without_magics(lines))
    text = "".join(f"{line}\n" for line in lines)
    return _Cell(number, _text_at(cell, "id"), cell_language, text, tuple(line_map))


def _located_lines(strings: Sequence[LocatedString]) -> tuple[list[str], list[int]]:
    """The lines of the joined strings, with the line of the JSON that each starts on."""
    lines: list[str] = []
    line_map: list[int] = []
    is_open = False
    for string in strings:
        for text in split_lines(string.text):
            if is_open:
                lines[-1] += text
            else:
                lines.append(text)
                line_map.append(string.line)
            is_open = False
        is_open = not string.text.endswith("\n") and bool(lines)
    return lines, line_map


def _without_magics(lines: Sequence[str]) -> Iterator[str]:
    """Python keeps its line numbers and its blocks: `pass` stands where a magic stood.

    >>> list(_without_magics(["if x:", "    !ls", "y = %time f()"]))
    ['if x:', '    pass  # !ls', 'y = None  # %time f()']
    """
    continues = False
    for line in lines:
        magic = _MAGIC_LINE.match(line)
        value = _MAGIC_VALUE.match(line)
        is_magic = continues or magic is not None or value is not None
        if continues:
            yield f"# {line}"
        elif magic is not None:
            yield f"{magic['indent']}pass  # {line.strip()}"
        elif value is not None:
            yield f"{value['target']}None  # {value['command']}"
        else:
            yield line
        continues = is_magic and line.endswith("\\")
