"""The world as GitHub's JSON. Large objects start from the description's own examples."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dsreview.fake_github.contract import EXAMPLE_REPOSITORY, HOST, contract
from dsreview.fake_github.hunks import find
from dsreview.fake_github.world import (
    CheckRun,
    Comment,
    FileChange,
    IssueComment,
    Pull,
    Repository,
    Review,
)

SITE = "https://github.com"
Body = dict[str, Any]

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"


@dataclass(frozen=True, slots=True)
class Bodies:
    base: str
    """Of every address: the server's own."""
    repository: Repository

    def user(self, login: str) -> Body:
        name = login.removesuffix("[bot]")
        home = f"{self.base}/users/{quote(login)}"
        return {
            "login": login,
            "id": sum(login.encode()),
            "node_id": f"U_{name}",
            "avatar_url": f"{SITE}/{name}.png",
            "gravatar_id": "",
            "url": home,
            "html_url": f"{SITE}/{name}",
            "followers_url": f"{home}/followers",
            "following_url": f"{home}/following{{/other_user}}",
            "gists_url": f"{home}/gists{{/gist_id}}",
            "starred_url": f"{home}/starred{{/owner}}{{/repo}}",
            "subscriptions_url": f"{home}/subscriptions",
            "organizations_url": f"{home}/orgs",
            "repos_url": f"{home}/repos",
            "events_url": f"{home}/events{{/privacy}}",
            "received_events_url": f"{home}/received_events",
            "type": "Bot" if login.endswith("[bot]") else "User",
            "site_admin": False,
        }

    def author(self, login: str) -> Body | None:
        """Nobody, where the account was deleted: its login is empty then."""
        return self.user(login) if login else None

    @property
    def api(self) -> str:
        return f"{self.base}/repos/{self.repository.full_name}"

    @property
    def site(self) -> str:
        return f"{SITE}/{self.repository.full_name}"

    def _example(self, method: str, template: str) -> Any:
        """The description's example, about this repository and with this server's addresses."""
        text = json.dumps(contract().example(method, template))
        text = text.replace(HOST, self.base).replace("https://HOSTNAME", self.base)
        return json.loads(text.replace(EXAMPLE_REPOSITORY, self.repository.full_name))

    def whole_repository(self) -> Body:
        repository = self.repository
        lacking = {"language": None, "license": None}
        example: Body = self._example("GET", "/repos/{owner}/{repo}")
        example |= {
            "name": repository.name,
            "full_name": repository.full_name,
            "owner": self.user(repository.owner),
            "private": repository.is_private,
            "visibility": "private" if repository.is_private else "public",
            "default_branch": repository.default_branch,
            "url": self.api,
        }
        for kin in ("template_repository", "parent", "source", "organization"):
            example.pop(kin, None)
        return lacking | example

    def pull(self, pull: Pull) -> Body:
        version = pull.now
        address = f"{self.api}/pulls/{pull.number}"
        example: Body = self._example("GET", PULL)
        example |= {
            "id": pull.number,
            "node_id": f"PR_{pull.number}",
            "url": address,
            "html_url": f"{self.site}/pull/{pull.number}",
            "issue_url": f"{self.api}/issues/{pull.number}",
            "comments_url": f"{self.api}/issues/{pull.number}/comments",
            "review_comments_url": f"{address}/comments",
            "commits_url": f"{address}/commits",
            "number": pull.number,
            "state": "open" if pull.is_open else "closed",
            "locked": pull.is_locked,
            "draft": pull.is_draft,
            "title": pull.title,
            "body": pull.body,
            "user": self.user(pull.author),
            "merged": pull.is_merged,
            "merged_at": "2026-01-31T00:00:00Z" if pull.is_merged else None,
            "closed_at": None if pull.is_open else "2026-01-31T00:00:00Z",
            "merge_commit_sha": None,
            "requested_reviewers": [],
            "requested_teams": [],  # the example's has fewer fields than the description asks for
            "assignee": None,
            "assignees": [],
            "milestone": None,
            "labels": [],
            "commits": len(version.commits),
            "changed_files": len(version.files),
            "additions": sum(file.additions for file in version.files),
            "deletions": sum(file.deletions for file in version.files),
            "comments": len(pull.issue_comments),
            "review_comments": len(pull.comments),
        }
        example["base"] |= self._end(pull.base_ref, version.base_sha, self.repository.full_name)
        example["head"] |= self._end(pull.head_ref, version.head_sha, pull.head_repository)
        return example

    def _end(self, ref: str, sha: str, full_name: str | None) -> Body:
        owner, _, name = (full_name or "unknown/repository").partition("/")
        place = Bodies(self.base, Repository(owner, name, self.repository.is_private))
        whole = place.whole_repository() | {"fork": full_name != self.repository.full_name}
        return {
            "ref": ref,
            "sha": sha,
            "label": f"{owner}:{ref}",
            "user": self.user(owner),
            "repo": None if full_name is None else whole,
        }

    def listed_pull(self, pull: Pull) -> Body:
        (example, *_) = self._example("GET", "/repos/{owner}/{repo}/pulls")
        whole = self.pull(pull)
        return {key: whole.get(key, example[key]) for key in example}

    def file(self, file: FileChange, head_sha: str) -> Body:
        path = quote(file.path)
        body: Body = {
            "sha": file.sha,
            "filename": file.path,
            "status": file.status,
            "additions": file.additions,
            "deletions": file.deletions,
            "changes": file.additions + file.deletions,
            "blob_url": f"{self.site}/blob/{head_sha}/{path}",
            "raw_url": f"{self.site}/raw/{head_sha}/{path}",
            "contents_url": f"{self.api}/contents/{path}?ref={head_sha}",
        }
        if file.patch is not None:
            body["patch"] = file.patch
        if file.previous_path is not None:
            body["previous_filename"] = file.previous_path
        return body

    def review(self, pull: Pull, review: Review) -> Body:
        page = f"{self.site}/pull/{pull.number}#pullrequestreview-{review.id}"
        address = f"{self.api}/pulls/{pull.number}"
        body: Body = {
            "id": review.id,
            "node_id": review.node_id,
            "user": self.author(review.user),
            "body": review.body,
            "state": review.state,
            "html_url": page,
            "pull_request_url": address,
            "author_association": self._association(review.user),
            "_links": {"html": {"href": page}, "pull_request": {"href": address}},
            "commit_id": review.commit_id,
        }
        if review.submitted_at is not None:
            body["submitted_at"] = review.submitted_at
        return body

    def _association(self, login: str) -> str:
        if login == self.repository.owner:
            return "OWNER"
        return "COLLABORATOR" if login in self.repository.collaborators else "NONE"

    def comment(self, pull: Pull, comment: Comment) -> Body:
        page = f"{self.site}/pull/{pull.number}#discussion_r{comment.id}"
        own = f"{self.api}/pulls/comments/{comment.id}"
        pull_address = f"{self.api}/pulls/{pull.number}"
        body: Body = {
            "id": comment.id,
            "node_id": comment.node_id,
            "url": own,
            "pull_request_review_id": comment.review.id,
            "diff_hunk": comment.diff_hunk,
            "path": comment.path,
            "commit_id": comment.commit_id,
            "original_commit_id": comment.original_commit_id,
            "user": self.author(comment.user),
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "html_url": page,
            "pull_request_url": pull_address,
            "author_association": self._association(comment.user),
            "_links": {
                "self": {"href": own},
                "html": {"href": page},
                "pull_request": {"href": pull_address},
            },
            "subject_type": comment.subject_type,
            "line": comment.line,
            "original_line": comment.original_line or 1,
            "side": comment.side,
            "start_line": comment.start_line,
            "original_start_line": comment.original_start_line,
            "start_side": comment.start_side,
            "position": _position(pull, comment),
            "original_position": 1,
            "reactions": self._no_reactions(f"{own}/reactions"),
        }
        if comment.in_reply_to is not None:
            body["in_reply_to_id"] = comment.in_reply_to
        return body

    def _no_reactions(self, address: str) -> Body:
        names = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")
        return {"url": address, "total_count": 0} | dict.fromkeys(names, 0)

    def issue_comment(self, pull: Pull, comment: IssueComment) -> Body:
        address = f"{self.api}/issues/comments/{comment.id}"
        return {
            "id": comment.id,
            "node_id": comment.node_id,
            "url": address,
            "html_url": f"{self.site}/pull/{pull.number}#issuecomment-{comment.id}",
            "issue_url": f"{self.api}/issues/{pull.number}",
            "body": comment.body,
            "user": self.author(comment.user),
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
            "author_association": self._association(comment.user),
            "performed_via_github_app": None,
            "reactions": self._no_reactions(f"{address}/reactions"),
        }

    def commit(self, sha: str) -> Body:
        example: Body = self._example("GET", "/repos/{owner}/{repo}/commits/{ref}")
        return example | {
            "sha": sha,
            "node_id": f"C_{sha}",
            "files": [],
            "url": f"{self.api}/commits/{sha}",
        }

    def check_run(self, run: CheckRun) -> Body:
        example: Body = self._example("POST", "/repos/{owner}/{repo}/check-runs")
        address = f"{self.api}/check-runs/{run.id}"
        sent = {key: value for key, value in run.fields.items() if key in example}
        output = run.fields.get("output", {})
        return (
            example
            | sent
            | {
                "id": run.id,
                "node_id": f"CR_{run.id}",
                "url": address,
                "html_url": f"{self.site}/runs/{run.id}",
                "head_sha": run.head_sha,
                "pull_requests": [],
                "output": {
                    "title": output.get("title"),
                    "summary": output.get("summary"),
                    "text": output.get("text"),
                    "annotations_count": len(run.annotations),
                    "annotations_url": f"{address}/annotations",
                },
            }
        )


def _position(pull: Pull, comment: Comment) -> int | None:
    file = pull.now.file(comment.path)
    if comment.line is None or file is None or file.patch is None:
        return None
    row = find(file.patch, comment.side, comment.line)
    return row.position if row else None
