"""Records of HumanEvalPack as its authors publish them, turned into records of a set.

The bug is brought in: `before_text` is the prompt with the canonical solution, `after_text` with
the buggy one. Which lines are the bug's is read from their diff.

Source: Muennighoff et al., "OctoPack", 2023; huggingface.co/datasets/bigcode/humanevalpack (MIT).
"""

from collections.abc import Iterator, Mapping
from itertools import groupby

from dsreview.line_diff import diff_hunks
from dsreview.patch import Line, LineKind

_LANGUAGES = {
    "Python": ("python", "python", "py"),
    "JavaScript": ("js", "javascript", "js"),
    "Java": ("java", "java", "java"),
    "Go": ("go", "go", "go"),
    "CPP": ("cpp", "cpp", "cpp"),
    "Rust": ("rust", "rust", "rs"),
}
"""By the first part of `task_id`: in an id, of `dsreview`, and at the end of a file's name."""


def is_published_record(values: Mapping[str, object]) -> bool:
    """Whether a record is as published, and none of a set yet."""
    return "buggy_solution" in values and "after_text" not in values


def set_record(values: Mapping[str, object]) -> dict[str, object]:
    """The fields of an item.

    Raises:
        ValueError: a field is missing or no text, or the language is another one.
    """
    language, _, number = _text(values, "task_id").partition("/")
    if language not in _LANGUAGES or not number.isdigit():
        raise ValueError(f"task_id {values['task_id']!r} is none of {', '.join(_LANGUAGES)}")
    short, name, suffix = _LANGUAGES[language]
    prompt = _text(values, "prompt")
    before = prompt + _text(values, "canonical_solution")
    after = prompt + _text(values, "buggy_solution")
    kinds, lines = _bug(before, after)
    entry_point = _text(values, "entry_point")
    return {
        "id": f"hep-{short}-{int(number):03}",
        "source": "humanevalpack",
        "language": name,
        "path": f"{entry_point}.{suffix}",
        "before_text": before,
        "after_text": after,
        "kind": kinds.pop() if len(kinds) == 1 else "mixed",
        "bug_lines": sorted(lines),
        "licence": "MIT",
        "description": f"{_text(values, 'bug_type')}; {_text(values, 'failure_symptoms')}",
        "test": _text(values, "test"),
        "test_setup": _text(values, "test_setup"),
        "imports": _text(values, "import"),
        "entry_point": entry_point,
    }


def _text(values: Mapping[str, object], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is missing or no text")  # noqa: TRY004  one error a bad record
    return value


def _bug(before: str, after: str) -> tuple[set[str], set[int]]:
    """The kinds of its runs of changed lines, and its lines in `after`."""
    kinds: set[str] = set()
    lines: set[int] = set()
    last = after.count("\n") + 1
    for run, following in _runs(before, after):
        added = {line.new_number for line in run if line.new_number is not None}
        is_missing = not added
        if is_missing:
            lines |= {line for line in (following - 1, following) if 1 <= line <= last}
        lines |= added
        is_extra = len(added) == len(run)
        kinds.add("missing" if is_missing else "extra" if is_extra else "replace")
    return kinds, lines


def _runs(before: str, after: str) -> Iterator[tuple[list[Line], int]]:
    """Neighbouring changed lines, and the number in `after` of the line behind them."""
    for hunk in diff_hunks(before, after):
        number = hunk.new.start
        for is_context, group in groupby(hunk.lines, lambda line: line.kind is LineKind.CONTEXT):
            run = list(group)
            number += sum(line.kind is not LineKind.REMOVED for line in run)
            if not is_context:
                yield run, number
