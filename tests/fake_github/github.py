"""The fake: `with FakeGitHub() as github:` and `github.url` is a GitHub."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from dsreview.fake_github import git_pull
from dsreview.fake_github.answering import ENTERPRISE, Answering, Seen
from dsreview.fake_github.bodies import Bodies
from dsreview.fake_github.contract import contract
from dsreview.fake_github.faults import Fault, Injection
from dsreview.fake_github.moves import Files, changes, move
from dsreview.fake_github.server import LOOPBACK, Server
from dsreview.fake_github.world import ACTIONS_LOGIN, Pull, Repository, Token, Version, World

PERSON = "ann"


class FakeGitHub:
    """A GitHub on loopback with one repository, or more.

    Args:
        repository: `owner/name` of the first repository.
        private: its visibility.

    `token` may what a workflow with `pull-requests: write` may; `read_only_token` is that of a
    pull request from a fork; `personal_token` is a person's, and may resolve threads.
    """

    def __init__(self, repository: str = "octo/project", *, private: bool = True) -> None:
        self.world = World()
        self.repository = self.add_repository(repository, private=private)
        self.repository.collaborators[PERSON] = "write"
        self._server = Server(self._respond)
        self._answering = Answering(self.world, self.url)
        reading = {"contents": "read"}
        self.token = self.add_token(
            "ghs_writes", ACTIONS_LOGIN, {**reading, "pull_requests": "write", "checks": "write"}
        ).text
        self.read_only_token = self.add_token(
            "ghs_reads", ACTIONS_LOGIN, {**reading, "pull_requests": "read"}
        ).text
        self.personal_token = self.add_token(
            "github_pat_person",
            PERSON,
            {"contents": "write", "pull_requests": "write", "issues": "write"},
            kind="personal",
            can_resolve=True,
        ).text

    def _respond(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[bytes, bytes, Fault | None]:
        return self._answering.respond(method, target, headers, content)

    @property
    def log(self) -> list[Seen]:
        """Every request, in the order of arrival."""
        return self._answering.log

    @property
    def contract_violations(self) -> list[str]:
        """What requests said that GitHub's description does not allow; they were refused."""
        return self._answering.violations

    def __enter__(self) -> Self:
        contract()
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        for failure in self._server.failures:  # the fake's own, which no answer could tell
            raise failure

    @property
    def url(self) -> str:
        """What GitHub calls `https://api.github.com`."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    @property
    def enterprise_url(self) -> str:
        """The same, as a GitHub Enterprise server has it."""
        return self.url + ENTERPRISE

    def add_repository(self, full_name: str, *, private: bool = True) -> Repository:
        owner, _, name = full_name.partition("/")
        repository = Repository(owner, name, is_private=private)
        self.world.repositories[full_name.lower()] = repository
        return repository

    def add_token(self, text: str, login: str, permissions: dict[str, Any], **kind: Any) -> Token:
        """Let `text` be a token of `login` with these permissions."""
        token = Token(text, login, permissions, **kind)
        self.world.tokens[text] = token
        return token

    def add_pull(
        self,
        files: Files,
        *,
        base: str = "b" * 40,
        head: str = "a" * 40,
        commits: Sequence[str] = (),
        number: int | None = None,
        title: str = "A change",
        body: str = "",
        author: str = PERSON,
        base_ref: str = "main",
        head_ref: str = "change",
        fork: str | None = None,
        draft: bool = False,
    ) -> Pull:
        """Open a pull request.

        Args:
            files: path to the `patch` of the API, or changes in full.
            commits: SHAs of the pull request, oldest first; the head alone where none are given.
            fork: `owner/name` of the fork that it comes from; None: from the repository itself.
        """
        number = number or len(self.repository.pulls) + 1
        pull = Pull(
            number=number,
            title=title,
            body=body,
            author=author,
            base_ref=base_ref,
            head_ref=head_ref,
            head_repository=fork or self.repository.full_name,
            versions=[Version(base, head, changes(files), tuple(commits) or (head,))],
            is_draft=draft,
        )
        self.repository.pulls[number] = pull
        return pull

    def add_pull_from_git(
        self, folder: Path, base: str = "main", head: str = "HEAD", **given: Any
    ) -> Pull:
        """Open a pull request of two revisions of a real repository.

        Args:
            folder: the repository.
            given: what `add_pull` takes besides the files and commits.
        """
        made = git_pull.version(folder, base, head)
        pull = self.add_pull(made.files, base=made.base_sha, head=made.head_sha, **given)
        pull.versions = [made]
        pull.folder = folder
        return pull

    def push_from_git(self, pull: Pull, head: str = "HEAD", base: str | None = None) -> None:
        """The branch of the pull request is now at `head` of its repository, however it got there.

        Raises:
            ValueError: the pull request was not made from a repository.
        """
        if pull.folder is None:
            raise ValueError("the pull request was not made from a git repository")
        self._move(pull, git_pull.version(pull.folder, base or pull.base_sha, head))

    def push(
        self,
        pull: Pull,
        files: Files,
        *,
        head: str,
        base: str | None = None,
        commits: Sequence[str] | None = None,
    ) -> None:
        """The branch moves on: earlier commits stay, comments move or become outdated."""
        kept = pull.now.commits if commits is None else tuple(commits)
        self._move(pull, Version(base or pull.base_sha, head, changes(files), (*kept, head)))

    def force_push(
        self,
        pull: Pull,
        files: Files,
        *,
        head: str,
        base: str | None = None,
    ) -> None:
        """The branch is another one: its earlier commits are no more part of it."""
        self._move(pull, Version(base or pull.base_sha, head, changes(files), (head,)))

    def _move(self, pull: Pull, version: Version) -> None:
        with self._answering.lock:
            move(pull, version)

    def event(self, pull: Pull, action: str = "synchronize") -> dict[str, Any]:
        """What a workflow that `pull` started finds in the file at GITHUB_EVENT_PATH."""
        bodies = Bodies(self.url, self.repository)
        return {
            "action": action,
            "number": pull.number,
            "pull_request": bodies.pull(pull),
            "repository": bodies.whole_repository(),
            "sender": bodies.user(pull.author),
        }

    def inject(
        self,
        fault: Fault,
        method: str = "*",
        path: str = "",
        *,
        skip: int = 0,
        times: int | None = None,
    ) -> Injection:
        """Let `fault` befall requests; `times` as the fault has it, where it is not given."""
        injection = Injection(fault, method, path, skip, fault.times if times is None else times)
        self._answering.injections.append(injection)
        return injection
