"""Code that a repository's own patterns keep from being reviewed: no commit of it is silent."""

from collections.abc import Sequence

from dsreview import languages
from dsreview.change import Change
from dsreview.name_rules import left_out_by_name
from dsreview.patch import FilePatch, FileStatus
from dsreview.report import count_of
from dsreview.selection import ignores


def words_on_excluded(change: Change, exclude: Sequence[str]) -> str:
    """A line on the files of a change that are left out; empty where there are none.

    Args:
        exclude: patterns of the repository's settings.
    """
    ignored = ignores(change.settings, exclude)
    files = [file for file in change.patch.files if _is_code(file)]
    where = [one.where for file in files for one in ignored if one.reason(file.path)]
    if not where:
        return ""
    num = sum(any(one.reason(file.path) for one in ignored) for file in files)
    names = " and ".join(dict.fromkeys(where))
    return f"dsreview: {count_of(num, 'file')} not reviewed: excluded by the repository ({names})"


def _is_code(file: FilePatch) -> bool:
    if file.status is FileStatus.DELETED or left_out_by_name(file.path) is not None:
        return False
    return languages.detect(file.path) is not None
