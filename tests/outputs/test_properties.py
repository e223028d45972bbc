"""Any report, whatever its texts: no output of it acts on who reads it."""

import json
import re
import unicodedata
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dsreview.finding import Edit, Finding, Origin, Proof, Refusal, Severity, Suggestion
from dsreview.outputs import OUTPUTS, CodeView
from dsreview.patch import Span
from dsreview.report import Coverage, CoverageState, Report, Stats, Status

PIECES = json.loads((Path(__file__).parents[1] / "cases/hostile/pieces.json").read_text("ascii"))
SCHEMA = jsonschema.Draft202012Validator(
    json.loads(files("dsreview.outputs").joinpath("report.schema.json").read_text("utf-8"))
)
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

texts = st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=()), max_size=8).map(
    "".join
)
spans = st.builds(
    lambda start, length: Span(start, start + length), st.integers(1, 9), st.integers(0, 30)
)
lines = st.lists(texts.map(lambda text: text.replace("\n", "")), max_size=4).map(tuple)
suggestions = st.builds(
    Suggestion, st.builds(Edit, spans, lines), st.sampled_from(Proof), st.integers(1, 3)
)
findings = st.builds(
    Finding,
    rule=texts,
    severity=st.sampled_from(Severity),
    path=st.sampled_from(["a.py", "b.py"]) | texts,
    span=spans,
    quote=texts,
    message=texts,
    scenario=texts,
    confidence=st.floats(0, 1),
    origin=st.sampled_from(Origin),
    scope=texts,
    suggestion=st.none() | suggestions,
)
coverage = st.builds(
    Coverage,
    texts,
    st.sampled_from(CoverageState),
    texts,
    st.booleans(),
    st.lists(texts, max_size=2).map(tuple),
)
counts = st.integers(0, 10**9)
seconds = st.floats(0, 1e6)
stats = st.builds(Stats, counts, counts, seconds, seconds, texts, texts, counts, counts, counts)


def tuples(of, max_size):
    return st.lists(of, max_size=max_size).map(tuple)


reports = st.builds(
    Report,
    st.sampled_from(Status),
    tuples(findings, 4),
    tuples(coverage, 4),
    stats,
    tuples(st.builds(Refusal, texts, texts, texts, texts), 2),
    tuples(texts, 2),
    texts,
    texts,
    texts,
    st.integers(0, 4),
)


class Head:
    """Two files; everything else is unknown."""

    def __init__(self, contents):
        self.contents = contents

    def read(self, path):
        return self.contents.get(path)


heads = st.fixed_dictionaries(
    {
        "a.py": texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
        "b.py": st.binary(max_size=60),
    }
).map(Head)
views = st.builds(CodeView, heads, st.integers(40, 160), st.booleans())

NUM_EXAMPLES = [100, pytest.param(1_000, marks=pytest.mark.slow)]
QUICK = settings(deadline=None, suppress_health_check=list(HealthCheck))


def acts(text):
    """Characters that a terminal obeys or nobody sees; U+FE0F only follows a symbol."""
    return [
        one
        for one in text
        if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and one not in "\n\t"
    ]


def commands(text):
    """Lines that the runner of GitHub Actions would take for an order."""
    return [
        line
        for line in text.splitlines()
        if line.lstrip().startswith("::") or re.search(r"##\w*\[", line)
    ]


def check_terminal(report, view):
    text = re.sub(r"\x1b\[[0-9;]*m", "", OUTPUTS["terminal"](report, view))
    assert acts(text) == []
    assert commands(text) == []
    assert text.replace("\n", "").endswith(report.verdict.replace(" ", "")[-1])


def check_machine_formats(report, view):
    for name in ("json", "sarif", "rdjson", "gitlab"):
        text = OUTPUTS[name](report, view)
        assert text.isascii()
        assert acts(text) == []
        assert commands(text) == []
        made = json.loads(text)
        if name == "json":
            SCHEMA.validate(made)


def check_github(report, view):
    text = OUTPUTS["github"](report, view)
    *shown, verdict = text.splitlines()
    assert acts(text) == []
    assert verdict == f"dsreview: {report.verdict}"
    assert all(re.match(r"::(error|warning|notice) [^:]*::", line) for line in shown)


def check_markdown(report, view):
    text = OUTPUTS["markdown"](report, view)
    assert [one for one in acts(text) if one != "\u200b"] == []
    for token in MARKDOWN.parse(text):
        assert token.type != "html_block"
        for child in token.children or ():
            assert child.type in {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
            if child.type == "text":
                assert not re.search("[@#](?!\u200b)|://|(www\\.|GH-)(?!\u200b)", child.content)


@pytest.mark.parametrize("num_examples", NUM_EXAMPLES)
@pytest.mark.parametrize(
    "check", [check_terminal, check_machine_formats, check_github, check_markdown]
)
def test_no_report_acts_on_its_reader(check, num_examples):
    @settings(QUICK, max_examples=num_examples)
    @given(reports, views)
    def law(report, view):
        check(report, view)

    law()
