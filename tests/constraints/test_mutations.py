"""True fixes, broken in every way of bench/broken_fixes: none of the broken ones is verified."""

import os
import sys
from pathlib import Path

import pytest

from dsreview.sandbox import Sandbox

BENCH = Path(__file__).parents[2] / "bench"
ITEMS = os.environ.get("DSREVIEW_GATE_ITEMS", "")
"""A set of known bugs, as `dsreview bench` reads it."""

FIXES = {
    "python": ("    size = len(first) + 1\n", "    size = len(first)\n"),
    "javascript": ("  const size = first.length + 1;\n", "  const size = first.length;\n"),
    "java": ("        int size = first.length() + 1;\n", "        int size = first.length();\n"),
    "go": ("\tsize := len(first) + 1\n", "\tsize := len(first)\n"),
    "rust": ("    let size = measure(first) + 1;\n", "    let size = measure(first);\n"),
    "c": ("    int size = measure(first) + 1;\n", "    int size = measure(first);\n"),
    "ruby": ("  size = measure(first) + 1\n", "  size = measure(first)\n"),
    "php": ("    $size = measure($first) + 1;\n", "    $size = measure($first);\n"),
    "kotlin": ("    val size = measure(first) + 1\n", "    val size = measure(first)\n"),
    "bash": ('    size=$(measure "$first" 1)\n', '    size=$(measure "$first")\n'),
}
AROUND = {
    "python": (
        "def work(first, log):\n    log(first)\n",
        "    log(size)\n    return size\n",
    ),
    "javascript": (
        "function work(first, log) {\n  log(first);\n",
        "  log(size);\n  return size;\n}\n",
    ),
    "java": (
        "class Work {\n    int work(String first) {\n        log(first);\n",
        "        log(first + size);\n        return size;\n    }\n\n"
        "    void log(String text) {\n        System.out.println(text);\n    }\n}\n",
    ),
    "go": (
        "package work\n\nfunc work(first string) int {\n\tprintln(first)\n",
        "\tprintln(size)\n\treturn size\n}\n",
    ),
    "rust": (
        "fn measure(text: &str) -> usize {\n    text.len()\n}\n\n"
        'fn work(first: &str) -> usize {\n    println!("{}", first);\n',
        '    println!("{}", size);\n    size\n}\n',
    ),
    "c": (
        "int measure(const char *text);\nvoid tell(int size);\n\n"
        "int work(const char *first) {\n    tell(0);\n",
        "    tell(size);\n    return size;\n}\n",
    ),
    "ruby": (
        "def measure(text)\n  text.length\nend\n\ndef work(first)\n  puts first\n",
        "  puts size\n  size\nend\n",
    ),
    "php": (
        "<?php\nfunction measure($text) {\n    return strlen($text);\n}\n\n"
        "function work($first) {\n    echo $first;\n",
        "    echo $size;\n    return $size;\n}\n",
    ),
    "kotlin": (
        "fun measure(text: String): Int {\n    return text.length\n}\n\n"
        "fun work(first: String): Int {\n    println(first)\n",
        "    println(size)\n    return size\n}\n",
    ),
    "bash": (
        'measure() {\n    echo "${#1}"\n}\n\nwork() {\n    local first="$1" size\n    echo "$first"\n',
        '    echo "$size"\n}\n',
    ),
}


@pytest.fixture(scope="module")
def bench():
    """bench/gate.py and what it measures with: the same mutants as in the figures."""
    sys.path.insert(0, str(BENCH))
    try:
        import gate
        from broken_fixes import cases, judging, kinds

        yield gate, cases, judging, kinds
    finally:
        sys.path.remove(str(BENCH))


def case_in(language, cases):
    before, after = AROUND[language]
    bad, good = FIXES[language]
    texts = (before + bad + after, before + good + after)
    return cases.case_of(f"own-{language}", language, f"work.{language}", texts, "own")


@pytest.mark.parametrize(
    ("language", "setting"),
    [(language, ("added", "broke")[at % 2]) for at, language in enumerate(sorted(FIXES))],
)
def test_no_broken_fix_is_verified_and_the_true_one_is(language, setting, bench, sandbox):
    gate, cases, judging, kinds = bench
    case = case_in(language, cases)
    made = dict(kinds.mutants(case))
    truth = judging.truths(case, made, set())
    assert len(made) >= 35
    file = case.reviewed(cases.Setting(setting))
    place = case.finding(file, cases.Setting(setting))
    findings = [gate.finding(case, place, gate.TRUE_FIX, case.edit, None)]
    findings += [gate.finding(case, place, k.name, b.edit, b.quote) for k, b in made.items()]
    found = [verdict for verdict, *_ in gate.verdicts(findings, file, None, sandbox)]
    assert found[0] == "verified"
    passed = {
        kind.name
        for kind, verdict in zip(made, found[1:], strict=True)
        if verdict == "verified" and truth[kind].is_broken
    }
    assert passed == set()


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.skipif(not ITEMS, reason="DSREVIEW_GATE_ITEMS names no set of known bugs")
def test_no_broken_fix_of_a_public_set_is_verified(bench):
    gate = bench[0]
    rows = []
    with Sandbox() as opened:
        for case in gate.cases([Path(ITEMS)], [], limit=10):
            rows += gate.measure(case, True, None, opened)
    true = [row for row in rows if row.is_true]
    assert [row for row in rows if row.is_leak] == []
    assert sum(row.verdict == "refused" for row in true) <= len(true) / 100
    assert sum(row.is_broken for row in rows) >= 1_500
