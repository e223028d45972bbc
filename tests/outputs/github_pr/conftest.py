"""Pull requests as values: what GitHub would show of a change, and what was found in it."""

from dataclasses import dataclass, field

import pytest

from dsreview.finding import Finding, Origin, Severity
from dsreview.line_diff import diff_hunks
from dsreview.outputs import CodeView
from dsreview.outputs.github_pr.plan import plan_posting
from dsreview.outputs.github_pr.values import (
    ExistingComment,
    ExistingSummary,
    PullFile,
    PullRequest,
    PullState,
    RunFacts,
)
from dsreview.patch import Span
from dsreview.report import Coverage, CoverageState, Report, Stats, Status

BASE, HEAD, NEXT_HEAD = "a" * 40, "b" * 40, "c" * 40
US = "github-actions[bot]"


def patch_of(old, new):
    """The `patch` field that GitHub's API has for such a change."""
    lines = []
    for hunk in diff_hunks(old, new):
        sides = []
        for span in (hunk.old, hunk.new):
            start = span.start if span.num_lines else span.start - 1
            sides.append(f"{start},{span.num_lines}")
        lines.append(f"@@ -{sides[0]} +{sides[1]} @@")
        for line in hunk.lines:
            lines.append(f"{line.kind.value}{line.text}")
            if not line.has_newline:
                lines.append("\\ No newline at end of file")
    return "\n".join(lines) or None


@dataclass
class Head:
    contents: dict

    def paths(self):
        return sorted(self.contents)

    def read(self, path):
        return self.contents.get(path)

    def identity(self, path):
        return None

    def size_bytes(self, path):
        return len(self.contents[path]) if path in self.contents else None


@dataclass
class Pull:
    """A pull request whose files go from `old` to `new`; texts by path."""

    old: dict
    new: dict
    comments: tuple = ()
    summary: str | None = None
    renamed: dict = field(default_factory=dict)
    can_resolve: bool = False

    @property
    def code(self):
        return CodeView(
            Head({path: text.encode("utf-8", "surrogateescape") for path, text in self.new.items()})
        )

    @property
    def state(self):
        files = []
        for path in sorted({*self.old, *self.new}):
            was = self.renamed.get(path, path)
            if path in self.renamed.values():
                continue
            text = patch_of(self.old.get(was, ""), self.new.get(path, ""))
            shown = text and text.encode("utf-8", "replace").decode()
            files.append(PullFile(path, was, "modified", shown))
        return PullState(
            PullRequest(
                "o", "r", 7, BASE, HEAD, "main", "topic", "title", "ann", True, False, False, False
            ),
            tuple(files),
            self.comments,
            (),
            ExistingSummary(1, "S1", self.summary) if self.summary is not None else None,
            US,
            True,
            self.can_resolve,
        )

    def plan(self, findings, head=HEAD, status=Status.COMPLETE, coverage=None, **facts):
        rows = coverage or tuple(Coverage(path, CoverageState.REVIEWED) for path in self.new)
        report = Report(status, tuple(findings), rows, Stats(), base_name=BASE, head_name=head)
        return plan_posting(report, self.code, self.state, RunFacts(BASE, head, "c0ffee", **facts))


def finding_at(path, line, quote, rule="rule", severity=Severity.HIGH, last=None, **parts):
    return Finding(
        rule=rule,
        severity=severity,
        path=path,
        span=Span(line, (last or line) + 1),
        quote=quote,
        message=parts.pop("message", f"{rule} at {quote}"),
        scenario=parts.pop("scenario", "it fails"),
        confidence=0.9,
        origin=Origin.MODEL,
        **parts,
    )


def posted(plan, number=0, **what_became):
    """The comments of a plan as a later run finds them."""
    return tuple(
        ExistingComment(
            id=number + index,
            node_id=f"N{number + index}",
            thread_id=f"T{number + index}",
            path=one.path,
            line=getattr(one, "line", None),
            body=one.body,
            author=US,
            **{
                "is_ours": True,
                "is_resolved": False,
                "is_outdated": False,
                "has_replies": False,
                "is_minimized": False,
            }
            | what_became,
        )
        for index, one in enumerate((*plan.inline, *plan.file_level))
    )


@pytest.fixture
def make_pull():
    return Pull


@pytest.fixture
def found():
    return finding_at


@pytest.fixture
def as_posted():
    return posted
