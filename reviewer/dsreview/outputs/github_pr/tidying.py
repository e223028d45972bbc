"""Hides comments and resolves threads: nice to have, so what fails is a note and no error.

Both may be done twice.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.client import GitHub
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


def hide(github: GitHub, outdated: Sequence[str], duplicates: Sequence[str]) -> Iterator[str]:
    """Node ids of comments; a note where some were not hidden."""
    reasons = dict.fromkeys(outdated, OUTDATED) | dict.fromkeys(duplicates, DUPLICATE)
    for done, (id_, why) in enumerate(reasons.items()):
        try:
            github.mutate(MINIMIZE, "hide a comment", id=id_, why=why)
        except GitHubError as error:
            yield f"{count_of(len(reasons) - done, 'comment')} not hidden: {error}"
            return


def resolve(github: GitHub, threads: Sequence[str]) -> Iterator[str]:
    """Node ids of threads; a note where some were not resolved."""
    for done, id_ in enumerate(threads):
        try:
            github.mutate(RESOLVE, "resolve a thread", id=id_)
        except GitHubError as error:
            yield f"{count_of(len(threads) - done, 'thread')} not resolved: {error}"
            return
