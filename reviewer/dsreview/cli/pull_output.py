"""What a run on a pull request says of itself: to people, to programs, to the runner."""

from collections.abc import Iterator, Mapping
from typing import Protocol

import msgspec

from dsreview.outputs.github_annotations import LEVELS, workflow_command
from dsreview.outputs.github_pr.results import PostingResult
from dsreview.outputs.github_pr.values import Annotation, PostingPlan
from dsreview.pull_review import PullReview
from dsreview.report import count_of, short_name
from dsreview.sanitize import ascii_json, markdown_safe, terminal_line, terminal_safe

MARGIN = "  | "
"""In front of what others wrote: no line of it can be a command to the runner."""


class PullOutput(Protocol):
    def __call__(self, done: PullReview, /, *, is_quiet: bool) -> str: ...


def as_text(done: PullReview, /, *, is_quiet: bool) -> str:
    """For people: the verdict, what was looked at, and what was, or would be, posted."""
    report = done.report
    if is_quiet and done.is_told and not (report.findings or report.gaps or report.refused):
        return ""
    lines = [f"dsreview: {done.pull.full_name}: {done.report.verdict}", _looked_at(done)]
    if done.result is None:
        lines += _preview(done.plan)
    else:
        lines += _told(done.result)
    return "".join(f"{line}\n" for line in lines)


def as_json(done: PullReview, /, *, is_quiet: bool) -> str:
    """For programs, always."""
    plan = msgspec.to_builtins(done.plan)
    plan["annotations"] = [_annotation(one) for one in done.plan.annotations]
    value = {
        "pull": done.pull.full_name,
        "base_sha": done.pull.base_sha,
        "head_sha": done.pull.head_sha,
        "since": done.scope.since,
        "why_whole": done.scope.reason,
        "status": done.report.status.value,
        "verdict": done.report.verdict,
        "exit_code": done.exit_code,
        "plan": plan,
        "result": msgspec.to_builtins(done.result),
    }
    return f"{ascii_json(value)}\n"


OUTPUTS: Mapping[str, PullOutput] = {"terminal": as_text, "json": as_json}


def not_on_page(done: PullReview, *, in_actions: bool) -> str:
    """The findings that are not on the pull request: for the runner to show, or for people."""
    if done.result is None:
        return ""
    reported = set(done.result.reported)
    told = [one for one in done.plan.annotations if one.fingerprint in reported]
    if not in_actions:
        return "".join(f"{_line(one)}\n" for one in told)
    lines = [_command(one) for one in told]
    if not done.result.is_delivered:
        level = "warning" if done.is_told else "error"
        title = {"title": "dsreview: not everything is on the pull request"}
        lines.append(workflow_command(level, title, done.result.reason))
    return "".join(f"{line}\n" for line in lines)


def job_summary(done: PullReview) -> str:
    """The report, and what became of the comments."""
    if done.result is None:
        told = ["Nothing was posted: a dry run."]
    else:
        told = [markdown_safe(line) for line in _told(done.result)]
    blocks = [done.plan.job_summary.rstrip(), "### On the pull request", "\n".join(told)]
    return "\n\n".join(blocks) + "\n"


def _looked_at(done: PullReview) -> str:
    head = short_name(done.pull.head_sha)
    if done.scope.since:
        return f"looked at the files that changed from {short_name(done.scope.since)} to {head}"
    reason = f", because {done.scope.reason}" if done.scope.reason else ""
    return terminal_line(f"looked at all of it, up to {head}{reason}")


def _told(result: PostingResult) -> list[str]:
    counts = {
        "posted": result.posted,
        "there already": result.already_there,
        "refused on their lines, told elsewhere on the page": result.demoted,
        "not on the pull request": result.reported,
    }
    parts = [f"{count_of(len(names), 'finding')} {what}" for what, names in counts.items() if names]
    lines = ["; ".join((result.outcome.value, *parts))]
    lines += [line for line in (result.reason, *result.notes) if line]
    return [terminal_line(line) for line in lines]


def _preview(plan: PostingPlan) -> Iterator[str]:
    yield "nothing was posted: a dry run; it would be:"
    for one in plan.inline:
        first = one.start_line or one.line
        place = f"{first}" if first == one.line else f"{first}-{one.line}"
        yield f"comment on {terminal_line(one.path)}:{place} ({one.side.value.lower()})"
        yield from _quoted(one.body)
    for comment in plan.file_level:
        yield f"comment on the file {terminal_line(comment.path)}"
        yield from _quoted(comment.body)
    if plan.summary is not None:
        yield "summary"
        yield from _quoted(plan.summary.text)
    if plan.minimize:
        yield f"{count_of(len(plan.minimize), 'comment')} hidden as outdated"
    if plan.resolve:
        yield f"{count_of(len(plan.resolve), 'thread')} resolved"
    if plan.is_empty:
        yield "nothing: all of it is there already, or there is nothing to say"


def _quoted(body: str) -> Iterator[str]:
    """Without the zero-width spaces by which a page is kept from linking words."""
    for line in terminal_safe(body.replace("\u200b", "")).split("\n"):
        yield f"{MARGIN}{line}".rstrip()


def _command(one: Annotation) -> str:
    place = {"file": one.path, "line": str(one.line), "endLine": str(one.end_line)}
    return workflow_command(LEVELS[one.severity], {**place, "title": one.title}, one.message)


def _line(one: Annotation) -> str:
    place = terminal_line(f"{one.path}:{one.line}: {one.title}")
    return "\n".join((place, *_quoted(one.message)))


def _annotation(one: Annotation) -> dict[str, object]:
    """The severity by its name, not by its definition."""
    return {
        "fingerprint": one.fingerprint,
        "severity": one.severity.label,
        "path": one.path,
        "line": one.line,
        "end_line": one.end_line,
        "title": one.title,
        "message": one.message,
    }
