"""Repositories that want to run a program when looked at: none of them gets to.

Each vector plants a canary that appends to a log when it is run. The first test
makes sure that the vectors are live: git itself, asked plainly, does run most.
"""

import copy
import itertools
import os
import shutil

import pytest

BASE = "".join(f"line {number}\n" for number in range(20))


class Hostile:
    def __init__(self, repo, folder):
        self.repo = repo
        self.log = folder / "executed"
        self.canary = folder / "canary"
        self.canary.write_text(f'#!/bin/sh\necho "$0 $*" >> {self.log}\ncat 2>/dev/null\nexit 0\n')
        self.canary.chmod(0o755)
        self.silent = folder / "silent"  # a transport that says nothing, and does not wait
        self.silent.write_text(f'#!/bin/sh\necho "$0 $*" >> {self.log}\nexit 1\n')
        self.silent.chmod(0o755)

    def config(self, *pairs):
        for key, value in pairs:
            self.repo.git("config", key, value)

    def attributes(self, line, where=".gitattributes"):
        self.repo.write(where, f"{line}\n")

    def hook_script(self, path):
        self.repo.write(path, self.canary.read_bytes())
        (self.repo.top / path).chmod(0o755)

    @property
    def executions(self):
        return self.log.read_text().splitlines() if self.log.exists() else []


def fsmonitor(h):
    h.config(("core.fsmonitor", h.canary))


def fsmonitor_by_include(h):
    h.repo.write(".git/evil", f"[core]\n\tfsmonitor = {h.canary}\n")
    h.config(("include.path", "evil"))


def fsmonitor_by_conditional_include(h):
    h.repo.write(".git/evil", f"[core]\n\tfsmonitor = {h.canary}\n")
    h.config((f"includeIf.gitdir:{h.repo.top}/.path", "evil"))


def fsmonitor_by_worktree_configuration(h):
    h.config(("extensions.worktreeConfig", "true"))
    h.repo.write(".git/config.worktree", f"[core]\n\tfsmonitor = {h.canary}\n")


def fsmonitor_by_git_file(h):
    (h.repo.top / ".git").rename(h.repo.top / "moved.git")
    h.repo.write(".git", "gitdir: moved.git\n")
    fsmonitor(h)


def external_diff(h):
    h.config(("diff.external", h.canary))


def diff_driver(h):
    h.config(("diff.evil.command", h.canary))
    h.attributes("* diff=evil")


def diff_driver_by_private_attributes(h):
    h.config(("diff.evil.command", h.canary))
    h.attributes("* diff=evil", ".git/info/attributes")


def textconv(h):
    h.config(("diff.evil.textconv", h.canary))
    h.attributes("* diff=evil")


def textconv_of_a_known_driver(h):
    h.config(("diff.python.textconv", h.canary), ("diff.python.cachetextconv", "true"))
    h.attributes("*.py diff=python")


def textconv_by_attributes_file(h):
    h.repo.write(".git/evil-attributes", "* diff=evil\n")
    h.config(
        ("core.attributesFile", h.repo.top / ".git/evil-attributes"),
        ("diff.evil.textconv", h.canary),
    )


def clean_filter(h):
    h.config(("filter.evil.clean", h.canary), ("filter.evil.required", "true"))
    h.attributes("* filter=evil")


def process_filter(h):
    h.config(("filter.evil.process", h.canary))
    h.attributes("* filter=evil")


def smudge_filter(h):
    h.config(("filter.evil.smudge", h.canary))
    h.attributes("* filter=evil")


def hooks(h):
    for name in ("post-index-change", "reference-transaction", "pre-commit", "fsmonitor-watchman"):
        h.hook_script(f".git/hooks/{name}")


def hooks_path(h):
    h.hook_script("evil/post-index-change")
    h.hook_script("evil/reference-transaction")
    h.config(("core.hooksPath", "evil"))


def hooks_by_configuration(h):
    for event in ("post-index-change", "reference-transaction", "pre-commit"):
        h.config((f"hook.{event}x.command", h.canary), (f"hook.{event}x.event", event))


def signature_program(h):
    h.config(
        ("log.showSignature", "true"), ("gpg.program", h.canary), ("gpg.ssh.program", h.canary)
    )
    header, _, body = h.repo.git("cat-file", "commit", "HEAD").partition(b"\n\n")
    signed = (
        header
        + b"\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n"
        + (b" -----END PGP SIGNATURE-----\n\n" + body)
    )
    oid = h.repo.git("hash-object", "-t", "commit", "-w", "--stdin", stdin=signed)
    h.repo.git("update-ref", "HEAD", oid.decode().strip())


def lazy_fetch(h):
    h.config(
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "evil"),
        ("remote.evil.promisor", "true"),
        ("remote.evil.url", f"ext::{h.silent}"),
        ("protocol.ext.allow", "always"),
    )
    remove_other_blob(h)


def lazy_fetch_over_ssh(h):
    h.config(
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "evil"),
        ("remote.evil.promisor", "true"),
        ("remote.evil.url", "ssh://nowhere.invalid/x"),
        ("core.sshCommand", h.silent),
    )
    remove_other_blob(h)


def lazy_fetch_by_upload_pack(h):
    h.config(
        ("core.repositoryFormatVersion", "1"),
        ("extensions.partialClone", "evil"),
        ("remote.evil.promisor", "true"),
        ("remote.evil.url", str(h.repo.top)),
        ("remote.evil.uploadpack", h.silent),
    )
    remove_other_blob(h)


def remove_other_blob(h):
    blob = h.repo.git("rev-parse", "HEAD:other.py").decode().strip()
    (h.repo.top / ".git" / "objects" / blob[:2] / blob[2:]).unlink()


def submodule(h):
    inner = type(h.repo)(h.repo.top / "mod")
    inner.write("m.py", "1\n")
    inner.commit()
    h.repo.git("-c", "advice.addEmbeddedRepo=false", "add", "mod")
    inner.write("m.py", "2\n")
    inner.write(".gitattributes", "* filter=evil diff=evil\n")
    for key in ("core.fsmonitor", "filter.evil.clean", "diff.external", "diff.evil.textconv"):
        inner.git("config", key, str(h.canary))
    h.config(("diff.submodule", "diff"), ("diff.ignoreSubmodules", "none"))


def embedded_bare_repository(h):
    h.repo.git("init", "-q", "--bare", "bare")
    h.repo.write("bare/config", f"[core]\n\tbare = true\n\tfsmonitor = {h.canary}\n")


def pager_and_editor(h):
    h.config(
        ("core.pager", h.canary),
        ("pager.diff", h.canary),
        ("core.editor", h.canary),
        ("sequence.editor", h.canary),
        ("core.askPass", h.canary),
        ("credential.helper", h.canary),
        ("interactive.diffFilter", h.canary),
    )


def aliases(h):
    for name in ("diff-tree", "ls-files", "cat-file", "rev-parse", "ls-tree", "merge-base"):
        h.config((f"alias.{name}", f"!{h.canary}"))


def alternate_refs(h):
    h.config(("core.alternateRefsCommand", h.canary), ("core.gitProxy", h.canary))


def merge_driver(h):
    h.config(("merge.evil.driver", h.canary), ("archive.evil.command", h.canary))
    h.attributes("* merge=evil")


def remote_helper(h):
    h.config(("remote.origin.vcs", "evil"), ("remote.origin.url", f"ext::{h.canary}"))


def replaced_objects(h):
    blob = h.repo.git("rev-parse", "HEAD:x.py").decode().strip()
    lie = h.repo.git("hash-object", "-w", "--stdin", stdin=b"harmless\n").decode().strip()
    h.repo.git("replace", "-f", blob, lie)


def hidden_by_attributes(h):
    h.attributes("* binary -diff -text eol=crlf ident working-tree-encoding=UTF-16")


def hidden_by_settings(h):
    h.config(
        ("core.bigFileThreshold", "1"),
        ("diff.ignoreSubmodules", "all"),
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.wsErrorHighlight", "all"),
        ("core.worktree", "/nowhere"),
        ("core.bare", "true"),
        ("core.ignoreCase", "true"),
    )


def graft(h):
    h.repo.write(".git/info/grafts", f"{h.repo.head()}\n")


VECTORS = [
    fsmonitor, fsmonitor_by_include, fsmonitor_by_conditional_include,
    fsmonitor_by_worktree_configuration, fsmonitor_by_git_file, external_diff, diff_driver,
    diff_driver_by_private_attributes, textconv, textconv_of_a_known_driver,
    textconv_by_attributes_file, clean_filter, process_filter, smudge_filter, hooks, hooks_path,
    hooks_by_configuration, signature_program, lazy_fetch, lazy_fetch_over_ssh,
    lazy_fetch_by_upload_pack, submodule, embedded_bare_repository, pager_and_editor, aliases,
    alternate_refs, merge_driver, remote_helper, replaced_objects, hidden_by_attributes,
    hidden_by_settings, graft,
]  # fmt: skip
LIVE = [
    fsmonitor, fsmonitor_by_include, fsmonitor_by_conditional_include,
    fsmonitor_by_worktree_configuration, fsmonitor_by_git_file, external_diff, diff_driver,
    diff_driver_by_private_attributes, textconv, textconv_of_a_known_driver,
    textconv_by_attributes_file, clean_filter, process_filter, hooks, hooks_path, submodule,
    lazy_fetch, lazy_fetch_over_ssh, lazy_fetch_by_upload_pack, signature_program,
]  # fmt: skip

LAZY = {lazy_fetch, lazy_fetch_over_ssh, lazy_fetch_by_upload_pack}
PATCH = b"--- a/x.py\n+++ b/x.py\n@@ -1,3 +1,3 @@\n line 0\n-line 1\n+patched\n line 2\n"
REQUESTS = {
    "worktree": {"with_untracked": True},
    "staged": {"is_staged": True},
    "revision": {"revision": "HEAD~1"},
    "three dots": {"revision": "@{u}...HEAD"},
    "commit": {"commit": "HEAD"},
    "patch": {"patch": PATCH},
}


@pytest.fixture(scope="module")
def template(new_repo, tmp_path_factory):
    repo = new_repo(tmp_path_factory.mktemp("hostile") / "repo")
    repo.write("x.py", BASE)
    repo.write("other.py", "other\n")
    repo.commit("first")
    repo.git("branch", "side")
    repo.git("config", "branch.main.remote", ".")
    repo.git("config", "branch.main.merge", "refs/heads/side")
    repo.write("x.py", BASE.replace("line 9\n", "nine\n"))
    repo.commit("second")
    return repo


@pytest.fixture
def hostile(template, tmp_path):
    shutil.copytree(template.top, tmp_path / "repo", symlinks=True)
    repo = copy.copy(template)
    repo.top = tmp_path / "repo"
    dirty(repo)
    return Hostile(repo, tmp_path)


def dirty(repo):
    """Something to see, staged and in the worktree, written without any git hook or filter."""
    repo.write("x.py", BASE.replace("line 9\n", "nine\n").replace("line 15\n", "fifteen\n"))
    repo.write("untracked.py", "u\n")


def review(repo):
    seen = {}
    for name, request in REQUESTS.items():
        with repo.change(**request) as change:
            files = {file.path: file for file in change.patch.files}
            content = {path: change.head.read(path) for path in files}
            seen[name] = (files.get("x.py"), content.get("x.py"))
    return seen


@pytest.fixture(scope="module")
def expected(template, tmp_path_factory):
    """What a review sees where nothing is hostile."""
    repo = copy.copy(template)
    repo.top = tmp_path_factory.mktemp("honest") / "repo"
    shutil.copytree(template.top, repo.top, symlinks=True)
    dirty(repo)
    return review(repo)


def test_the_review_of_the_honest_repository_is_not_empty(expected):
    assert {name for name, (file, _) in expected.items() if file is None} == {"staged"}


@pytest.mark.parametrize("vector", LIVE, ids=lambda vector: vector.__name__)
def test_the_vector_is_live(hostile, vector):
    vector(hostile)
    os.utime(hostile.repo.top / "x.py")
    for arguments in (
        ("status",),
        ("diff", "HEAD~1"),
        ("log", "-p", "-1"),
        ("diff", "--no-ext-diff", "HEAD~1"),
        ("cat-file", "blob", "HEAD:other.py"),
    ):
        hostile.repo.git(*arguments, check=False)
    assert hostile.executions


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.__name__)
def test_nothing_is_executed_and_nothing_is_hidden(hostile, expected, vector):
    vector(hostile)
    if hostile.log.exists():
        hostile.log.unlink()  # setting a trap may set it off
    assert review(hostile.repo) == expected
    assert hostile.executions == []


def pairs():
    """Each two vectors once; the one that moves the git folder goes last."""
    for pair in itertools.combinations(VECTORS, 2):
        if not set(pair) <= LAZY:
            yield tuple(sorted(pair, key=lambda vector: vector is fsmonitor_by_git_file))


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), list(pairs()), ids=lambda vector: vector.__name__)
def test_no_pair_of_vectors_executes_anything(hostile, expected, first, second):
    for vector in (first, second):
        vector(hostile)
    if hostile.log.exists():
        hostile.log.unlink()  # setting a trap may set it off
    assert review(hostile.repo) == expected
    assert hostile.executions == []
