"""Whatever code, paths and a model's words hold: nothing of it acts in what is posted."""

import json
import random
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from dsreview import languages
from dsreview.finding import Edit, Proof, Refusal, Severity, Suggestion
from dsreview.outputs.github_pr import marker
from dsreview.outputs.github_pr.plan import plan_posting
from dsreview.outputs.github_pr.sticky import MAX_BODY_BYTES
from dsreview.outputs.github_pr.values import RunFacts
from dsreview.patch import Span
from dsreview.report import Coverage, CoverageState, Report, Stats, Status

PIECES = json.loads((Path(__file__).parents[2] / "cases/hostile/pieces.json").read_text("ascii"))
CLOSING = ["```", "````", "~~~", "  ```", "<!-- dsreview:foot -->"]
CLOSING += [f"<!-- dsreview:entry name={'f' * 20} path={'f' * 20} rank=3 -->"]
MARKDOWN = MarkdownIt("gfm-like", {"html": True, "linkify": True})
MARKDOWN.linkify.set({"fuzzy_link": False, "fuzzy_email": True})  # GitHub links no bare README.md
MARKDOWN.linkify.add("//", None)
MARKDOWN.use(footnote_plugin).use(tasklists_plugin).use(dollarmath_plugin)
LIVE = re.compile(
    r"(?:[@#]|www\.|mailto:|xmpp:|GH-|JIRA-|CVE-)(?!\u200b)|://|[0-9a-f]{7}"
    r"|[!$%~&^](?=[\w\"'])|:[\w+-]+:|\[\[|\[\w+:|\*iteration",
    re.IGNORECASE,
)
INLINE = {"text", "code_inline", "softbreak", "strong_open", "strong_close", "em_open", "em_close"}
BLOCKS = {"paragraph", "heading", "fence", "table", "thead", "tbody", "tr", "th", "td", "inline"}
BLOCKS |= {"bullet_list", "list_item", "html_block"}
OUR_HTML = re.compile(
    r"(<!-- dsreview:[a-z]+( [a-z]+=[\w.]+)* -->\n?)+"
    r"|<details><summary>[0-9,]+ refused, or answered in the code</summary>\n|</details>\n"
)
FENCES = {"", "suggestion", "diff", *(row.name.replace("_", "") for row in languages.LANGUAGES)}


class Hostile:
    """Random texts, counted."""

    def __init__(self, seed):
        self.choices = random.Random(seed)
        self.num_texts = 0

    def text(self):
        self.num_texts += 1
        pieces = self.choices.choices(PIECES, k=self.choices.randrange(9))
        if self.choices.random() < 0.2:
            pieces += [chr(self.choices.randrange(0x110000)) for _ in range(4)]
        return "".join(pieces)

    def line(self):
        """One of a file: any bytes."""
        text = self.text().replace("\n", " ")
        if self.choices.random() < 0.2:
            text = self.choices.choice(CLOSING)
        content = text.encode("utf-8", "surrogatepass")
        return content.decode("utf-8", "surrogateescape")

    def path(self):
        name = self.line().replace("\0", "") or "x"
        return name + self.choices.choice(["", ".py", ".mermaid", ".suggestion", ".math"])

    def plan(self, make_pull, found):
        files = {self.path(): [self.line() for _ in range(5)] for _ in range(2)}
        old = {path: "\n".join(lines[1:]) for path, lines in files.items()}
        new = {path: "\n".join(lines) for path, lines in files.items()}
        findings = []
        for path, lines in [*files.items(), (self.path(), [self.line()])]:
            at = self.choices.randrange(1, len(lines) + 1)
            edit = Edit(Span(at, at + 1), tuple(self.line() for _ in range(2)))
            findings.append(
                found(
                    path,
                    at,
                    lines[at - 1].strip(),
                    rule=self.text(),
                    severity=self.choices.choice(list(Severity)),
                    message=self.text(),
                    scenario=self.text(),
                    scope=self.text(),
                    suggestion=Suggestion(edit, self.choices.choice(list(Proof))),
                )
            )
        coverage = [
            Coverage(path, CoverageState.PARTIAL, self.text(), self.choices.random() < 0.3)
            for path in (*files, self.path())
        ]
        report = Report(
            self.choices.choice(list(Status)),
            tuple(findings),
            tuple(coverage),
            Stats(model=self.text(), device=self.text()),
            (Refusal(self.path(), self.text(), self.text(), self.text()),),
            (self.text(),),
            base_name=self.text(),
            head_name=self.text(),
        )
        pull = make_pull(old, new)
        facts = RunFacts("a" * 40, "b" * 40, "c0ffee", why_whole=self.text())
        return plan_posting(report, pull.code, pull.state, facts)


def check_body(body):
    """Only constructs of our own, each of them whole."""
    assert len(body.encode()) <= MAX_BODY_BYTES
    tokens = MARKDOWN.parse(body)
    assert {token.type.removesuffix("_open").removesuffix("_close") for token in tokens} <= BLOCKS
    for token in tokens:
        if token.type == "fence":
            assert token.info in FENCES
            assert token.markup * 2 not in token.content
        if token.type == "html_block":
            assert OUR_HTML.fullmatch(token.content)
        for child in token.children or ():
            assert child.type in INLINE, (child.type, body)
            if child.type == "text":
                assert not LIVE.search(child.content), child.content
    return tokens


def fences(tokens, info):
    return [token.content for token in tokens if token.type == "fence" and token.info == info]


NUM_TEXTS = [2_000, pytest.param(100_000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("num_texts", NUM_TEXTS)
def test_no_text_acts_in_what_is_posted(make_pull, found, num_texts):
    hostile = Hostile(num_texts)
    num_inline = num_buttons = 0
    while hostile.num_texts < num_texts:
        plan = hostile.plan(make_pull, found)
        for one in (*plan.inline, *plan.file_level):
            tokens = check_body(one.body)
            known = marker.known_finding(one.body)
            assert known.fingerprint == one.fingerprint
            assert marker.last_review(one.body) is None
            num_buttons += len(fences(tokens, "suggestion"))
        for one in plan.inline:
            check_body(one.file_body)
            num_inline += 1
        check_body(plan.review_body)
        everything = plan.demoted(frozenset(one.fingerprint for one in plan.inline))
        everything = everything.demoted(frozenset(one.fingerprint for one in everything.file_level))
        check_body(plan.summary.text)
        check_body(everything.summary.text)
        assert marker.last_review(everything.summary.text).head_sha == "b" * 40
        entries = marker.known_entries(everything.summary.text)
        assert {one.fingerprint for one in entries} == {one.fingerprint for one in plan.annotations}
    print(hostile.num_texts, "texts,", num_inline, "comments on lines,", num_buttons, "buttons")
    assert num_inline > num_texts / 100
    assert num_buttons > 0
