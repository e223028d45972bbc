"""Traps for whoever looks at a repository: each runs a canary, which appends to a log.

Loaded by path: tests are no package.
"""


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
