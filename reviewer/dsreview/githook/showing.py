"""Writes what hooks have found, now or in the background earlier, and keeps it."""

import os
import time
from pathlib import Path
from typing import TextIO

from dsreview.change import Change
from dsreview.errors import GitError, UsageError
from dsreview.githook.background import count_jobs
from dsreview.githook.results import ChangeResult, HookResult, ResultStore
from dsreview.githook.verdict import Verdict, is_clean, worth_showing
from dsreview.outputs.base import view_for
from dsreview.report import Report
from dsreview.sanitize import terminal_line
from dsreview.sources import open_blobs
from dsreview.sources.request import Location


def finish(
    report: Report,
    change: Change,
    verdict: Verdict,
    event: str,
    folder: Path,
    stream: TextIO,
    *,
    is_shown: bool = False,
) -> None:
    """Write a report that says anything, and keep each for `dsreview last`.

    Args:
        is_shown: somebody has seen the findings; only what it comes to is written.
    """
    result = change_result(report, change, verdict)
    if is_shown:
        stream.write("".join(f"{terminal_line(line)}\n" for line in verdict.lines))
    elif not is_clean(report):
        from dsreview.outputs.hook_page import hook_page

        view = view_for(stream, os.environ, change.head)
        stream.write(hook_page(result.report, view, verdict.lines))
    stream.flush()
    ResultStore(folder).keep_last(HookResult(event, time.time(), (result,)))


def change_result(report: Report, change: Change, verdict: Verdict) -> ChangeResult:
    """What is kept of a review."""
    paths = dict.fromkeys(finding.path for finding in report.findings)
    blobs = tuple((path, oid) for path in paths if (oid := change.head.identity(path)))
    return ChangeResult(worth_showing(report), blobs, verdict.lines)


def show_news(folder: Path, place: Location, stream: TextIO) -> bool:
    """What ended in the background since the last hook, each result once; whether there was any."""
    has_shown = False
    for result in ResultStore(folder).take_unshown():
        stream.write(f"dsreview: from the review in the background, {_when(result)}:\n")
        show(result, place, stream)
        has_shown = True
    for _ in range(count_jobs(folder).died):
        stream.write("dsreview: a review in the background died; its files were not reviewed\n")
        has_shown = True
    return has_shown


def show(result: HookResult, place: Location, stream: TextIO) -> None:
    """The findings of an earlier run, with the code as it was then."""
    if result.problem:
        stream.write(f"dsreview: not reviewed: {terminal_line(result.problem)}\n")
    for change in result.changes:
        _show_change(change, place, stream)


def _show_change(change: ChangeResult, place: Location, stream: TextIO) -> None:
    from dsreview.outputs.hook_page import hook_page

    try:
        with open_blobs(place.folder, place.git_dir, dict(change.blobs)) as head:
            page = hook_page(change.report, view_for(stream, os.environ, head), change.closing)
    except (GitError, UsageError) as error:
        page = f"dsreview: {terminal_line(str(error))}\n"
    stream.write(page)


def _when(result: HookResult) -> str:
    return time.strftime("%H:%M:%S", time.localtime(result.finished_s))
