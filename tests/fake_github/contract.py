"""GitHub's own description of its REST API: what a request may say, what an answer holds."""

import copy
import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from openapi_core import Config, OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

HOST = "https://api.github.com"
EXAMPLE_REPOSITORY = "octocat/Hello-World"
JSON = "application/json"
DESCRIPTION = Path(__file__).with_name("github-openapi.json.gz")


@dataclass(frozen=True, slots=True)
class Match:
    """The operation that a path names: its template, and what fills the template's holes."""

    template: str
    holes: Mapping[str, str]


class Contract:
    """Load it once (`contract()`): reading the description costs some 50 ms."""

    def __init__(self, description: dict[str, Any]) -> None:
        self.description = description
        # the description was checked by its authors; doing it again takes half a second
        unchecked = Config(spec_validator_cls=None)  # type: ignore[arg-type]  # None: do not
        self._answers = OpenAPI.from_dict(description, config=unchecked)
        self._requests = OpenAPI.from_dict(_strict(description), config=unchecked)
        self._templates = tuple(
            (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))), template)
            for template in sorted(description["paths"], key=lambda path: path.count("{"))
        )

    def match(self, path: str) -> Match | None:
        for pattern, template in self._templates:
            found = pattern.fullmatch(path)
            if found:
                return Match(template, found.groupdict())
        return None

    def operations(self) -> Iterator[tuple[str, str]]:
        """Method in capitals and path template of every operation."""
        for template, methods in self.description["paths"].items():
            for method in methods:
                yield method.upper(), template

    def request_errors(
        self, method: str, path: str, query: Mapping[str, str], content: bytes
    ) -> list[str]:
        """What GitHub's description forbids in this request; unknown fields, too."""
        match = self.match(path)
        if match is None:
            return [f"no operation has the path {path}"]
        unknown = sorted(set(query) - self._query_names(method, match.template))
        errors = [f"unknown query parameter: {name}" for name in unknown]
        request = _request(method, path, query, content)
        try:
            self._requests.validate_request(request)
        except OpenAPIError as error:
            errors += _said(error)
        return errors

    def answer_errors(
        self, method: str, path: str, status: int, headers: Mapping[str, str], content: bytes
    ) -> list[str]:
        """What in this answer GitHub's description would not allow."""
        answer = MockResponse(content, status, dict(headers), JSON)
        try:
            self._answers.validate_response(_request(method, path, {}, b""), answer)
        except OpenAPIError as error:
            return _said(error)
        return []

    def describes(self, method: str, template: str, status: int) -> bool:
        """Whether the description says what an answer with this status holds."""
        operation = self.description["paths"].get(template, {}).get(method.lower(), {})
        return str(status) in operation.get("responses", {})

    def example(self, method: str, template: str) -> Any:
        """A copy of the description's own example of a good answer."""
        responses = self.description["paths"][template][method.lower()]["responses"]
        good = next(status for status in responses if status.startswith("2"))
        (example, *_) = responses[good]["content"][JSON]["examples"].values()
        if "$ref" in example:
            name = example["$ref"].rpartition("/")[2]
            example = self.description["components"]["examples"][name]
        return copy.deepcopy(example["value"])

    def _query_names(self, method: str, template: str) -> set[str]:
        path = self.description["paths"][template]
        names = set()
        for parameter in path.get(method.lower(), {}).get("parameters", ()):
            if "$ref" in parameter:
                name = parameter["$ref"].rpartition("/")[2]
                parameter = self.description["components"]["parameters"][name]
            if parameter["in"] == "query":
                names.add(parameter["name"])
        return names


@cache
def contract() -> Contract:
    return Contract(json.loads(gzip.decompress(DESCRIPTION.read_bytes())))


def _request(method: str, path: str, query: Mapping[str, str], content: bytes) -> MockRequest:
    return MockRequest(HOST, method, path, args=dict(query), data=content, content_type=JSON)


def _said(error: OpenAPIError) -> list[str]:
    causes = getattr(error.__cause__, "schema_errors", None)
    if not causes:
        return [str(error.__cause__ or error)]
    return [
        f"{'/'.join(map(str, cause.path)) or 'body'}: {cause.message[:200]}" for cause in causes
    ]


def _strict(description: dict[str, Any]) -> dict[str, Any]:
    """The same, where a request's body may have no field that is not described.

    GitHub ignores a misspelt field; a test should not.
    """
    stricter = copy.deepcopy(description)
    for methods in stricter["paths"].values():
        for operation in methods.values():
            for media in operation.get("requestBody", {}).get("content", {}).values():
                _close(media["schema"])
    return stricter


def _close(schema: dict[str, Any]) -> None:
    if "properties" in schema:
        schema.setdefault("additionalProperties", False)
        for inner in schema["properties"].values():
            _close(inner)
    if "items" in schema:
        _close(schema["items"])
