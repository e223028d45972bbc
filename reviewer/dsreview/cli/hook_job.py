"""The process that a hook leaves behind: it has no terminal, no pipe and no variable of git."""

import os
from contextlib import ExitStack

from dsreview.change import Change
from dsreview.config import Config
from dsreview.githook.job_review import do_job
from dsreview.progress import SilentProgress
from dsreview.report import Report
from dsreview.review import review
from dsreview.review_tools import open_tools

NICENESS = 10
"""Whoever works at the machine goes first."""


def main(fd: int) -> None:
    os.nice(NICENESS)
    do_job(fd, _review)


def _review(change: Change, config: Config, stack: ExitStack) -> Report:
    return review(change, config, open_tools(config, SilentProgress(), stack))
