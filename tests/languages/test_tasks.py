"""The questions that other parts ask of a source, through the sandbox."""

import pytest

from dsreview import languages
from dsreview.errors import TaskFailed
from dsreview.languages.names import NameRole
from dsreview.languages.outline import Region
from dsreview.languages.tasks import (
    NAMES,
    OUTLINE,
    SCOPES,
    SYNTAX,
    NamesRequest,
    OutlineRequest,
    ScopesRequest,
    SyntaxRequest,
)
from dsreview.patch import Span


def test_scopes_come_one_chain_per_line(sandbox):
    request = ScopesRequest("python", b"class A:\n    def f(self):\n        pass\n", (3, 1))
    chains = sandbox.call(SCOPES, request).chains
    assert [[scope.name for scope in chain] for chain in chains] == [["A", "A.f"], ["A"]]


def test_an_unknown_language_is_a_failed_task(sandbox):
    with pytest.raises(TaskFailed, match="cobol"):
        sandbox.call(SCOPES, ScopesRequest("cobol", b"", (1,)))


VALID = {
    "python": b"def f(x):\n    return g(x)\n",
    "javascript": b"function f(x) {\n  return g(x);\n}\n",
    "typescript": b"function f(x: T): U {\n  return g(x);\n}\n",
    "tsx": b"const f = (x: T) => {\n  return <a>{g(x)}</a>;\n};\n",
    "java": b"class A { int f(int x) {\n  return g(x);\n} }\n",
    "go": b"package p\nfunc f(x int) int { return g(x) }\n",
    "rust": b"fn f(x: i32) -> i32 {\n  return g(x);\n}\n",
    "c": b"int f(int x) {\n  return g(x);\n}\n",
    "cpp": b"int f(int x) {\n  return g(x);\n}\n",
    "c_sharp": b"class A { int f(int x) {\n  return g(x);\n} }\n",
    "ruby": b"def f(x)\n  return g(x)\nend\n",
    "php": b"<?php function f($x) {\n  return g($x);\n}\n",
    "kotlin": b"fun f(x: Int): Int {\n  return g(x)\n}\n",
    "swift": b"func f(x: Int) -> Int {\n  return g(x)\n}\n",
    "bash": b"f() {\n  echo $(g x)\n}\n",
}


@pytest.mark.parametrize("language", languages.LANGUAGES, ids=lambda row: row.name)
def test_an_edit_that_drops_a_bracket_brings_a_syntax_error_on_its_line(language, sandbox):
    before = VALID[language.name]
    after = before.replace(b"x)", b"x", 1) if language.name == "go" else _without_last_round(before)
    span = Span(2, 3)
    reply = sandbox.call(SYNTAX, SyntaxRequest(language.name, before, after, span, span))
    assert (reply.before.num_errors, reply.before.first_line) == (0, None)
    assert reply.after.num_errors > 0
    assert reply.after.first_line is not None


def _without_last_round(source):
    at = source.rindex(b")")
    return source[:at] + source[at + 1 :]


def test_errors_are_counted_in_the_file_and_in_the_function_of_the_edit(sandbox):
    before = b"def f():\n    return (1\n\n\ndef g():\n    return 2\n"
    after = before.replace(b"return 2", b"return 3")
    reply = sandbox.call(
        SYNTAX,
        SyntaxRequest(
            "c",
            b"int a(int x { }\nint b() { return 2; }\n",
            b"int a(int x { }\nint b() { return 3; }\n",
            Span(2, 3),
            Span(2, 3),
        ),
    )
    assert reply.before.num_errors > 0
    assert reply.before.num_in_scope == 0
    reply = sandbox.call(SYNTAX, SyntaxRequest("python", before, after, Span(6, 7), Span(6, 7)))
    assert reply.refused_before is not None
    assert reply.refused_after is not None


@pytest.mark.parametrize(
    "refused",
    [
        b"return 1\n",
        b"def f(a, a): pass\n",
        b"print 'x'\n",
        b"if x:\npass\n",
        b"x = 0777\n",
        b"x = '\xff'\n",
        b"x = 1\x00\n",
        b"(" * 3000 + b")" * 3000,
        b"-" * 100_000 + b"1",
    ],
)
def test_what_cpython_refuses_is_refused(refused, sandbox):
    before = b"x = 1\n"
    reply = sandbox.call(SYNTAX, SyntaxRequest("python", before, refused, Span(1, 2), Span(1, 2)))
    assert reply.refused_before is None
    assert reply.refused_after


def test_compiling_python_runs_nothing_and_warns_of_nothing(sandbox, tmp_path):
    canary = tmp_path / "canary"
    source = f"import pathlib\npathlib.Path({str(canary)!r}).touch()\nx = '\\d' is 1\n".encode()
    reply = sandbox.call(SYNTAX, SyntaxRequest("python", source, source, Span(1, 2), Span(1, 2)))
    assert reply.refused_after is None
    assert not canary.exists()


def roles(sandbox, language, source, span=None):
    found = sandbox.call(NAMES, NamesRequest(language, source, span)).names
    return {(name.text, name.role.value) for name in found}


def test_names_tell_definitions_imports_references_and_members(sandbox):
    source = b"""\
import os.path as where
from a import b

def f(x, *rest, key=None):
    for left, right in x.pairs(size=1):
        total = left + right
    with b(where) as c: pass
    return [i for i in c if (n := i)]
"""
    assert roles(sandbox, "python", source) == {
        *((name, "import") for name in ("os", "path", "where", "a", "b")),
        *((name, "definition") for name in ("f", "x", "rest", "key", "left", "right")),
        *((name, "definition") for name in ("total", "c", "i", "n")),
        *((name, "reference") for name in ("x", "left", "right", "b", "where", "i", "c")),
        *((name, "member") for name in ("pairs", "size")),
    }


@pytest.mark.parametrize(
    ("language", "source", "defined", "referred"),
    [
        ("javascript", b"const {a, b: c, ...d} = f(e); x.y = ({g}) => h;", "a c d g", "f e x h"),
        ("typescript", b"function f<T>(a: T, b?: U): V { return a as W }", "f T a b", "T U V a W"),
        ("tsx", b"const A = () => <B c={d} />;", "A", "B d"),
        ("java", b"class A { int f(B b) { for (C c : b.d) { e = c; } } }", "A f b c", "B C b e c"),
        ("go", b"package p\nfunc f(a, b C) { x, y := g(a); _ = x.z }", "p f a b x y _", "C g a x"),
        ("rust", b"fn f(a: B) { let (c, mut d) = g(a); h::i(c) }", "f a c d", "B g a h c"),
        ("c", b"int f(t *a) { int b = a->c, *d; return b; }", "f a b d", "t a b"),
        ("cpp", b"auto f(T& a) { for (auto x : a.b) c::d(x); }", "f a x", "T a c x"),
        ("c_sharp", b"class A { B f(C c) { var d = c.e; return d; } }", "A f c d", "B C c d"),
        ("ruby", b"def f(a, b: 1)\n  c, d = a\n  d.e\nend", "f a b c d", "a d"),
        ("php", b"<?php function f($a) { $b = g($a); return $b->c; }", "f a b", "g a b"),
        ("kotlin", b"fun f(a: B) { val c = a.d; g(c) }", "f a c", "B a g c"),
        ("swift", b"func f(a: B) { let c = a.d; g(c) }", "f a c", "B a g c"),
        ("bash", b"f() { local a=1; b=$a; for c in $b; do :; done; }", "f a b c", "a b"),
    ],
)
def test_names_in_other_languages(sandbox, language, source, defined, referred):
    found = roles(sandbox, language, source)
    assert {text for text, role in found if role == NameRole.DEFINITION} == set(defined.split())
    assert {text for text, role in found if role == NameRole.REFERENCE} == set(referred.split())


def test_names_of_a_span_are_those_on_its_lines(sandbox):
    source = b"a = 1\nb = (c,\n  d)\ne = 2\n"
    assert roles(sandbox, "python", source, Span(3, 4)) == {("d", "reference")}
    assert roles(sandbox, "python", source, Span(2, 2)) == set()


def test_calls_are_marked(sandbox):
    found = sandbox.call(NAMES, NamesRequest("python", b"f(g.h(i))")).names
    assert {name.text for name in found if name.is_called} == {"f", "h"}


OUTLINED = b"""\
import os
import sys
from a import (
    b,
    c,
)

LIMIT = 3

def helper(x,
           y):
    return x

class A(Base):
    size: int = 0

    def __init__(self):
        self.x = 1

    def other(self):
        return helper(self.x, 2)

    def f(self):
        self.other()
        return os.path.join(helper(1, 2), b)
"""


def test_an_outline_names_imports_class_fields_and_signatures(sandbox):
    region = Region(shown=(Span(23, 26),), changed=(24, 25), removed_words=())
    reply = sandbox.call(OUTLINE, OutlineRequest("python", OUTLINED, (region,)))
    (outline,) = reply.outlines
    assert outline.imports == (Span(1, 2), Span(3, 7))
    assert outline.types == (Span(14, 15),)
    assert outline.fields == (Span(15, 16),)
    assert outline.called == (Span(10, 12), Span(20, 21))


@pytest.mark.parametrize(
    ("language", "source"),
    [
        (
            "go",
            b"package p\n\ntype Stack struct {\n\titems []int\n}\n\nfunc Other() {\n}\n\n"
            b"func (s *Stack) Push(item int) {\n\ts.items = nil\n}\n",
        ),
        (
            "rust",
            b"// stack\n\nstruct Stack {\n    items: Vec<i32>,\n}\n\n#[test]\nfn other() {}\n"
            b"impl Stack { fn push(&mut self) {\n\n        self.items.clear();\n    }\n}\n",
        ),
    ],
)
def test_an_outline_finds_the_type_that_a_method_stands_apart_from(sandbox, language, source):
    region = Region(shown=(Span(10, 13),), changed=(11,), removed_words=())
    reply = sandbox.call(OUTLINE, OutlineRequest(language, source, (region,)))
    (outline,) = reply.outlines
    assert Span(3, 4) in outline.types
    assert outline.fields == (Span(4, 5),)


def test_an_outline_knows_what_removed_lines_called(sandbox):
    region = Region(shown=(Span(23, 24),), changed=(23,), removed_words=("helper", "(", "2"))
    reply = sandbox.call(OUTLINE, OutlineRequest("python", OUTLINED, (region,)))
    assert reply.outlines[0].called == (Span(10, 12),)
