"""Hides comments and resolves threads: nice to have, so what fails is a note and no error.

Both may be done twice. A thread is resolved only once its comment is hidden: a finding that
comes back is told again after a hidden comment, and not after a resolved one.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.existing import fetch_threads
from dsreview.outputs.github_pr.refused_comments import clear_unsubmitted
from dsreview.outputs.github_pr.survey import Survey, take_survey
from dsreview.outputs.github_pr.values import PostingPlan
from dsreview.report import count_of

OUTDATED: Final = "OUTDATED"
DUPLICATE: Final = "DUPLICATE"
MINIMIZE: Final = """\
mutation($id: ID!, $why: ReportedContentClassifiers!) {
  minimizeComment(input: {subjectId: $id, classifier: $why}) {
    minimizedComment { isMinimized }
  }
}
"""
RESOLVE: Final = """\
mutation($id: ID!) {
  resolveReviewThread(input: {threadId: $id}) {
    thread { isResolved }
  }
}
"""


def tidy(
    github: GitHub, address: PullAddress, plan: PostingPlan, before: Survey, late_of: str
) -> Iterator[str]:
    """Yields a note for what was not done.

    Whoever planned has read a stranger's words: nothing but ours is touched.

    Args:
        before: what was there before anything was posted.
        late_of: our login, where another run, on another machine, may have posted since.
    """
    ours = {comment.node_id for comment in before.comments}
    outdated = tuple(id_ for id_ in plan.minimize if id_ in ours)
    try:
        duplicates: tuple[str, ...] = ()
        if late_of:
            survey = take_survey(github, address, late_of)
            duplicates = survey.duplicates(plan)
            clear_unsubmitted(github, address, survey)  # what came late
        yield from _hide(github, outdated, duplicates)
        if plan.resolve:
            yield from _resolve(github, _hidden_threads(github, address, plan))
    except GitHubError as error:
        yield f"not all was hidden and resolved: {error}"


def _hide(github: GitHub, outdated: Sequence[str], duplicates: Sequence[str]) -> Iterator[str]:
    """Node ids of comments; a note where some were not hidden."""
    reasons = dict.fromkeys(outdated, OUTDATED) | dict.fromkeys(duplicates, DUPLICATE)
    for done, (id_, why) in enumerate(reasons.items()):
        try:
            github.mutate(MINIMIZE, "hide a comment", id=id_, why=why)
        except GitHubError as error:
            yield f"{count_of(len(reasons) - done, 'comment')} not hidden: {error}"
            return


def _hidden_threads(github: GitHub, address: PullAddress, plan: PostingPlan) -> tuple[str, ...]:
    """Those of ours that the plan wants resolved, and whose comments are hidden by now."""
    threads = fetch_threads(github, address).values()
    hidden = {thread.id for thread in threads if thread.is_ours and thread.is_minimized}
    return tuple(id_ for id_ in plan.resolve if id_ in hidden)


def _resolve(github: GitHub, threads: Sequence[str]) -> Iterator[str]:
    """Node ids of threads; a note where some were not resolved."""
    for done, id_ in enumerate(threads):
        try:
            github.mutate(RESOLVE, "resolve a thread", id=id_)
        except GitHubError as error:
            yield f"{count_of(len(threads) - done, 'thread')} not resolved: {error}"
            return
