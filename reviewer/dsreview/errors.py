"""Every error that dsreview raises on purpose; caught once, in `cli`.

A message says where, what, and what is allowed: lower case, no blame, no stop.
"""

from typing import ClassVar


class DsreviewError(Exception):
    """Base of the tree; `exit_code` is what the command ends with."""

    exit_code: ClassVar[int] = 3


class UsageError(DsreviewError):
    """Arguments, a configuration file or an input that cannot be taken."""

    exit_code = 2


class ConfigurationError(UsageError):
    """A key or value of a configuration file is not allowed."""


class RevisionError(UsageError):
    """A revision or range that names no commit of the repository."""


class NotARepositoryError(UsageError):
    """The folder is in no git repository."""


class PatchError(UsageError):
    """A patch that cannot be read."""


class RuleError(UsageError):
    """A rule file that cannot be used."""


class ReviewError(DsreviewError):
    """The review could not run, or not to its end."""


class NothingToReview(ReviewError):
    """What a job was started for is settled meanwhile: nobody waits for a review of it."""

    exit_code = 0


class GitError(ReviewError):
    """git failed where it should not."""


class BackendError(ReviewError):
    """The model could not be loaded, reached or understood."""


class PromptTooLongError(BackendError):
    """A prompt and its answer would not fit the model's window."""


class GitHubError(ReviewError):
    """GitHub refuses, cannot be reached or takes too long."""


class NotebookError(ReviewError):
    """A notebook whose cells cannot be read: the reason is for the coverage row."""


class TaskFailed(ReviewError):
    """A task in the sandbox did not end well: the reason is for the coverage row.

    Not an error of the run: whoever called turns it into "not checked".
    """


class DownloadError(DsreviewError):
    """A model cannot be downloaded, or what came is not what the hub announced."""
