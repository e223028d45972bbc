"""One request to GitHub: what is asked, and what counts as an answer to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dsreview.outputs.github_pr.refusals import NoAnswer

GOOD: Final = range(200, 300)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    verb: str
    path: str
    what: str
    kind: type
    """Of a good answer's JSON."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    is_write: bool = False
    is_graphql: bool = False

    @property
    def is_repeatable(self) -> bool:
        return self.verb != "POST" or self.is_graphql

    def is_answered_by(self, answer: object) -> bool:
        """Something in between may say 200 to anything."""
        is_created = self.verb == "POST" and not self.is_graphql
        is_of_kind = isinstance(answer, self.kind)
        return is_of_kind and (not is_created or isinstance(_field(answer, "id"), int))


def _field(answer: object, name: str) -> object:
    return answer.get(name) if isinstance(answer, dict) else None


def json_of(status: int, text: str) -> Any:
    """
    Raises:
        NoAnswer: what says that all is well is no JSON.
    """
    if not text:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        if status in GOOD:
            raise NoAnswer("an answer that is no JSON") from None
        return None  # a page of something in between: the status says enough
