"""What surrounds the checks: real git, limits, and sides that are not known."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsreview import languages
from dsreview.change import ChangedFile
from dsreview.checks.base import OUT_OF_TIME
from dsreview.checks.impact import find_impacts
from dsreview.finding import Origin
from dsreview.patch import FileStatus
from dsreview.sandbox import Limits, Sandbox
from dsreview.sources import SourceRequest, open_change

LIBRARY = {"lib.py": "def fetch(url):\n    return url\n"}
CALLER = {"app.py": "from lib import fetch\n\nfetch('a')\n"}
PACKAGE = {"pkg/__init__.py": "", "pkg/a.py": "B = 1\n", "pkg/b.py": "from .a import B\n"}
CHANGED = {"lib.py": "def fetch(url, timeout):\n    return url, timeout\n"}


@pytest.fixture
def repository(tmp_path):
    _git(tmp_path, "init", "-q")
    (tmp_path / "pkg").mkdir()
    for path, text in {**LIBRARY, **CALLER, **PACKAGE}.items():
        (tmp_path / path).write_text(text)
    _commit(tmp_path)
    return tmp_path


def _git(folder, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def _commit(folder):
    _git(folder, "add", "-A")
    _git(folder, "commit", "-q", "-m", "before")


def review(folder: Path, sandbox):
    with open_change(SourceRequest(folder)) as change:
        files = [
            ChangedFile(
                path=patch.path,
                language=languages.detect(patch.path).name,
                patch=patch,
                old_text=_text(change.base.read(patch.old_path)),
                text=_text(change.head.read(patch.path)),
            )
            for patch in change.patch.files
            if patch.status is not FileStatus.DELETED
        ]
        return find_impacts(change, files, sandbox, None).findings


def _text(content):
    return None if content is None else content.decode()


def test_a_caller_left_behind_in_a_real_repository_is_found(repository, sandbox):
    (repository / "lib.py").write_text(CHANGED["lib.py"])
    (found,) = review(repository, sandbox)
    assert (found.rule, found.path, found.span.start) == ("stale-caller", "lib.py", 1)
    assert found.origin is Origin.IMPACT
    assert "app.py:3" in found.scenario


def test_nothing_is_found_once_the_caller_follows(repository, sandbox):
    (repository / "lib.py").write_text(CHANGED["lib.py"])
    (repository / "app.py").write_text("from lib import fetch\n\nfetch('a', 3)\n")
    assert review(repository, sandbox) == ()


def test_a_deleted_file_that_is_imported_is_found(repository, sandbox):
    (repository / "pkg" / "a.py").unlink()
    (found,) = review(repository, sandbox)
    assert (found.rule, found.path) == ("dangling-reference", "pkg/a.py")
    assert "pkg/b.py:1" in found.scenario


def test_a_moved_file_is_blamed_on_a_line_that_changed(repository, sandbox):
    body = "".join(f"C{n} = {n}\n" for n in range(20))
    (repository / "pkg" / "a.py").write_text(f"B = 1\n{body}")
    _commit(repository)
    (repository / "pkg" / "a.py").unlink()
    (repository / "pkg" / "moved.py").write_text(f"B = 1\n{body}D = 1\n")
    _git(repository, "add", "-A")
    (found,) = review(repository, sandbox)
    assert (found.path, found.span.start, found.span.stop) == ("pkg/moved.py", 22, 23)


def test_nothing_is_checked_where_only_hunks_are_known(make_change, sandbox):
    change, files = make_change({**LIBRARY, **CALLER}, {**CHANGED, **CALLER})
    partial = replace(change, is_whole=False)
    result = find_impacts(partial, files, sandbox, None)
    assert result.findings == result.failures == ()


def test_cells_of_notebooks_are_left_out(make_change, sandbox):
    change, (file,) = make_change({"a.py": "x = 1\n"}, {"a.py": "x = missing\n"})
    assert find_impacts(change, (file,), sandbox, None).findings
    cell = replace(file, cell=1, line_map=(7,))
    assert find_impacts(change, (cell,), sandbox, None).findings == ()


def test_a_file_that_cannot_be_parsed_is_a_failure(make_change, sandbox):
    hostile = "x = 1;" + "a<b,\n" * 12_000
    change, files = make_change({"a.ts": "const x = 1;\n"}, {"a.ts": hostile})
    result = find_impacts(change, files, sandbox, None)
    assert [failure.path for failure in result.failures] == ["a.ts"]


def test_a_caller_too_large_to_read_is_said(make_change, sandbox):
    large = {"app.py": CALLER["app.py"] + "x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\n" * 20_000}
    change, files = make_change({**LIBRARY, **large}, {**CHANGED, **large})
    result = find_impacts(change, files, sandbox, None)
    assert [failure.path for failure in result.failures] == ["app.py"]
    assert "larger than" in result.failures[0].reason


class Clock:
    """Says that time is over once it was asked `num_asked` times."""

    def __init__(self, num_asked):
        self.num_left = num_asked

    def __call__(self):
        self.num_left -= 1
        return self.num_left < 0


OLD = {f"{name}.py": f"def f_{name}(x):\n    return x\n" for name in "abc"} | {
    "gone.go": "package main\n\nfunc Helper() {}\n",
    "main.go": "package main\n\nfunc main() { Helper() }\n",
    "uses.py": "".join(f"from {name} import f_{name}\n" for name in "abc"),
}
NEW = {f"{name}.py": f"def g_{name}(x):\n    return x\n" for name in "abc"} | {
    path: OLD[path] for path in ("main.go", "uses.py")
}


def test_without_time_every_file_is_said_to_be_unfinished(make_change, sandbox):
    change, files = make_change(OLD, NEW)
    result = find_impacts(change, files, sandbox, None, lambda: True)
    assert result.findings == ()
    assert sorted(one.path for one in result.failures) == ["a.py", "b.py", "c.py", "gone.go"]
    assert {one.reason for one in result.failures} == {OUT_OF_TIME}


def test_with_time_no_file_is_unfinished(make_change, sandbox):
    change, files = make_change(OLD, NEW)
    result = find_impacts(change, files, sandbox, None, lambda: False)
    assert sorted(one.path for one in result.findings) == ["a.py", "b.py", "c.py", "gone.go"]
    assert result.failures == ()


def test_time_that_ends_in_between_leaves_no_file_unaccounted(make_change, sandbox):
    change, files = make_change(OLD, NEW)
    whole = {one.path for one in find_impacts(change, files, sandbox, None).findings}
    num_stages = set()
    for num_asked in range(100):
        result = find_impacts(change, files, sandbox, None, Clock(num_asked))
        unfinished = {one.path for one in result.failures}
        assert {one.path for one in result.findings} | unfinished == whole
        num_stages.add(len(unfinished))
        if not unfinished:
            break
    assert num_stages == {0, 1, 2, 3, 4}


def test_a_deleted_file_too_large_to_read_is_said(make_change, sandbox):
    large = {"gone.go": OLD["gone.go"] + "// a line of text that stands there\n" * 20_000}
    kept = {"main.go": OLD["main.go"]}
    change, files = make_change({**large, **kept}, kept)
    result = find_impacts(change, files, sandbox, None)
    assert [failure.path for failure in result.failures] == ["gone.go"]


def test_a_deleted_file_that_cannot_be_parsed_is_said(make_change):
    change, files = make_change(OLD, {"main.go": OLD["main.go"], "uses.py": ""})
    with Sandbox(Limits(max_source_bytes=10)) as narrow:
        result = find_impacts(change, files, narrow, None)
    assert "gone.go" in {failure.path for failure in result.failures}


def test_a_go_file_that_moved_with_git_is_blamed_where_a_function_went(repository, sandbox):
    body = "".join(f"const C{n} = {n}\n" for n in range(20))
    (repository / "a.go").write_text(f"package m\n\n{body}\nfunc Helper() {{}}\n")
    (repository / "main.go").write_text("package m\n\nfunc run() { Helper() }\n")
    _commit(repository)
    (repository / "a.go").unlink()
    (repository / "b.go").write_text(f"package m\n\n{body}\nfunc Other() {{}}\n")
    _git(repository, "add", "-A")
    (found,) = review(repository, sandbox)
    assert (found.rule, found.path, found.span.start) == ("dangling-reference", "b.go", 24)
    assert "main.go:3" in found.scenario


COPIES = [
    {
        "p/Tool.java": "package p;\n\nclass Tool {}\n",
        "r/Main.java": "package r;\n\nimport p.Tool;\n\nclass Main { Tool tool; }\n",
        "q/Other.java": "package q;\n\nclass Other {}\n",
    },
    {"a.py": "def f(): pass\n", "main.py": "from b import f\n", "b.py": "def g(): pass\n"},
]


@pytest.mark.parametrize("files", COPIES, ids=["java", "python"])
def test_a_copy_takes_nothing_from_its_original(make_change, sandbox, files):
    original, _, copied = files
    before = {**files, copied: files[original]}
    change, (file,) = make_change(before, files)
    patch = replace(file.patch, status=FileStatus.COPIED, old_path=original)
    change = replace(change, patch=replace(change.patch, files=(patch,)))
    assert find_impacts(change, (replace(file, patch=patch),), sandbox, None).findings == ()


def test_text_that_is_not_utf8_is_read(make_change, sandbox):
    change, (file,) = make_change({"a.py": "x = 1\n"}, {"a.py": "x = missing\n"})
    strange = replace(file, text="x = missing  # \udce9\n")
    (found,) = find_impacts(change, (strange,), sandbox, None).findings
    assert found.quote == "x = missing  # \udce9"


SPELLING = [
    ("def f(value):\n    return vlaue\n", "    return value"),
    ("def f(value, values):\n    return vvalue\n", None),
    ("def f(value):\n    return vlaue + vlaue\n", None),
    ("def f(ab):\n    return ba\n", None),
    ("def g():\n    value = 1\n    return value\n\n\ndef f():\n    return vlaue\n", None),
]


@pytest.mark.parametrize(("text", "line"), SPELLING)
def test_a_misspelt_name_is_respelt_where_one_name_is_near(make_change, sandbox, text, line):
    change, files = make_change({}, {"a.py": text})
    (found,) = find_impacts(change, files, sandbox, None).findings
    assert (found.suggestion and found.suggestion.edit.lines) == (line and (line,))


LINES = {
    "a.py": "import b|from b import f|from .b import *|def f(x):|def f(x, y):|class A:|    def f(self):"
    "|        self.f(1)|    return x|    y = 1|f(1)|b.f(2)|f(1, y=2)|        y = x|)|",
    "a.ts": "import { f } from './b';|export function f(x) {|export const f = (x, y) => {|class A {"
    "|  f(x) { this.f(1); }|  const y = x;|  return f(1);|}|f(1, 2);|new A();|export * from './b';|",
    "a.go": 'package a|import "fmt"|func f(x int) {|func f(x, y int) {|\tfmt.Println(x)|\tf(1)|}|'
    "type A struct{}|func (a *A) f(x int) {|\ta.f(1)|var y = 1|",
    "A.java": "import a.B;|class A {|  int f(int x) {|  int f(int x, int y) {|    int y = x;|    f(1);"
    "|    B.f(2);|  }|}|  private List<B> z;|",
}


@pytest.mark.parametrize("path", sorted(LINES))
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_the_change_is_a_finding_is_on_a_changed_line(make_change, sandbox, path, data):
    lines = st.lists(st.sampled_from(LINES[path].split("|")), max_size=12).map("\n".join)
    other = path.replace("a.", "b.").replace("A.", "B.")
    before, after = ({path: data.draw(lines), other: data.draw(lines)} for _ in range(2))
    change, files = make_change(before, after)
    for finding in find_impacts(change, files, sandbox, None).findings:
        patch = next(one for one in change.patch.files if one.path == finding.path)
        changed = range(finding.span.start, finding.span.stop)
        assert patch.added_lines.issuperset(changed)
        assert changed or finding.span.start in patch.gaps
