"""What YAML cannot say of a match: named in a rule's `metadata.dsreview.filters`.

They run in the sandbox, on ast-grep's nodes. In doubt a filter says no.
"""

import ast
import re
import string
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode

PERCENT = re.compile(
    r"%(?P<key>\([^)]*\))?[#0\- +]*(?P<width>\*|\d+)?"
    r"(?:\.(?P<precision>\*|\d+))?[hlL]?(?P<type>.|$)",
    re.DOTALL,
)
LITERAL_KEYS = frozenset(("string", "integer", "number", "property_identifier"))
PERCENT_TYPES = frozenset("diouxXeEfFgGcrsa")
NO_VALUES = frozenset(("comment", "line_continuation"))
"""Named nodes of Python that may stand between values."""


def percent_count_differs(match: "SgNode") -> bool:
    """`FORMAT % (a, b)` of Python with other than two places."""
    places = _num_percent_places(_python_text(match.get_match("FORMAT")))
    right = match.field("right")
    values = right.named_children() if right is not None else []
    if places is None or any(value.kind() == "list_splat" for value in values):
        return False
    return places != sum(value.kind() not in NO_VALUES for value in values)


def format_places_missing(match: "SgNode") -> bool:
    """`FORMAT.format(...)` of Python that names more than it is given."""
    text = _python_text(match.get_match("FORMAT"))
    values = [value.kind() for value in match.get_multiple_matches("VALUES")]
    if text is None or "list_splat" in values or "dictionary_splat" in values:
        return False
    places = _format_places(text)
    if places is None:
        return False
    keywords = {
        name.text()
        for value in match.get_multiple_matches("VALUES")
        if value.kind() == "keyword_argument" and (name := value.field("name")) is not None
    }
    num_positional = sum(
        value.is_named() and value.kind() not in NO_VALUES | {"keyword_argument"}
        for value in match.get_multiple_matches("VALUES")
    )
    return places.num_positional > num_positional or not places.names <= keywords


def logging_count_differs(match: "SgNode") -> bool:
    """A call of Python's logging whose message has another number of places than values."""
    text = _python_text(match.get_match("FORMAT"))
    given = [value for value in match.get_multiple_matches("VALUES") if value.is_named()]
    values = [v.kind() for v in given if v.kind() not in NO_VALUES | {"keyword_argument"}]
    if not values or text is None or "{" in text:
        return False
    if not {"list_splat", "dictionary_splat", "dictionary"}.isdisjoint(values):
        return False
    places = _num_percent_places(text)
    return places is not None and places != len(values)


def braces_name_a_local(match: "SgNode") -> bool:
    """All `{name}` of a Python text are parameters or variables of its function."""
    names = set(re.findall(r"(?<!\{)\{([a-z_][a-z0-9_]*)\}(?!\})", match.text()))
    function = next((a for a in match.ancestors() if a.kind() == "function_definition"), None)
    if function is None or not names:
        return False
    bound: set[str] = set()
    parameters = function.field("parameters")
    if parameters is not None:
        bound.update(name.text() for name in parameters.find_all(kind="identifier"))
    for kind in ("assignment", "for_statement"):
        for statement in function.find_all(kind=kind):
            left = statement.field("left")
            bound.update([left.text()] if left is not None else ())
    return names <= bound


def makes_a_coroutine(match: "SgNode") -> bool:
    """A statement of Python that calls an `async def` of its file or class, or sleeps."""
    call = re.match(r"(self\.|asyncio\.)?(\w+)\(", match.text())
    if call is None:
        return False
    name = call[2]
    if call[1] == "asyncio.":
        return name == "sleep"
    if f"async def {name}" not in match.get_root().root().text():  # fast, and mostly so
        return False
    scope = match.get_root().root()
    if call[1] == "self.":
        classes = [a for a in match.ancestors() if a.kind() == "class_definition"]
        if not classes:
            return False
        scope = classes[0]
    text = scope.text()
    definitions = re.findall(rf"(?m)^([ \t]*)(async )?def {name}\b", text)
    if len(definitions) != 1 or definitions[0][1] == "":
        return False  # another one of this name may be meant
    if call[1] is None and definitions[0][0] != "":
        return False
    is_decorated = re.search(rf"(?m)^[ \t]*[@)].*\n[ \t]*async def {name}\b", text)
    is_bound_again = re.search(rf"\b{name}\s*(:[^=\n]*)?=(?!=)|\b(import|as|for) {name}\b", text)
    return is_decorated is None and is_bound_again is None


def same_operands(match: "SgNode") -> bool:
    """The first and the last operand are the same text.

    ast-grep takes two texts for equal where their escape sequences are: `"a\\n"` and
    `"b\\n"`. A rule that names a variable twice needs this filter or the next.
    """
    operands = [child for child in match.named_children() if child.kind() != "comment"]
    if len(operands) < 2:
        return False
    first, last = [operands[0]], [operands[-1]]
    if operands[0].kind() == match.kind():  # `a && b && a`
        first.extend(operands[0].named_children()[:1])
    if operands[-1].kind() == match.kind():  # and as Swift's grammar groups it
        last.extend(operands[-1].named_children()[-1:])
    return any(_words(one) == _words(other) for one in first for other in last)


def same_branches(match: "SgNode") -> bool:
    """Both branches of an `if` or `?:` of Ruby or Swift are the same text."""
    kinds = ("statements",) if match.kind() == "if_statement" else ("then", "else")
    branches = [child for child in match.children() if child.kind() in kinds]
    texts = [_words(branch) for branch in branches or match.named_children()[-2:]]
    bodies = [words[1:] if words[:1] in (["then"], ["else"]) else words for words in texts]
    return len(bodies) == 2 and bodies[0] == bodies[1]


def same_texts(match: "SgNode") -> bool:
    """What was captured as FIRST and as SECOND is the same text."""
    first, second = match.get_match("FIRST"), match.get_match("SECOND")
    return first is not None and second is not None and _words(first) == _words(second)


def imports_pyyaml(match: "SgNode") -> bool:
    """`yaml` of this Python file is PyYAML: ruamel.yaml is used under the same name."""
    text = match.get_root().root().text()
    return re.search(r"(?m)^[ \t]*import ([^\n#]*, *)?yaml\b", text) is not None


def duplicate_keys(mapping: "SgNode", lines: Container[int]) -> "Iterator[SgNode]":
    """Literal keys of a dict or object that stand twice with different values."""
    seen: dict[str, SgNode] = {}
    for pair in mapping.named_children():
        key, value = pair.field("key"), pair.field("value")
        if pair.kind() != "pair" or key is None or value is None:
            continue
        if key.kind() not in LITERAL_KEYS or _has_interpolation(key):
            continue
        first = seen.setdefault(key.text(), pair)
        earlier = first.field("value")
        if earlier is not None and _words(earlier) != _words(value):
            yield pair if pair.range().start.line + 1 in lines else first


FILTERS: "Mapping[str, Callable[[SgNode], bool]]" = {
    "braces_name_a_local": braces_name_a_local,
    "format_places_missing": format_places_missing,
    "imports_pyyaml": imports_pyyaml,
    "logging_count_differs": logging_count_differs,
    "makes_a_coroutine": makes_a_coroutine,
    "percent_count_differs": percent_count_differs,
    "same_branches": same_branches,
    "same_operands": same_operands,
    "same_texts": same_texts,
}
"""Each says whether the match counts."""

FINDERS: "Mapping[str, Callable[[SgNode, Container[int]], Iterator[SgNode]]]" = {
    "duplicate_keys": duplicate_keys,
}
"""Each says what in the match the rule is about, given the lines that were asked for:
where looking at each pair in YAML would take quadratic time."""


def _has_interpolation(key: "SgNode") -> bool:
    return any(child.kind() == "interpolation" for child in key.children())


def _words(node: "SgNode") -> list[str]:
    return node.text().split()


@dataclass(frozen=True, slots=True)
class _Places:
    num_positional: int
    names: frozenset[str]


def _python_text(node: "SgNode | None") -> str | None:
    """What a literal of Python stands for; None of an f-string or of bytes."""
    if node is None:
        return None
    try:
        value = ast.literal_eval(f"({node.text()})")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, str) else None


def _num_percent_places(text: str | None) -> int | None:
    """How many values `text % ...` wants; None where they are named or cannot be told."""
    if text is None:
        return None
    count = 0
    for place in PERCENT.finditer(text):
        if place["type"] == "%":
            continue
        if place["key"] is not None or place["type"] not in PERCENT_TYPES:
            return None
        count += 1 + (place["width"] == "*") + (place["precision"] == "*")
    return count


def _format_places(text: str) -> _Places | None:
    """What `text.format` wants; None where the text cannot be read."""
    names: set[str] = set()
    num_automatic = 0
    num_numbered = 0
    pending = [text]
    while pending:
        try:
            fields = list(string.Formatter().parse(pending.pop()))
        except ValueError:
            return None
        for _, field, specification, _ in fields:
            if field is None:
                continue
            name = re.split(r"[.\[]", field, maxsplit=1)[0]
            if name == "":
                num_automatic += 1
            elif name.isdigit():
                num_numbered = max(num_numbered, int(name) + 1)
            else:
                names.add(name)
            pending.extend([specification] if specification else [])
    return _Places(max(num_automatic, num_numbered), frozenset(names))
