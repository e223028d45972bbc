"""Hides comments and resolves threads: nice to have, so what fails is a note and no error.

Both may be done twice.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.client import GitHub
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


def tidy(github: GitHub, plan: PostingPlan, duplicates: Sequence[str]) -> Iterator[str]:
    """Do what `plan` wants hidden and resolved; a note for each kind that was not done."""
    hidden = tuple((id_, OUTDATED) for id_ in plan.minimize)
    twice = tuple((id_, DUPLICATE) for id_ in duplicates)
    yield from _hide(github, (*hidden, *twice))
    for done, id_ in enumerate(plan.resolve):
        try:
            github.mutate(RESOLVE, "resolve a thread", id=id_)
        except GitHubError as error:
            yield f"{count_of(len(plan.resolve) - done, 'thread')} not resolved: {error}"
            return


def _hide(github: GitHub, comments: Sequence[tuple[str, str]]) -> Iterator[str]:
    for done, (id_, why) in enumerate(comments):
        try:
            github.mutate(MINIMIZE, "hide a comment", id=id_, why=why)
        except GitHubError as error:
            yield f"{count_of(len(comments) - done, 'comment')} not hidden: {error}"
            return
