"""The page of a workflow run: Markdown that is appended to a file which the runner names.

GitHub shows nothing of a step's summary that is larger than 1 MiB, so a longer one is cut
here, between two blocks, and says so.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from dsreview.sanitize import markdown_safe

VARIABLE = "GITHUB_STEP_SUMMARY"
MAX_BYTES = 1 << 20
_CUT = "\n\n**The rest is left out: a summary may have 1 MiB.**\n"
_FENCE = re.compile(rb"(`{3,})")


def append(text: str, environment: Mapping[str, str]) -> None:
    """Add `text` to the summary of this step; nothing outside Actions.

    Raises:
        OSError: the runner's file cannot be written.
    """
    name = environment.get(VARIABLE, "")
    if not name:
        return
    with Path(name).open("ab") as file:
        file.write(bounded(text, MAX_BYTES - file.tell()))


def nothing_to_review(reason: str) -> str:
    return f"## dsreview: nothing to review\n\n{markdown_safe(reason)}\n"


def failure(pull: str, reason: str) -> str:
    """What the summary says where there is no review.

    Args:
        pull: as `OWNER/REPO#N`; empty where it is not known yet.
    """
    name = f" {markdown_safe(pull)}" if pull else ""
    return (
        f"## dsreview: the review{name} failed\n\n"
        f"Nothing of this pull request was reviewed in this run: {markdown_safe(reason)}\n"
    )


def bounded(text: str, max_bytes: int) -> bytes:
    """`text` as UTF-8 of at most `max_bytes`, cut where no block of code is open."""
    content = text.encode("utf-8", "replace")
    if len(content) <= max_bytes:
        return content
    notice = _CUT.encode()
    room = max_bytes - len(notice)
    kept = at = 0
    fence = b""
    for line in content.splitlines(keepends=True):
        if not line.strip() and not fence:
            kept = at
        at += len(line)
        if at > room:
            break
        fence = _fence_after(line, fence)
    return (content[:kept].rstrip() + notice)[: max(max_bytes, 0)]


def _fence_after(line: bytes, fence: bytes) -> bytes:
    """The fence that is open behind `line`; empty for none."""
    match = _FENCE.match(line)
    if match is None:
        return fence
    if not fence:
        return match[1]
    return b"" if match[1] == fence and line.strip() == fence else fence
