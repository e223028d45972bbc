"""What goes wrong, and where: one fault at chosen requests."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from dsreview.fake_github.replies import Reply, error
from dsreview.fake_github.world import World


class Wire(Enum):
    """How the answer's bytes leave."""

    WHOLE = "whole"
    RESET = "reset"
    """No byte, and the connection is reset."""
    CLOSED = "closed"
    """No byte, and the connection is closed in good order."""
    HALF_HEAD = "half of the head"
    HALF_BODY = "half of the body"
    DRIP = "drop by drop"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that can go wrong with one request."""

    name: str
    doc: str
    reply: Callable[[], Reply] | None = None
    """Sent in place of the true answer."""
    commits: bool = False
    """Whether GitHub does what was asked, although it does not say so."""
    wire: Wire = Wire.WHOLE
    delay_s: float = 0.0
    """Before the first byte of the answer."""
    drip_s: float = 0.0
    """Between two drops of the answer's body, 16 bytes each."""
    change: Callable[[World], None] | None = None
    """What happens to the pull request before GitHub looks at this request."""
    change_after: Callable[[World], None] | None = None
    """What happens to it once GitHub has answered this request."""
    refused_comment: int | None = None
    """Index of the comment in the first review asked for; it is refused then and for ever."""
    times: int | None = 1
    """How many of the chosen requests it befalls; None: all."""


@dataclass(slots=True)
class Injection:
    """A fault at the requests that `method` and `path` match."""

    fault: Fault
    method: str = "*"
    path: str = ""
    """A regular expression, searched in the path."""
    skip: int = 0
    """So many of the matching requests go well first."""
    times: int | None = 1
    seen: int = 0
    fired: int = 0
    remembered: Any = field(default=None)

    def is_due(self, method: str, path: str) -> bool:
        """Whether it befalls this request; counts it."""
        if self.method not in ("*", method) or not re.search(self.path, path):
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True

    def refusal(self, body: Any) -> Reply | None:
        """Of a review that holds the comment which the fault chose when it first saw one."""
        index = self.fault.refused_comment
        comments = body.get("comments", []) if isinstance(body, dict) else []
        if index is None:
            return None
        if self.remembered is None and -len(comments) <= index < len(comments):
            self.remembered = comments[index]
        if self.remembered not in comments:
            return None
        said = "Pull request review thread line must be part of the diff"
        hunk = "Pull request review thread diff hunk can't be blank"
        return error(422, "Unprocessable Entity", [f"{said} and {hunk}"])
