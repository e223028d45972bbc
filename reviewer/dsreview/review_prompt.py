"""Prompts filled from the templates in `prompts/`.

A template is messages, each headed by `--- system` or `--- user`, perhaps `--- examples`
that end the message before them and can be left out, and perhaps pieces of `--- advice`.
`$name` stands for a variable; a template names exactly the variables that it is given.
Whatever is filled in is an untrusted piece, in which invisible characters are written out,
so that nobody can hide from people what a model reads.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

from dsreview.context import Context, make_visible
from dsreview.errors import ReviewError
from dsreview.prompt import Message, Prompt, Role, Text

MAX_LINE_CHARS: Final = 2_000
"""Longer lines are generated code; models read them at the cost of all the others."""

_HEADING: Final = re.compile(r"^--- (system|user|assistant|examples|advice)\n", re.MULTILINE)
_EXAMPLES: Final = re.compile(r"^--- examples\n.*?(?=^--- |\Z)", re.MULTILINE | re.DOTALL)
_VARIABLE: Final = re.compile(r"\$([a-z_]+)")
_REVIEW_VARIABLES: Final = frozenset({"path", "language", "scope", "outline", "code"})
_REPAIR_VARIABLES: Final = frozenset(
    {"path", "language", "line", "message", "code", "place", "replacement", "allowed"}
    | {"constraint", "violation", "violation_line", "requirement", "advice"}
)


class TemplateError(ReviewError):
    """A template that cannot be filled."""


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    revision: str
    """Hash of its text, as far as it is used, and of the answer's schema."""
    messages: tuple[tuple[Role, str], ...]
    advice: tuple[str, ...]
    schema: str

    def fill(self, values: Mapping[str, str]) -> Prompt:
        """The prompt with `values` in place of its variables."""
        messages = tuple(Message(role, _pieces(text, values)) for role, text in self.messages)
        return Prompt(self.name, self.revision, messages, self.schema)


def read_template(
    name: str, text: str, schema: str, known: frozenset[str], *, has_examples: bool = True
) -> Template:
    """A template from the text of its file, with its examples or without.

    Raises:
        TemplateError: it has no message, or names other variables than `known`.
    """
    if not has_examples:
        text = _EXAMPLES.sub("", text)
    parts = _HEADING.split(text)
    if len(parts) < 3 or parts[0].strip():
        raise TemplateError(f"prompts/{name}.md: must begin with --- system or --- user")
    sections = [
        (head, body.removesuffix("\n")) for head, body in zip(parts[1::2], parts[2::2], strict=True)
    ]
    messages = tuple(_messages(sections))
    used = {match for _, body in messages for match in _VARIABLE.findall(body)}
    if used != known:
        wrong = ", ".join(f"${variable}" for variable in sorted(used ^ known))
        names = ", ".join(f"${variable}" for variable in sorted(known))
        raise TemplateError(f"prompts/{name}.md: mismatched variables {wrong}; known are {names}")
    compact = json.dumps(json.loads(schema), separators=(",", ":"))
    revision = hashlib.sha256(f"{text}\0{compact}".encode()).hexdigest()[:12]
    advice = tuple(body for head, body in sections if head == "advice")
    return Template(name, revision, messages, advice, compact)


def _messages(sections: Sequence[tuple[str, str]]) -> Iterator[tuple[Role, str]]:
    """Each message with the examples behind it."""
    for (head, body), (following, more) in pairwise([*sections, ("", "")]):
        if head not in ("advice", "examples"):
            yield Role(head), f"{body}\n{more}" if following == "examples" else body


@cache
def review_template(*, has_examples: bool = True) -> Template:
    """With or without its worked examples; each has a revision of its own."""
    return _shipped("review", "answer.schema.json", _REVIEW_VARIABLES, has_examples=has_examples)


@cache
def repair_template() -> Template:
    return _shipped("repair", "repair.schema.json", _REPAIR_VARIABLES)


def review_prompt(context: Context, *, has_examples: bool = True) -> Prompt:
    """What a model is asked about one context; the system message is the same for all."""
    file = context.file
    scopes = ", ".join(scope.name for scope in context.scopes)
    return review_template(has_examples=has_examples).fill(
        {
            "path": file.path,
            "language": file.language or "unknown",
            "scope": scopes or "(top level)",
            "outline": context.outline.strip("\n") or "(nothing)",
            "code": context.code.strip("\n"),
        }
    )


def shown(text: str) -> str:
    """`text` as models see it: no invisible characters, no endless lines."""
    lines = text.replace("\r", "").split("\n")
    return "\n".join(_shortened(make_visible(line)) for line in lines)


def _shortened(line: str) -> str:
    if len(line) <= MAX_LINE_CHARS:
        return line
    return f"{line[:MAX_LINE_CHARS]} ... {len(line) - MAX_LINE_CHARS} more characters"


def _shipped(
    name: str, schema: str, known: frozenset[str], *, has_examples: bool = True
) -> Template:
    folder = files("dsreview.prompts")
    text = folder.joinpath(f"{name}.md").read_text("utf-8")
    schema_text = folder.joinpath(schema).read_text("utf-8")
    return read_template(name, text, schema_text, known, has_examples=has_examples)


def _pieces(text: str, values: Mapping[str, str]) -> tuple[Text, ...]:
    parts = _VARIABLE.split(text)
    pieces = [
        Text(shown(values[part]), is_trusted=False) if index % 2 else Text(part, is_trusted=True)
        for index, part in enumerate(parts)
    ]
    return tuple(piece for piece in pieces if piece.text)
