"""Cut GitHub's REST description to the operations that the fake answers.

    npm pack @octokit/openapi@VERSION && tar xzf octokit-openapi-VERSION.tgz
    python tests/fake_github/cut_openapi.py package/generated/api.github.com.json

writes `github-openapi.json.gz` beside this file: 13 MB become some 60 KB. The licence of the
description stands in `NOTICE.md`; so do the corrections that are made here.
"""

import gzip
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DESCRIPTION = Path(__file__).with_name("github-openapi.json.gz")

OPERATIONS = """
GET /rate_limit
GET /user
GET /repos/{owner}/{repo}
GET /repos/{owner}/{repo}/collaborators/{username}/permission
GET /repos/{owner}/{repo}/commits/{ref}
GET /repos/{owner}/{repo}/commits/{ref}/check-runs
POST /repos/{owner}/{repo}/check-runs
GET /repos/{owner}/{repo}/check-runs/{check_run_id}
PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}
GET /repos/{owner}/{repo}/pulls
GET /repos/{owner}/{repo}/pulls/{pull_number}
GET /repos/{owner}/{repo}/pulls/{pull_number}/commits
GET /repos/{owner}/{repo}/pulls/{pull_number}/files
GET /repos/{owner}/{repo}/pulls/{pull_number}/comments
POST /repos/{owner}/{repo}/pulls/{pull_number}/comments
POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies
GET /repos/{owner}/{repo}/pulls/comments/{comment_id}
PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}
DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}
GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews
POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews
GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}
PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}
DELETE /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}
POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events
PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals
GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/comments
GET /repos/{owner}/{repo}/issues/{issue_number}/comments
POST /repos/{owner}/{repo}/issues/{issue_number}/comments
GET /repos/{owner}/{repo}/issues/comments/{comment_id}
PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}
DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}
"""

# schema: properties that GitHub answers with null although its description forbids it
NULL_IN_ANSWERS = {
    "pull-request-review-comment": ("line", "position"),  # of an outdated comment
    "review-comment": ("line",),
}

NOTHING = {"type": "object", "nullable": True, "maxProperties": 0}

REFERENCE = re.compile(r'"\$ref":\s*"#/([^"]+)"')


def cut(description: dict[str, Any]) -> dict[str, Any]:
    """The named operations of `description`, and every component that they reach.

    Raises:
        KeyError: the description has no such operation or component.
    """
    paths: dict[str, dict[str, Any]] = {}
    for line in OPERATIONS.split("\n"):
        if line:
            method, path = line.split()
            operation = description["paths"][path][method.lower()]
            paths.setdefault(path, {})[method.lower()] = operation
    kept = {key: description[key] for key in ("openapi", "info", "servers")}
    kept |= {"paths": paths, "components": {}}
    for kind, name in _reached(paths, description):
        kept["components"].setdefault(kind, {})[name] = description["components"][kind][name]
    for name, properties in NULL_IN_ANSWERS.items():
        for key in properties:
            kept["components"]["schemas"][name]["properties"][key]["nullable"] = True
    head = kept["components"]["schemas"]["pull-request"]["properties"]["head"]["properties"]
    head["repo"] = {"anyOf": [head["repo"], NOTHING]}  # the fork was deleted
    _let_enums_be_null(kept["components"]["schemas"])
    return kept


def _let_enums_be_null(node: Any) -> None:
    """`nullable` alone does not add null to an `enum`, says OpenAPI 3.0.3; GitHub thinks so."""
    if isinstance(node, list):
        for inner in node:
            _let_enums_be_null(inner)
    elif isinstance(node, dict):
        if node.get("nullable") is True and None not in node.get("enum", [None]):
            node["enum"] = [*node["enum"], None]
        for inner in node.values():
            _let_enums_be_null(inner)


def _reached(paths: object, description: dict[str, Any]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    pending = REFERENCE.findall(json.dumps(paths))
    while pending:
        reference = pending.pop()
        if reference in seen:
            continue
        seen.add(reference)
        _, kind, name = reference.split("/")
        yield kind, name
        pending += REFERENCE.findall(json.dumps(description["components"][kind][name]))


def write(description: dict[str, Any], place: Path) -> None:
    text = json.dumps(cut(description), separators=(",", ":"), sort_keys=True)
    place.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    write(json.loads(Path(sys.argv[1]).read_text("utf-8")), DESCRIPTION)
