"""What is asked of a parsed source; run only in the sandbox.

`SCOPES`: which scopes hold these lines; `SCOPES_AT`: the same, each scope once.
`SYNTAX`: does an edit bring syntax errors.
`NAMES`: which identifiers a source or a part of it uses, defines and imports.
`COMMENTS`: which places lie in comments.
`OUTLINE`: which other lines of the file help with some of its lines.
"""

from dataclasses import dataclass

from dsreview import languages
from dsreview.languages.names import Name, names
from dsreview.languages.outline import Outline, Region, outlines
from dsreview.languages.scopes import Scope, enclosing_scopes, scopes_at
from dsreview.languages.syntax import (
    SyntaxErrors,
    python_refuses,
    syntax_errors,
    without_prefixes,
)
from dsreview.patch import Span
from dsreview.sandbox import Task


@dataclass(frozen=True, slots=True)
class ScopesRequest:
    language: str
    source: bytes
    lines: tuple[int, ...]
    """1-based; a line beyond the file has no scope."""


@dataclass(frozen=True, slots=True)
class ScopesReply:
    chains: tuple[tuple[Scope, ...], ...]
    """One per line asked for, outermost scope first."""


def scopes(request: ScopesRequest) -> ScopesReply:
    language = languages.by_name(request.language)
    tree = languages.parse(request.language, request.source)
    return ScopesReply(enclosing_scopes(tree, language, request.lines))


SCOPES = Task("dsreview.languages.tasks:scopes", ScopesRequest, ScopesReply)


@dataclass(frozen=True, slots=True)
class ScopesAtReply:
    scopes: tuple[Scope, ...]
    """All that hold one of the lines, an outer scope before those inside it."""


def find_scopes(request: ScopesRequest) -> ScopesAtReply:
    language = languages.by_name(request.language)
    tree = languages.parse(request.language, request.source)
    return ScopesAtReply(tuple(scopes_at(tree, language, request.lines)))


SCOPES_AT = Task("dsreview.languages.tasks:find_scopes", ScopesRequest, ScopesAtReply)


@dataclass(frozen=True, slots=True)
class Place:
    line: int
    """1-based."""
    column: int
    """0-based, in bytes."""


@dataclass(frozen=True, slots=True)
class CommentsRequest:
    language: str
    source: bytes
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class CommentsReply:
    are_in_comments: tuple[bool, ...]
    """One per place."""


def find_comments(request: CommentsRequest) -> CommentsReply:
    root = languages.parse(request.language, request.source).root_node
    found = []
    for place in request.places:
        point = (place.line - 1, place.column)
        node = root.descendant_for_point_range(point, point)
        found.append(node is not None and "comment" in node.type)
    return CommentsReply(tuple(found))


COMMENTS = Task("dsreview.languages.tasks:find_comments", CommentsRequest, CommentsReply)


@dataclass(frozen=True, slots=True)
class SyntaxRequest:
    """A source before and after an edit, with the lines that the edit replaced and wrote."""

    language: str
    before: bytes
    after: bytes
    before_span: Span
    after_span: Span


@dataclass(frozen=True, slots=True)
class SyntaxReply:
    """An edit parses where `after.num_errors <= before.num_errors` and, for Python,
    where `refused_after` is None or `refused_before` is not.

    Where `before.num_in_scope > 0` the parser did not understand the scope before either:
    then nothing is proved.
    """

    before: SyntaxErrors
    after: SyntaxErrors
    refused_before: str | None
    """Python only: why `compile` refuses it; None where it does not or is not asked."""
    refused_after: str | None


def syntax(request: SyntaxRequest) -> SyntaxReply:
    is_python = request.language == "python"
    before, after = (
        _errors(request.language, request.before, request.before_span),
        _errors(request.language, request.after, request.after_span),
    )
    if request.language in ("c", "cpp") and (before.num_in_scope or after.num_errors):
        clear = (
            _errors(request.language, without_prefixes(request.before), request.before_span),
            _errors(request.language, without_prefixes(request.after), request.after_span),
        )
        if _num_errors(*clear) < _num_errors(before, after):
            before, after = clear
    return SyntaxReply(
        before=before,
        after=after,
        refused_before=python_refuses(request.before) if is_python else None,
        refused_after=python_refuses(request.after) if is_python else None,
    )


def _num_errors(*sides: SyntaxErrors) -> int:
    return sum(side.num_errors for side in sides)


def _errors(name: str, source: bytes, span: Span) -> SyntaxErrors:
    tree = languages.parse(name, source)
    ends = enclosing_scopes(tree, languages.by_name(name), (span.start, span.last))
    around = [scope for scope in ends[0] if scope in ends[1] and scope.kind.is_function_like]
    return syntax_errors(tree, around[-1].span if around else None, name)


SYNTAX = Task("dsreview.languages.tasks:syntax", SyntaxRequest, SyntaxReply)


@dataclass(frozen=True, slots=True)
class NamesRequest:
    language: str
    source: bytes
    span: Span | None = None
    """Only names on these lines; None for the whole source."""


@dataclass(frozen=True, slots=True)
class NamesReply:
    names: tuple[Name, ...]
    """In source order; the same name twice on a line in the same role comes once."""


def find_names(request: NamesRequest) -> NamesReply:
    language = languages.by_name(request.language)
    tree = languages.parse(request.language, request.source)
    return NamesReply(tuple(dict.fromkeys(names(tree, language, request.span))))


NAMES = Task("dsreview.languages.tasks:find_names", NamesRequest, NamesReply)


@dataclass(frozen=True, slots=True)
class OutlineRequest:
    language: str
    source: bytes
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class OutlineReply:
    outlines: tuple[Outline, ...]
    """One per region asked for."""


def find_outlines(request: OutlineRequest) -> OutlineReply:
    language = languages.by_name(request.language)
    tree = languages.parse(request.language, request.source)
    return OutlineReply(outlines(tree, language, request.regions))


OUTLINE = Task("dsreview.languages.tasks:find_outlines", OutlineRequest, OutlineReply)
