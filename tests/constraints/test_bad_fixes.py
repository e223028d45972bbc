"""Twenty and more kinds of bad fix in fifteen languages: none passes; the good ones do."""

from dataclasses import dataclass

import pytest

from dsreview import languages
from dsreview.constraints import Candidate, Violation
from dsreview.finding import Edit, Proof
from dsreview.patch import Span
from dsreview.repair import judge


@dataclass(frozen=True)
class Sample:
    """A function of which line 4 (`bad`) changed and should be `good`."""

    language: str
    lines: tuple[str, ...]
    bad: str
    good: str
    line: int

    @property
    def text(self):
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def old(self):
        rows = [
            row
            for number, row in enumerate(self.lines, 1)
            if number not in (self.line, self.line + 1)
        ]
        return "".join(f"{row}\n" for row in rows)


def sample(language, source, good):
    """`source` marks its changed lines, two that follow each other, by a leading "+"."""
    rows = source.strip("\n").split("\n")
    changed = [number for number, row in enumerate(rows, 1) if row.startswith("+")]
    lines = tuple(row.removeprefix("+") for row in rows)
    return Sample(language, lines, lines[changed[0] - 1], good, changed[0])


C_LIKE = """
#include <stdio.h>

{head} {{
    int first = count;
+    int size = measure("text", first);
+    int other = first + size;
    return other;
}}
"""
SCRIPT = """
function work(count) {
  const first = count;
+  const size = measure("text", first);
+  const other = first + size;
  return other;
}

function measure(text, first) {
  return text.length + first;
}
"""
SAMPLES = (
    sample(
        "python",
        """
def measure(text, first):
    return len(text) + first

def work(count):
    first = count
+    size = measure("text", first)
+    other = first + size
    return other
""",
        '    size = measure("texts", first)',
    ),
    *(
        sample(name, SCRIPT, '  const size = measure("texts", first);')
        for name in ("javascript", "typescript", "tsx")
    ),
    sample(
        "java",
        """
class Work {
    int measure(String text, int first) {
        return first;
    }

    int work(int count) {
        int first = count;
+        int size = measure("text", first);
+        int other = first + size;
        return other;
    }
}
""",
        '        int size = measure("texts", first);',
    ),
    sample(
        "go",
        """
package work

func measure(text string, first int) int {
	return first
}

func work(count int) int {
	first := count
+	size := measure("text", first)
+	other := first + size
	return other
}
""",
        '\tsize := measure("texts", first)',
    ),
    sample(
        "rust",
        """
fn measure(text: &str, first: usize) -> usize {
    text.len() + first
}

fn work(count: usize) -> usize {
    let first = count;
+    let size = measure("text", first);
+    let other = first + size;
    other
}
""",
        '    let size = measure("texts", first);',
    ),
    sample(
        "c", C_LIKE.format(head="int work(int count)"), '    int size = measure("texts", first);'
    ),
    sample(
        "cpp", C_LIKE.format(head="int work(int count)"), '    int size = measure("texts", first);'
    ),
    sample(
        "c_sharp",
        """
class Work {
    int Measure(string text, int first) {
        return first;
    }

    int Run(int count) {
        int first = count;
+        int size = Measure("text", first);
+        int other = first + size;
        return other;
    }
}
""",
        '        int size = Measure("texts", first);',
    ),
    sample(
        "ruby",
        """
def measure(text, first)
  text.length + first
end

def work(count)
  first = count
+  size = measure("text", first)
+  other = first + size
  other
end
""",
        '  size = measure("texts", first)',
    ),
    sample(
        "php",
        """
<?php
function measure($text, $first) {
    return strlen($text) + $first;
}

function work($count) {
    $first = $count;
+    $size = measure("text", $first);
+    $other = $first + $size;
    return $other;
}
""",
        '    $size = measure("texts", $first);',
    ),
    sample(
        "kotlin",
        """
fun measure(text: String, first: Int): Int {
    return text.length + first
}

fun work(count: Int): Int {
    val first = count
+    val size = measure("text", first)
+    val other = first + size
    return other
}
""",
        '    val size = measure("texts", first)',
    ),
    sample(
        "swift",
        """
func measure(_ text: String, _ first: Int) -> Int {
    return text.count + first
}

func work(_ count: Int) -> Int {
    let first = count
+    let size = measure("text", first)
+    let other = first + size
    return other
}
""",
        '    let size = measure("texts", first)',
    ),
    sample(
        "bash",
        """
work() {
    local first="$1"
+    local size=$(measure "text" "$first")
+    local other="$first$size"
    echo "$other"
}
""",
        '    local size=$(measure "texts" "$first")',
    ),
)

COMMENTS = {"python": "#", "ruby": "#", "bash": "#"}


def one_line(change):
    return lambda s: Edit(Span(s.line, s.line + 1), (change(s),))


def without_last(text, mark):
    before, _, after = text.rpartition(mark)
    return before + after


def indent_of(text):
    return text[: len(text) - len(text.lstrip())]


def other_indentation(s):
    other = "    " if s.good.startswith("\t") else "\t"
    return other + s.good.lstrip()


def renamed(s, new):
    """The last use of `first` becomes a name that does not exist."""
    before, _, after = s.good.rpartition("first")
    return before + new + after


KINDS = {
    "bracket dropped": one_line(lambda s: without_last(s.good, ")")),
    "bracket too many": one_line(lambda s: s.good.replace(")", "))")),
    "closing brace too many": one_line(lambda s: s.good + " }"),
    "string not closed": one_line(lambda s: s.good.replace('texts"', "texts")),
    "cut in the middle": one_line(lambda s: s.good[: s.good.index('texts"') + 2]),
    "indentation lost": one_line(lambda s: s.good.lstrip()),
    "indented by the other character": one_line(other_indentation),
    "indented too much": one_line(lambda s: indent_of(s.good) * 3 + s.good),
    "repeats the line before": lambda s: Edit(
        Span(s.line, s.line + 1), (s.lines[s.line - 2], s.good)
    ),
    "repeats the line after": lambda s: Edit(Span(s.line, s.line + 1), (s.good, s.lines[s.line])),
    "changes nothing": one_line(lambda s: s.bad),
    "only space": one_line(lambda s: s.bad + "  "),
    "only a blank line": lambda s: Edit(Span(s.line, s.line), ("",)),
    "unchanged line": lambda s: Edit(Span(s.line - 1, s.line), (s.lines[s.line - 2] + " ", s.good)),
    "drops the next line": lambda s: Edit(Span(s.line, s.line + 3), (s.good,)),
    "far from the change": lambda s: Edit(Span(1, 1), (s.good,)),
    "beyond the file": lambda s: Edit(Span(len(s.lines) + 5, len(s.lines) + 6), (s.good,)),
    "unknown variable": one_line(lambda s: renamed(s, "nowhere_defined")),
    "takes a definition away": lambda s: Edit(Span(s.line, s.line + 1), ()),
    "turns the reading direction": one_line(lambda s: s.good.replace("texts", "te\u202ext")),
    "invisible character": one_line(lambda s: s.good.replace("texts", "te\u200bxt")),
    "tag character": one_line(lambda s: s.good.replace("texts", "te\U000e0041xt")),
    "terminal code": one_line(lambda s: s.good.replace("texts", "te\x1b[31mxt")),
    "line end in a line": one_line(lambda s: s.good + "\n" + s.good.replace("size", "size2")),
    "fence": lambda s: Edit(Span(s.line, s.line + 1), ("```" + s.language, s.good, "```")),
    "placeholder": lambda s: Edit(
        Span(s.line, s.line + 2),
        (s.good, f"{indent_of(s.good)}{COMMENTS.get(s.language, '//')} ... rest of the code ..."),
    ),
    "diff marks": lambda s: Edit(Span(s.line, s.line + 1), ("-" + s.bad, "+" + s.good)),
    "line numbers": one_line(lambda s: f"{s.line:>5} + {s.good}"),
    "conflict marks": lambda s: Edit(
        Span(s.line, s.line + 1), ("<<<<<<< HEAD", s.bad, "=======", s.good, ">>>>>>> fix")
    ),
    "prose": one_line(lambda s: indent_of(s.good) + "You should pass the other text (see above"),
    "endless line": one_line(lambda s: s.good.replace("texts", "text" * 400)),
    "whole rewrite": lambda s: Edit(Span(s.line, s.line + 1), (s.good,) * 80),
}


HARMLESS = {("bash", "closing brace too many")}  # behind a word, it is a word itself


def candidate(s, edit, changed_file):
    return Candidate(changed_file(s.language, s.old, s.text), edit, s.bad)


def test_the_corpus_is_large_enough():
    assert {s.language for s in SAMPLES} == {row.name for row in languages.LANGUAGES}
    assert len(KINDS) >= 20
    assert len(KINDS) * len(SAMPLES) >= 200


@pytest.mark.parametrize("s", SAMPLES, ids=lambda s: s.language)
def test_a_good_fix_passes(s, changed_file, sandbox):
    edit = Edit(Span(s.line, s.line + 1), (s.good,))
    assert judge(candidate(s, edit, changed_file), sandbox) is Proof.VERIFIED


@pytest.mark.parametrize("s", SAMPLES, ids=lambda s: s.language)
def test_no_bad_fix_passes(s, changed_file, sandbox):
    passed = [
        kind
        for kind, bad in KINDS.items()
        if (s.language, kind) not in HARMLESS
        and not isinstance(judge(candidate(s, bad(s), changed_file), sandbox), Violation)
    ]
    assert passed == []


@pytest.mark.parametrize(
    "s",
    [s for s in SAMPLES if s.language in ("python", "javascript", "typescript", "go", "rust")],
    ids=lambda s: s.language,
)
def test_a_function_that_does_not_exist_is_refused_where_all_functions_are_named(
    s, changed_file, sandbox
):
    edit = Edit(Span(s.line, s.line + 1), (s.good.replace("measure", "measureNothing"),))
    verdict = judge(candidate(s, edit, changed_file), sandbox)
    assert isinstance(verdict, Violation)
    assert verdict.constraint == "known-names"
