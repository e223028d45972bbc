"""What is read of one file, in each language."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsreview.errors import TaskFailed
from dsreview.symbols import LANGUAGES

DEFINITIONS = [
    ("python", "class A:\n    def f(self): pass\ndef g(): pass\n", "A A.f g"),
    ("javascript", "class A { f() {} }\nfunction g() {}\nconst h = () => 1;\n", "A A.f g h"),
    ("typescript", "interface I {}\ntype T = I;\nenum E { X }\nfunction g() {}\n", "I T E g"),
    ("tsx", "export const App = () => <p />;\n", "App"),
    ("go", "package a\ntype T struct{}\nfunc (t *T) F() {}\nfunc G() {}\nvar v = 1\n", "T T.F G v"),
    (
        "java",
        "class A { int x; A() {} int f() { return 1; } interface B {} }\n",
        "A A.A A.B A.f A.x",
    ),
]


@pytest.mark.parametrize(("language", "source", "names"), DEFINITIONS, ids=lambda x: x[:10])
def test_definitions_have_qualified_names(facts_of, language, source, names):
    found = [one.qualified_name for one in facts_of(language, source).definitions]
    assert sorted(found) == sorted(names.split())


PARAMETERS = [
    (
        "python",
        "def f(a, /, b: int, c=1, *args, d, e: int = 2, **kw): pass\n",
        "a:positional only b:positional c:positional? args:variadic d:keyword only "
        "e:keyword only? kw:keywords",
    ),
    ("python", "def f(a, *, b): pass\n", "a:positional b:keyword only"),
    (
        "javascript",
        "function f(a, b = 1, {c}, ...rest) {}\n",
        "a:positional b:positional? :positional rest:variadic",
    ),
    (
        "typescript",
        "function f(this: A, a: string, b?: number, ...c: string[]) {}\n",
        "a:positional b:positional? c:variadic",
    ),
    (
        "go",
        "package a\nfunc f(a, b int, c ...string) {}\n",
        "a:positional b:positional c:variadic",
    ),
    ("go", "package a\nfunc f(int, string) {}\n", ":positional :positional"),
    ("java", "class A { void f(final int a, String... b) {} }\n", "a:positional :variadic"),
]


@pytest.mark.parametrize(("language", "source", "expected"), PARAMETERS)
def test_parameters_are_read_with_their_kinds(facts_of, language, source, expected):
    definition = next(one for one in facts_of(language, source).definitions if one.name == "f")
    found = [
        f"{one.name}:{one.kind.value}{'?' if one.has_default else ''}"
        for one in definition.parameters
    ]
    assert " ".join(found) == expected


CALLS = [
    ("python", "m.f(1, *b, c=2)\n", "name m 1 c True"),
    ("python", "class A:\n    def g(self): self.f(1)\n", "self self 1  False"),
    ("python", "class A:\n    @staticmethod\n    def g(x): x.f()\n", "name x 0  False"),
    ("python", "g().f(1, 2)\n", "other  2  False"),
    ("javascript", "a.b.f(1, 2);\n", "name a.b 2  False"),
    ("javascript", "f(...x);\n", "none  0  True"),
    ("javascript", "class A { g() { this.f(1); } }\n", "self this 1  False"),
    ("go", "package a\nfunc (t T) g() { t.f(1, 2) }\n", "self t 2  False"),
    ("go", "package a\nfunc g() { f(h()) }\n", "none  1  True"),
    ("java", "class A { void g() { B.f(1, 2); } }\n", "name B 2  False"),
]


@pytest.mark.parametrize(("language", "source", "expected"), CALLS)
def test_a_call_has_its_receiver_and_arguments(facts_of, language, source, expected):
    calls = [one for one in facts_of(language, source).references if one.name == "f" and one.call]
    assert len(calls) == 1
    one, call = calls[0], calls[0].call
    found = (one.receiver.value, one.receiver_text, call.num_positional, *call.keywords)
    shown = f"{found[0]} {found[1]} {found[2]} {' '.join(call.keywords)} {call.has_spread}"
    assert shown == expected


IMPORTS = [
    ("python", "import a.b as c\n", "a.b||c"),
    ("python", "from ..x import y as z\n", "..x|y|z"),
    ("python", "from x import *\n", "x|*|"),
    ("javascript", "import d, { n as m } from './x';\n", "./x|default|d ./x|n|m"),
    ("javascript", "import * as ns from 'y';\n", "y||ns"),
    ("javascript", "const { a, b: c } = require('./k');\n", "./k|a|a ./k|b|c"),
    ("javascript", "export { a as b } from './x';\n", "./x|a|b"),
    ("typescript", "import type { T } from './t';\n", "./t|T|T"),
    ("go", 'package a\nimport (\n"fmt"\nm "x/y"\n)\n', "fmt|| x/y||m"),
    ("java", "import java.util.List;\nimport a.*;\n", "java.util|List|List a|*|"),
]


@pytest.mark.parametrize(("language", "source", "expected"), IMPORTS)
def test_imports_are_read_as_written(facts_of, language, source, expected):
    found = [f"{one.module}|{one.name}|{one.alias}" for one in facts_of(language, source).imports]
    assert " ".join(found) == expected


OPEN = [
    ("python", "from x import *\n"),
    ("python", "exec('a = 1')\n"),
    ("python", "def __getattr__(name): return 1\n"),
    ("python", "globals()['a'] = 1\n"),
    ("javascript", "eval('var a = 1');\n"),
    ("typescript", "declare module 'x' { export const a: string; }\n"),
    ("go", "//go:build linux\n\npackage a\n"),
    ("go", 'package a\nimport "C"\n'),
    ("go", 'package a\nimport . "x"\n'),
]


@pytest.mark.parametrize(("language", "source"), OPEN)
def test_a_file_that_may_bind_unseen_names_is_open(facts_of, language, source):
    assert facts_of(language, source).is_open


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_file_that_cannot_be_parsed_says_so(facts_of, language):
    assert facts_of(language, "((((").has_errors


@pytest.mark.parametrize("language", ["python", "javascript", "go"])
def test_deep_nesting_exhausts_no_stack(facts_of, language):
    opening, closing = ("package a\nvar x = ", "") if language == "go" else ("x = ", "")
    source = f"{opening}{'(' * 20_000}y{')' * 20_000}{closing}\n"
    names = {one.name for one in facts_of(language, source).references}
    assert "y" in names


WORDS = """def class function func import from export const type interface = ( ) { } [ ] , : ; .
* ** => a b 1 'x' @ # // for in if try catch except match case lambda new this self super return
package < > ... ? | &"""


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    pieces=st.lists(
        st.sampled_from([*WORDS.split(), "\n", "\t"]),
        max_size=40,
    )
)
def test_no_text_breaks_the_reading(facts_of, language, pieces):
    facts = facts_of(language, " ".join(pieces))
    for fact in (*facts.bindings, *facts.references, *facts.definitions):
        assert 0 <= fact.scope < len(facts.scopes)


def test_a_source_beyond_the_limit_is_refused(facts_of):
    with pytest.raises(TaskFailed, match="larger than"):
        facts_of("python", "x = 1\n" * 200_000)
