"""Cells of a notebook are reviewed as files that know their lines in the JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview import languages
from dsreview.errors import NotebookError
from dsreview.located_json import LocatedString, read_json
from dsreview.notebooks import changed_cells
from dsreview.patch import FilePatch, FileStatus

MODIFIED = FilePatch("a.ipynb", "a.ipynb", FileStatus.MODIFIED, 0o100644, 0o100644)
ADDED = FilePatch("a.ipynb", "a.ipynb", FileStatus.ADDED, 0, 0o100644)


def notebook(*sources, kind="code", ids=True, language="python", as_list=True, indent=1):
    cells = []
    for number, source in enumerate(sources):
        cell = {"cell_type": kind, "metadata": {}, "outputs": [], "execution_count": None}
        cell["source"] = source.splitlines(keepends=True) if as_list else source
        if ids:
            cell["id"] = f"cell-{number}"
        cells.append(cell)
    metadata = {"kernelspec": {"language": language, "name": "kernel"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}, indent=indent)


def test_a_changed_cell_is_a_file_with_its_own_lines():
    old = notebook("import os\n", "x = 1\ny = 2\n", "z = 3")
    new = notebook("import os\n", "x = 1\ny = 20\n", "z = 3")
    (cell,) = changed_cells(MODIFIED, old, new)
    assert (cell.path, cell.language, cell.cell) == ("a.ipynb", "python", 2)
    assert (cell.old_text, cell.text) == ("x = 1\ny = 2\n", "x = 1\ny = 20\n")
    assert cell.patch.added_lines == {2}
    line = cell.file_line(2)
    assert json.loads(new.split("\n")[line - 1].strip().rstrip(",")) == "y = 20\n"


def test_a_new_notebook_is_all_added():
    cells = changed_cells(ADDED, None, notebook("a = 1\n", "b = 2\n"))
    assert [(cell.cell, cell.old_text, cell.patch.added_lines) for cell in cells] == [
        (1, None, {1}),
        (2, None, {1}),
    ]


@pytest.mark.parametrize("ids", [True, False])
def test_a_cell_put_before_others_leaves_them_unchanged(ids):
    old = notebook("a = 1\n", "b = 2\n", ids=False)
    new = notebook("new = 0\n", "a = 1\n", "b = 2\n", ids=False)
    if ids:
        old, new = json.loads(old), json.loads(new)
        for cell, identity in zip(old["cells"], "ab", strict=True):
            cell["id"] = identity
        for cell, identity in zip(new["cells"], "nab", strict=True):
            cell["id"] = identity
        old, new = json.dumps(old), json.dumps(new)
    (cell,) = changed_cells(MODIFIED, old, new)
    assert (cell.cell, cell.text, cell.patch.status) == (1, "new = 0\n", FileStatus.ADDED)


def test_an_edited_cell_without_id_is_compared_with_the_one_in_its_place():
    old = notebook("a = 1\nb = 2\n", "c = 3\n", ids=False)
    new = notebook("a = 1\nb = 20\n", "c = 3\n", ids=False)
    (cell,) = changed_cells(MODIFIED, old, new)
    assert cell.patch.added_lines == {2}


def test_text_cells_outputs_and_layout_are_no_change():
    old = notebook("x = 1\n", kind="code", as_list=True)
    new = notebook("x = 1\n", kind="code", as_list=False, indent=4)
    assert changed_cells(MODIFIED, old, new) == ()
    assert changed_cells(MODIFIED, notebook("a", kind="markdown"), notebook("b", kind="raw")) == ()


def test_a_source_of_one_string_stands_on_one_line():
    new = notebook("x = 1\ny = 2\n", as_list=False)
    (cell,) = changed_cells(ADDED, None, new)
    assert cell.text == "x = 1\ny = 2\n"
    assert len(cell.line_map) == 2
    assert len(set(cell.line_map)) == 1
    assert "x = 1" in new.split("\n")[cell.line_map[0] - 1]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("%matplotlib inline\nx = 1", "pass  # %matplotlib inline\nx = 1\n"),
        ("if x:\n    !ls -l", "if x:\n    pass  # !ls -l\n"),
        ("!ls \\\n  -l\nx = 1", "pass  # !ls \\\n#   -l\nx = 1\n"),
        ("files = !ls", "files = None  # !ls\n"),
        ("t = %timeit -o f()", "t = None  # %timeit -o f()\n"),
        ("f?", "pass  # f?\n"),
        ("?f", "pass  # ?f\n"),
        ("%%time\nx = 1", "# %%time\nx = 1\n"),
        ("x = a % b\ny = (a\n  % b)", "x = a % b\ny = (a\n  % b)\n"),
        ("x != y", "x != y\n"),
    ],
)
def test_magics_become_code_that_parses_on_the_same_lines(source, expected):
    (cell,) = changed_cells(ADDED, None, notebook(source))
    assert cell.text == expected
    assert not languages.parse("python", cell.text.encode()).root_node.has_error


def test_cells_of_another_language_are_that_language_or_left_out():
    source = notebook("%%bash\necho hi\n", "%%html\n<b>", "%%js\nf()", "x = 1\n")
    cells = changed_cells(ADDED, None, source)
    assert [(cell.cell, cell.language) for cell in cells] == [
        (1, "bash"),
        (3, "javascript"),
        (4, "python"),
    ]


@pytest.mark.parametrize(
    ("kernel", "expected"), [("python", "python"), ("C#", "c_sharp"), ("rust", "rust")]
)
def test_the_language_is_that_of_the_kernel(kernel, expected):
    (cell,) = changed_cells(ADDED, None, notebook("x", language=kernel))
    assert cell.language == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a notebook"),
        ("{", "not a notebook"),
        ("[]", "no list of cells"),
        ("null", "no list of cells"),
        ('{"cells": 3}', "no list of cells"),
        ('{"worksheets": []}', "version 4"),
        ('{"cells": []}', "does not name its language"),
        (notebook("x", language="apl"), "its language is 'apl'"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"cells": [], "metadata": {"kernelspec": []}}', "does not name its language"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(text, reason):
    with pytest.raises(NotebookError, match=reason):
        changed_cells(ADDED, None, text)


def test_a_notebook_whose_old_side_is_not_known_is_refused():
    with pytest.raises(NotebookError, match="old side is not known"):
        changed_cells(MODIFIED, None, notebook("x = 1"))


@pytest.mark.parametrize(
    "cell",
    [
        *(3, None, [], "code", {}, {"cell_type": "code"}, {"cell_type": "code", "source": 3}),
        {"cell_type": "code", "source": [1, None, []]},
        {"cell_type": ["code"], "source": "x = 1"},
    ],
)
def test_strange_cells_are_skipped(cell):
    text = json.dumps({"cells": [cell], "metadata": {"language_info": {"name": "python"}}})
    assert changed_cells(ADDED, None, text) == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


def without_lines(value):
    if isinstance(value, LocatedString):
        return value.text
    if isinstance(value, list):
        return [without_lines(element) for element in value]
    if isinstance(value, dict):
        return {key: without_lines(element) for key, element in value.items()}
    return value


@given(JSON, st.sampled_from([None, 0, 2]), st.booleans())
def test_json_is_read_as_by_the_standard_library(value, indent, ascii_only):
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert without_lines(read_json(text)) == json.loads(text)


@given(st.lists(st.text(), min_size=1))
def test_every_string_knows_its_line(strings):
    text = json.dumps(strings, indent=1)
    for number, located in enumerate(read_json(text), 2):
        assert located.line == number


@given(st.text(alphabet='{}[],:"\\ab1 \n'))
def test_what_is_no_json_is_a_value_error(text):
    try:
        expected = json.loads(text)
    except ValueError:
        with pytest.raises(ValueError):
            read_json(text)
    else:
        assert without_lines(read_json(text)) == expected
