"""GraphQL: threads, and what hides or resolves them. Checked against GitHub's own schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema, graphql_sync, parse, validate

from dsreview.fake_github.graphql_bodies import Body, GraphQLBodies, GraphQLRefused
from dsreview.fake_github.replies import Refused, Reply
from dsreview.fake_github.world import Comment, IssueComment, Review, Thread, Token, World

SCHEMA = Path(__file__).with_name("github-schema.graphql")
NOT_ACCESSIBLE = "Resource not accessible by integration"


@cache
def schema() -> GraphQLSchema:
    return build_schema(SCHEMA.read_text("utf-8"))


def errors_of(query: str) -> list[str]:
    """What in the query GitHub's schema does not have."""
    try:
        document = parse(query)
    except GraphQLError as error:
        return [error.message]
    return [error.message for error in validate(schema(), document)]


def answer(world: World, token: Token, sent: Any) -> Reply:
    """GitHub answers 200 even to what it refuses.

    Raises:
        Refused: 400, where what was sent holds no query.
    """
    if not isinstance(sent, Mapping) or not isinstance(sent.get("query"), str):
        raise Refused(400, "A query attribute must be specified and must be a string.")
    result = graphql_sync(
        schema(),
        sent["query"],
        root_value=_Root(world, token).fields(),
        variable_values=sent.get("variables"),
        operation_name=sent.get("operationName"),
    )
    body: Body = {} if result.data is None else {"data": result.data}
    if result.errors:
        body["errors"] = [_error(each) for each in result.errors]
    return Reply(200, body)


def _error(error: GraphQLError) -> Body:
    body: Body = {"message": error.message}
    if isinstance(error.original_error, GraphQLRefused):
        body["type"] = error.original_error.kind
    if error.path:
        body["path"] = error.path
    if error.locations:
        body["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    return body


@dataclass(frozen=True, slots=True)
class _Root:
    world: World
    token: Token

    def fields(self) -> Body:
        return {
            "id": "Q",
            "viewer": {"__typename": "User", "id": "U_viewer", "login": self.token.login},
            "rateLimit": {
                "cost": 1,
                "limit": 5000,
                "remaining": 5000,
                "used": 0,
                "resetAt": "2027-01-01T00:00:00Z",
            },
            "repository": self.repository,
            "node": self.node,
            "minimizeComment": self.minimize,
            "unminimizeComment": self.unminimize,
            "resolveReviewThread": self.resolve,
            "unresolveReviewThread": self.unresolve,
        }

    @property
    def bodies(self) -> GraphQLBodies:
        return GraphQLBodies(self.world, self.token)

    def repository(self, _: object, owner: str, name: str, **others: object) -> Body:
        full_name = f"{owner}/{name}"
        repository = self.world.repositories.get(full_name.lower())
        if repository is None or (repository.is_private and not self.token.permissions):
            said = f"Could not resolve to a Repository with the name '{full_name}'."
            raise GraphQLRefused("NOT_FOUND", said)
        return self.bodies.repository(repository)

    def node(self, _: object, id: str) -> Body:  # noqa: A002  (the schema's name)
        return self.bodies.of(self._find(id))

    def _find(self, node_id: str) -> Comment | Thread | Review | IssueComment:
        thing = self.world.node(node_id)
        if thing is None:
            said = f"Could not resolve to a node with the global id of '{node_id}'"
            raise GraphQLRefused("NOT_FOUND", said)
        return thing

    def minimize(self, _: object, input: Mapping[str, str]) -> Body:  # noqa: A002
        reason = input["classifier"].lower().replace("_", "-")
        return {"minimizedComment": self._hide(input["subjectId"], reason)}

    def unminimize(self, _: object, input: Mapping[str, str]) -> Body:  # noqa: A002
        return {"unminimizedComment": self._hide(input["subjectId"], None)}

    def _hide(self, node_id: str, reason: str | None) -> Body:
        thing = self._find(node_id)
        if isinstance(thing, Thread):
            raise GraphQLRefused("UNPROCESSABLE", f"{node_id} is not a comment")
        if not self.token.may_write("pull_requests", "issues"):
            raise GraphQLRefused("FORBIDDEN", NOT_ACCESSIBLE)
        thing.minimized = reason
        return self.bodies.of(thing)

    def resolve(self, _: object, input: Mapping[str, str]) -> Body:  # noqa: A002
        return {"thread": self._settle(input["threadId"], self.token.login)}

    def unresolve(self, _: object, input: Mapping[str, str]) -> Body:  # noqa: A002
        return {"thread": self._settle(input["threadId"], None)}

    def _settle(self, node_id: str, login: str | None) -> Body:
        thing = self._find(node_id)
        if not isinstance(thing, Thread):
            raise GraphQLRefused("NOT_FOUND", f"{node_id} is no review thread")
        if not self.token.can_resolve:
            raise GraphQLRefused("FORBIDDEN", NOT_ACCESSIBLE)
        thing.resolved_by = login
        return self.bodies.thread(thing)
