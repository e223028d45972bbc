"""Cut GitHub's GraphQL schema to the fields that the fake answers.

    npm pack @octokit/graphql-schema@VERSION && tar xzf octokit-graphql-schema-VERSION.tgz
    python tests/fake_github/cut_graphql.py package/schema.graphql

writes `github-schema.graphql` beside this file. Its licence stands in `NOTICE.md`.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from graphql import (
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    InputObjectTypeDefinitionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    parse,
    print_ast,
)

SCHEMA = Path(__file__).with_name("github-schema.graphql")

COMMENT = "id author body createdAt updatedAt viewerDidAuthor"
MINIMIZABLE = "isMinimized minimizedReason viewerCanMinimize"
CONNECTION = "edges nodes pageInfo totalCount"
EDGE = "cursor node"

# object or interface: the fields that are kept
KEPT = {
    "Query": "id viewer repository node rateLimit",
    "Mutation": "minimizeComment unminimizeComment resolveReviewThread unresolveReviewThread",
    "RateLimit": "cost limit remaining used resetAt",
    "Node": "id",
    "Actor": "login",
    "User": "id login",
    "Bot": "id login",
    "Repository": "id name nameWithOwner isPrivate visibility pullRequest",
    "PullRequest": f"{COMMENT} number title state isDraft merged locked headRefOid baseRefOid"
    " headRefName baseRefName isCrossRepository reviewThreads reviews comments",
    "PullRequestReviewThread": "id isResolved isOutdated isCollapsed line originalLine startLine"
    " originalStartLine path diffSide subjectType resolvedBy viewerCanResolve viewerCanReply"
    " comments",
    "Comment": COMMENT,
    "Minimizable": MINIMIZABLE,
    "PullRequestReviewComment": f"{COMMENT} {MINIMIZABLE} databaseId fullDatabaseId path line"
    " originalLine outdated state subjectType replyTo pullRequestReview",
    "PullRequestReview": f"{COMMENT} {MINIMIZABLE} databaseId fullDatabaseId state submittedAt"
    " comments commit",
    "IssueComment": f"{COMMENT} {MINIMIZABLE} databaseId fullDatabaseId",
    "Commit": "id oid",
    "PageInfo": "startCursor endCursor hasNextPage hasPreviousPage",
    "PullRequestReviewThreadConnection": CONNECTION,
    "PullRequestReviewThreadEdge": EDGE,
    "PullRequestReviewCommentConnection": CONNECTION,
    "PullRequestReviewCommentEdge": EDGE,
    "PullRequestReviewConnection": CONNECTION,
    "PullRequestReviewEdge": EDGE,
    "IssueCommentConnection": CONNECTION,
    "IssueCommentEdge": EDGE,
    "MinimizeCommentPayload": "clientMutationId minimizedComment",
    "UnminimizeCommentPayload": "clientMutationId unminimizedComment",
    "ResolveReviewThreadPayload": "clientMutationId thread",
    "UnresolveReviewThreadPayload": "clientMutationId thread",
}


BUILT_IN = {"Boolean", "Float", "ID", "Int", "String"}


def cut(schema: str) -> str:
    """The kept fields of `schema`, and every scalar, enum and input that they name.

    Raises:
        KeyError: the schema lacks a type; ValueError: it lacks a field.
    """
    types = {
        node.name.value: node
        for node in parse(schema, no_location=True).definitions
        if isinstance(node, TypeDefinitionNode)
    }
    texts: dict[str, str] = {}
    pending = list(KEPT)
    while pending:
        name = pending.pop(0)
        if name in texts or name in BUILT_IN:
            continue
        texts[name] = _text(name, types)
        pending += sorted(set(re.findall(r"[:\[] *\[?(\w+)", texts[name])) & types.keys())
    return "\n\n".join(texts.values()) + "\n"


def _text(name: str, types: Mapping[str, TypeDefinitionNode]) -> str:
    node = types[name]
    match node:
        case ObjectTypeDefinitionNode() | InterfaceTypeDefinitionNode():
            keyword = "type" if isinstance(node, ObjectTypeDefinitionNode) else "interface"
            above = [each.name.value for each in node.interfaces or () if each.name.value in KEPT]
            implements = f" implements {' & '.join(above)}" if above else ""
            return f"{keyword} {name}{implements} {{\n{_lines(_fields(node))}}}"
        case InputObjectTypeDefinitionNode():
            return f"input {name} {{\n{_lines(_value(field) for field in node.fields or ())}}}"
        case EnumTypeDefinitionNode():
            return f"enum {name} {{\n{_lines(value.name.value for value in node.values or ())}}}"
        case ScalarTypeDefinitionNode():
            return f"scalar {name}"
        case _:
            raise ValueError(f"{name}: a kind of type that is not cut")


def _fields(node: ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode) -> Iterator[str]:
    found = {field.name.value: field for field in node.fields or ()}
    for name in KEPT[node.name.value].split():
        if name not in found:
            raise ValueError(f"{node.name.value} has no field {name}")
        yield _field(found[name])


def _field(field: FieldDefinitionNode) -> str:
    given = ", ".join(_value(argument) for argument in field.arguments or ())
    arguments = f"({given})" if given else ""
    return f"{field.name.value}{arguments}: {print_ast(field.type)}"


def _value(value: InputValueDefinitionNode) -> str:
    default = f" = {print_ast(value.default_value)}" if value.default_value else ""
    return f"{value.name.value}: {print_ast(value.type)}{default}"


def _lines(rows: Iterator[str]) -> str:
    return "".join(f"  {row}\n" for row in rows)


if __name__ == "__main__":
    SCHEMA.write_text(cut(Path(sys.argv[1]).read_text("utf-8")), "utf-8")
