"""One report with every case that an output must know, and the files it is about."""

from dataclasses import dataclass, field

import pytest

from dsreview.finding import (
    Edit,
    Finding,
    Origin,
    Proof,
    Refusal,
    Severity,
    Suggestion,
)
from dsreview.outputs import CodeView
from dsreview.patch import Span
from dsreview.report import Coverage, CoverageState, Report, Stats, Status

HOSTILE = "\x1b]0;owned\x07\x1b[2J\u202e[/b] <img src=x> @everyone #1 ::error::x\r\n::add-mask::y"


@dataclass(frozen=True)
class Files:
    """A snapshot from a dict."""

    contents: dict[str, bytes] = field(default_factory=dict)

    def paths(self):
        return sorted(self.contents)

    def read(self, path):
        return self.contents.get(path)

    def identity(self, path):
        return None

    def size_bytes(self, path):
        return len(self.contents[path]) if path in self.contents else None


STORE = b"""\
import sqlite3

from app.settings import DATABASE


def connect():
    return sqlite3.connect(DATABASE)


def find(name):
    cursor = connect().cursor()
    cursor.execute(f"SELECT * FROM users WHERE name = '{name}'")
    return cursor.fetchone()


def remember(name, seen=[]):
    seen.append(name)
    return seen
"""
SERVER = b"""\
package server

func Close(files []*os.File) error {
\tfor _, file := range files {
\t\tdefer file.Close()
\t}
\treturn nil
}
"""
NAMES = """\
class Größe {
  get naïve() { return this.Zähler = 1; } // ein sehr langer Kommentar, der weit über jede vernünftige Breite eines Fensters hinausgeht
}
""".encode()
LATIN = b"def caf\xe9():\r\n    return None == x\r\n"
HEAD = {
    "src/store.py": STORE,
    "cmd/server/close.go": SERVER,
    "web/größe/名前.js": NAMES,
    "a[/b].py": LATIN,
    "generated.sql": b"".join(b"INSERT INTO t VALUES (%d);\n" % n for n in range(1, 60)),
}

INJECTION = Finding(
    rule="sql-from-strings",
    severity=Severity.CRITICAL,
    path="src/store.py",
    span=Span(11, 13),
    quote="    cursor = connect().cursor()\n"
    "    cursor.execute(f\"SELECT * FROM users WHERE name = '{name}'\")",
    message="The query is put together from text, so whoever chooses `name` writes part of the "
    "SQL. Values belong in parameters, which the driver never reads as SQL.",
    scenario="find(\"x' OR '1'='1\") returns the first user of the table, whoever that is.",
    confidence=0.97,
    origin=Origin.RULE,
    scope="find",
    suggestion=Suggestion(
        Edit(Span(12, 13), ('    cursor.execute("SELECT * FROM users WHERE name = ?", (name,))',)),
        Proof.VERIFIED,
    ),
)
DEFAULT = Finding(
    rule="mutable-default",
    severity=Severity.HIGH,
    path="src/store.py",
    span=Span(16, 17),
    quote="def remember(name, seen=[]):",
    message="The default list is made once and shared by every call.",
    scenario='remember("a") and then remember("b") returns ["a", "b"], not ["b"].',
    confidence=0.82,
    origin=Origin.MODEL,
    scope="remember",
    suggestion=Suggestion(
        Edit(
            Span(16, 18),
            (
                "def remember(name, seen=None):",
                "    if seen is None:",
                "        seen = []",
                "    seen.append(name)",
            ),
        ),
        Proof.VERIFIED,
        repair_round=2,
    ),
)
DEFER = Finding(
    rule="defer-in-loop",
    severity=Severity.HIGH,
    path="cmd/server/close.go",
    span=Span(5, 6),
    quote="\t\tdefer file.Close()",
    message="`defer` waits for the function, not for the turn of the loop, so every file stays "
    "open until the end.",
    scenario="With 2,000 files the process runs out of descriptors.",
    confidence=0.9,
    origin=Origin.RULE,
    scope="Close",
    suggestion=Suggestion(Edit(Span(5, 6), ("\t\tfile.Close()",)), Proof.PARSE_NOT_VERIFIABLE),
)
LOST_CHECK = Finding(
    rule="lost-check",
    severity=Severity.MEDIUM,
    path="cmd/server/close.go",
    span=Span(4, 4),
    quote="",
    message="The check for an empty list went away, and callers rely on its error.",
    scenario="Close(nil) now returns nil, and the caller reports success.",
    confidence=0.61,
    origin=Origin.MODEL,
    scope="Close",
    suggestion=Suggestion(
        Edit(
            Span(4, 4),
            ("\tif len(files) == 0 {", '\t\treturn errors.New("no files")', "\t}"),
        ),
        Proof.VERIFIED,
    ),
)
ASSIGNMENT = Finding(
    rule="assignment-in-condition",
    severity=Severity.MEDIUM,
    path="web/größe/名前.js",
    span=Span(2, 3),
    quote="  get naïve() { return this.Zähler = 1; }",
    message="Reading `naïve` writes `Zähler` — «=» where «===» was meant.",
    scenario="Zähler ist 7; nach dem Lesen ist er 1.",
    confidence=0.7,
    origin=Origin.RULE,
    scope="Größe.naïve",
)
HOSTILE_FINDING = Finding(
    rule="compare-with-none",
    severity=Severity.LOW,
    path="a[/b].py",
    span=Span(2, 3),
    quote="    return None == x\r",
    message=HOSTILE,
    scenario=HOSTILE + "```\n~~~\n| a |",
    confidence=0.5,
    origin=Origin.IMPACT,
    scope="caf\udce9",
    suggestion=Suggestion(Edit(Span(2, 3), ("    return x is None  # ```` @you",))),
)
DELETION = Finding(
    rule="dead-rows",
    severity=Severity.LOW,
    path="generated.sql",
    span=Span(10, 50),
    quote="INSERT INTO t VALUES (10);",
    message="These rows are inserted a second time further down.",
    scenario="The unique index refuses the second insert and the migration stops.",
    confidence=0.66,
    origin=Origin.MODEL,
    suggestion=Suggestion(Edit(Span(10, 50), ()), Proof.VERIFIED),
)
GONE = Finding(
    rule="removed-but-used",
    severity=Severity.LOW,
    path="old/removed.py",
    span=Span(1, 1),
    quote="def helper(): ...",
    message="helper is gone, and src/store.py still calls it.",
    scenario="The first call raises NameError.",
    confidence=1.0,
    origin=Origin.IMPACT,
)
FINDINGS = (
    INJECTION,
    DEFAULT,
    DEFER,
    LOST_CHECK,
    ASSIGNMENT,
    HOSTILE_FINDING,
    DELETION,
    GONE,
)
COVERAGE = (
    Coverage("src/store.py", CoverageState.REVIEWED, reviewers=("rules", "impact", "model")),
    Coverage("cmd/server/close.go", CoverageState.REVIEWED, reviewers=("rules", "impact", "model")),
    Coverage("web/größe/名前.js", CoverageState.REVIEWED, reviewers=("rules", "impact", "model")),
    Coverage("a[/b].py", CoverageState.REVIEWED, reviewers=("rules", "impact", "model")),
    Coverage(
        "generated.sql",
        CoverageState.PARTIAL,
        "the model's answer was cut by length in 1 of 3 places",
        reviewers=("model",),
    ),
    Coverage("old/removed.py", CoverageState.REVIEWED, reviewers=("impact",)),
    Coverage("web/app.min.js", CoverageState.SKIPPED, "a line is longer than 10 MB"),
    Coverage("yarn.lock", CoverageState.SKIPPED, "lock file", is_excluded=True),
    Coverage("img/\x1b[2Jlogo\udcff.png", CoverageState.SKIPPED, "binary", is_excluded=True),
)
SAMPLE = Report(
    status=Status.PARTIAL,
    findings=FINDINGS,
    coverage=COVERAGE,
    stats=Stats(
        prompt_tokens=18_342,
        completion_tokens=1_207,
        model_seconds=38.9,
        seconds=41.25,
        device="mps",
        model="deepseek-coder-6.7b-instruct",
        cache_hits=3,
        cache_misses=9,
        repair_rounds=2,
    ),
    refused=(
        Refusal("src/store.py", "sql-from-strings", "parses", "line 12 is not valid python"),
        Refusal("src/store.py", "mutable-default", "parses", "line 16 is not valid python"),
        Refusal("cmd/server/close.go", "lost-check", "new-names", "errors is not imported"),
    ),
    notes=("2 files look like they hold secrets; their values were masked before the model.",),
    base_name="3f2a91c",
    head_name="worktree",
    prompt_revision="review-1f0c",
    max_findings=5,
)


@pytest.fixture
def report():
    return SAMPLE


@pytest.fixture
def code():
    return CodeView(Files(HEAD))
