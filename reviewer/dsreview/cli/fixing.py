"""From a review to files with its suggestions in them, or to a patch."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dsreview.applying.git_patch import git_patch
from dsreview.applying.session import Session, verified
from dsreview.applying.targets import target_of
from dsreview.applying.values import NotApplied, Target
from dsreview.cli.run import Reviewed, reviewed, warn_of_model
from dsreview.errors import ReviewError, UsageError
from dsreview.finding import Finding
from dsreview.report import count_of
from dsreview.sanitize import terminal_line, terminal_safe
from dsreview.sources import SourceRequest
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.repository import find_repository

NOT_ALL = ReviewError.exit_code
PATCH_PLACE = "names in the patch start at the top of the repository; run git apply there"
"""In a folder below, it passes over what lies outside without a word."""


def fix_all(request: SourceRequest, flags: Mapping[str, object]) -> int:
    """Review, apply what is verified, and say the exit code.

    Raises:
        UsageError: what was reviewed is not what lies on disk.
    """
    target = target_of(request)
    if not isinstance(target, Target):
        raise UsageError(f"nothing can be applied: {target}; --dry-run prints a patch")
    repository = find_repository(request.folder, request.git_dir)
    with (
        reviewed(request, flags) as done,
        CleanRoom(repository) as room,
        Session(done.change.head, target, room) as session,
    ):
        applied: list[Finding] = []
        refused: list[str] = []
        for findings in verified(done.report.findings).values():
            try:
                plan = session.plan(findings)
                refused += plan.refused
                if plan.chosen:
                    session.apply(plan)
            except NotApplied as error:
                refused.append(str(error))
                continue
            applied += plan.chosen
            if plan.chosen:
                words = f"applied to {target.value}: {plan.rewrite.summary}"
                _say(f"{plan.rewrite.path}: {words}")
    return _finish(done, applied, refused)


def print_patch(request: SourceRequest, flags: Mapping[str, object]) -> int:
    """Review, print what would be applied as one patch, and say the exit code."""
    with reviewed(request, flags) as done, Session(done.change.head) as session:
        plans = [session.plan(one) for one in verified(done.report.findings).values()]
    patch = b"".join(git_patch(plan.rewrite) for plan in plans)
    _write(patch)
    top = find_repository(request.folder, request.git_dir).worktree
    if patch and top not in (None, Path.cwd()):
        sys.stderr.write(f"note: {PATCH_PLACE}\n")
    refused = [reason for plan in plans for reason in plan.refused]
    _explain(refused)
    warn_of_model(done.report)
    nothing_found = replace(done.report, findings=())
    code = nothing_found.exit_code(done.config.fail_on, partial_ok=done.config.partial_ok)
    return NOT_ALL if refused else code


def _finish(done: Reviewed, applied: Sequence[Finding], refused: Sequence[str]) -> int:
    """Tell what is left, and say the exit code."""
    left = tuple(one for one in done.report.findings if one not in applied)
    _explain(refused)
    for finding in left:
        message = f"{finding.severity.label} {finding.rule}: {finding.message}"
        _say(f"{finding.path}:{finding.span.start}: left: {message}")
    for gap in done.report.gaps:
        _say(f"{gap.path}: {gap.state.value}: {gap.reason}")
    _say(f"{count_of(len(applied), 'suggestion')} applied, {count_of(len(left), 'finding')} left")
    warn_of_model(done.report)
    report = replace(done.report, findings=left)
    code = report.exit_code(done.config.fail_on, partial_ok=done.config.partial_ok)
    return NOT_ALL if refused and not code else code


def _explain(refused: Sequence[str]) -> None:
    for reason in refused:
        sys.stderr.write(f"not applied: {terminal_line(reason)}\n")


def _say(text: str) -> None:
    sys.stdout.write(f"{terminal_line(text)}\n")


def _write(patch: bytes) -> None:
    """Exact bytes for a program; on a terminal, nothing that acts on it."""
    if sys.stdout.isatty():
        sys.stdout.write(terminal_safe(patch.decode("utf-8", "surrogateescape")))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(patch)
