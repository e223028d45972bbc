"""The other side of a job: reviews, keeps the result, and tells who wants to know."""

import signal
import time
from contextlib import ExitStack

from dsreview.config import Config, load, user_config_file
from dsreview.errors import DsreviewError
from dsreview.githook.background import MAX_S, Job, alone, is_superseded, taken
from dsreview.githook.hook_review import Review
from dsreview.githook.notification import notify
from dsreview.githook.results import ChangeResult, HookResult, ResultStore
from dsreview.githook.showing import change_result
from dsreview.githook.verdict import Verdict
from dsreview.sources import SourceRequest, open_change


def do_job(fd: int, review: Review) -> None:
    """Do the job behind an open file. A job that takes too long ends the process."""
    with taken(fd) as (path, job), alone():
        if is_superseded(path, job):
            return
        signal.alarm(MAX_S)  # waiting for others does not count
        changes: list[ChangeResult] = []
        problem, wants_to_know = "", True
        try:
            for request in job.requests:
                result, config = _review(request, job, review)
                changes.append(result)
                wants_to_know &= config.notify
        except DsreviewError as error:
            problem = str(error)
        done = HookResult(job.event, time.time(), tuple(changes), problem)
        ResultStore(job.folder).keep_unshown(done)
        text = _news(done)
        if text and wants_to_know:
            notify(f"dsreview: {job.name}", text)


def _review(request: SourceRequest, job: Job, review: Review) -> tuple[ChangeResult, Config]:
    with open_change(request) as change, ExitStack() as stack:
        config = load(change.settings, job.flags, user_file=user_config_file())
        report = review(change, config, stack)
        verdict = Verdict(0, (f"dsreview: {report.verdict}",))
        return change_result(report, change, verdict), config


def _news(result: HookResult) -> str:
    """Empty where nobody need be disturbed."""
    if result.problem:
        return f"not reviewed: {result.problem}"
    texts = [
        change.report.verdict
        for change in result.changes
        if change.report.findings or change.report.gaps
    ]
    return "; ".join(texts)
