"""Every way to a commit that is told apart here: each sets it up, and makes the commits.

`play.quiet` runs git without hooks, `play.git` as a user does. A situation returns the
commits that came of the runs of the hook, in their order; None stands for HEAD alone.
Every version of a file calls a name of its own that nothing defines: a finding tells
which version was reviewed.
"""

from collections import namedtuple


def code(*names):
    return "".join(f"def of_{name}():\n    return {name}()\n\n\n" for name in names)


Situation = namedtuple("Situation", "name act runs framework_runs is_short")
SITUATIONS = []


def situation(runs=1, framework_runs=None, is_short=False):
    """`framework_runs`: pre-commit skips hooks where no file of their types is left."""

    def keep(act):
        framework = runs if framework_runs is None else framework_runs
        SITUATIONS.append(Situation(act.__name__, act, runs, framework, is_short))
        return act

    return keep


def base(play, **options):
    play.write({"a.py": code("tok_a1"), "b.py": code("tok_b1"), "c.txt": "text\n"}, **options)
    play.quiet("add", "-A", **options)
    play.quiet("commit", "-qm", "base", **options)


def change(play, path, *names, **options):
    play.write({path: code(*names)}, **options)


# one branch


@situation(is_short=True)
def initial_commit(play):
    change(play, "a.py", "tok_a1")
    play.git("add", "a.py")
    change(play, "a.py", "tok_a2")
    play.git("commit", "-qm", "first")


@situation(is_short=True)
def the_index_and_not_the_worktree(play):
    base(play)
    change(play, "a.py", "tok_a1", "tok_a2")
    play.git("add", "a.py")
    change(play, "a.py", "tok_a1", "tok_a3")
    change(play, "b.py", "tok_b1", "tok_b2")
    change(play, "untracked.py", "tok_u1")
    play.git("commit", "-qm", "staged")


@situation(is_short=True)
def commit_all(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.git("add", "a.py")
    change(play, "a.py", "tok_a3")
    change(play, "b.py", "tok_b2")
    change(play, "untracked.py", "tok_u1")
    play.git("commit", "-qam", "all")


@situation(is_short=True)
def commit_of_a_path_while_another_is_staged(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.git("add", "a.py")
    change(play, "b.py", "tok_b2")
    play.git("commit", "-qm", "partial", "--", "b.py")


@situation()
def commit_only(play):
    base(play)
    change(play, "a.py", "tok_a2")
    change(play, "b.py", "tok_b2")
    play.git("add", "a.py", "b.py")
    change(play, "b.py", "tok_b3")
    play.git("commit", "-qm", "only", "--only", "b.py")


@situation()
def commit_include(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.git("add", "a.py")
    change(play, "a.py", "tok_a3")
    change(play, "b.py", "tok_b2")
    play.git("commit", "-qm", "include", "--include", "b.py")


@situation()
def commit_by_pathspec_file(play):
    base(play)
    change(play, "a.py", "tok_a2")
    change(play, "b.py", "tok_b2")
    play.git("commit", "-qm", "listed", "--pathspec-from-file=-", stdin=b"b.py\n")


@situation()
def commit_of_chosen_hunks(play):
    base(play)
    play.write({"a.py": code("tok_a2") + code(*(f"tok_x{n}" for n in range(9)))})
    play.quiet("commit", "-qam", "long")
    lines = (play.folder / "a.py").read_text()
    play.write({"a.py": code("tok_first") + lines + code("tok_last")})
    play.git("commit", "-qpm", "hunk", stdin=b"y\nn\n")


@situation()
def staged_hunk_with_a_differing_worktree(play):
    base(play)
    play.write({"a.py": code("tok_a1", "tok_a2")})
    patch = play.quiet("diff", "--", "a.py")
    play.write({"a.py": code("tok_a0", "tok_a1")})
    play.git("apply", "--cached", stdin=patch.encode())
    play.git("commit", "-qm", "hunk")


@situation(is_short=True)
def amend(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.quiet("commit", "-qam", "tip")
    change(play, "b.py", "tok_b2")
    play.git("add", "b.py")
    change(play, "b.py", "tok_b3")
    play.git("commit", "-q", "--amend", "-m", "amended")


@situation(framework_runs=0)
def amend_of_the_message_alone(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.git("commit", "-q", "--amend", "-m", "reworded")


@situation()
def amend_of_the_root(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.git("commit", "-qa", "--amend", "--no-edit")


@situation(framework_runs=0)
def empty_commit(play):
    base(play)
    play.git("commit", "-qm", "empty", "--allow-empty")


@situation()
def detached_head(play):
    base(play)
    play.quiet("checkout", "-q", "--detach")
    change(play, "a.py", "tok_a2")
    play.git("commit", "-qam", "detached")


@situation()
def orphan_branch(play):
    base(play)
    play.quiet("checkout", "-q", "--orphan", "other")
    play.quiet("rm", "-q", "--cached", "b.py")
    play.git("commit", "-qm", "orphan")


@situation()
def from_a_subfolder(play):
    base(play)
    change(play, "sub/d.py", "tok_d1")
    play.git("add", "sub")
    change(play, "sub/d.py", "tok_d2")
    play.git("-C", "sub", "commit", "-qm", "sub")


@situation()
def after_a_stash_was_popped(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.git("add", "a.py")
    change(play, "a.py", "tok_a2", "tok_a3")
    play.git("stash", "-q")
    play.git("stash", "pop", "-q", "--index")
    play.git("commit", "-qm", "popped")


@situation()
def fixup_and_autosquash(play):
    base(play)
    change(play, "b.py", "tok_b2")
    play.quiet("commit", "-qam", "next")
    change(play, "a.py", "tok_a2")
    play.git("commit", "-qa", "--fixup=HEAD~1")
    commit = play.head()
    play.git("rebase", "-q", "-i", "--root", "--autosquash")
    return [commit]


# kinds of changes


@situation(is_short=True)
def intent_to_add(play):
    base(play)
    change(play, "named.py", "tok_n1")
    play.git("add", "-N", "named.py")
    change(play, "a.py", "tok_a2")
    play.git("add", "a.py")
    play.git("commit", "-qm", "without the named one")


@situation()
def intent_to_add_with_all(play):
    base(play)
    change(play, "named.py", "tok_n1")
    play.git("add", "-N", "named.py")
    play.git("commit", "-qam", "with the named one")


@situation()
def renamed_and_edited(play):
    base(play)
    play.git("mv", "a.py", "moved.py")
    change(play, "moved.py", "tok_a1", "tok_m1")
    play.git("add", "moved.py")
    play.git("commit", "-qm", "moved")


@situation(framework_runs=0)
def deleted_file(play):
    base(play)
    play.git("rm", "-q", "a.py")
    play.git("commit", "-qm", "deleted")


@situation()
def deleted_in_the_index_alone(play):
    base(play)
    play.git("rm", "-q", "--cached", "a.py")
    change(play, "b.py", "tok_b2")
    play.git("add", "b.py")
    play.git("commit", "-qm", "untracked again")


@situation()
def mode_change(play):
    base(play)
    play.git("update-index", "--chmod=+x", "a.py")
    play.git("commit", "-qm", "executable")


@situation(framework_runs=0)
def staged_link(play):
    base(play)
    (play.folder / "link.py").symlink_to("/etc/passwd")
    play.git("add", "link.py")
    play.git("commit", "-qm", "link")


@situation()
def file_becomes_a_link(play):
    base(play)
    (play.folder / "a.py").unlink()
    (play.folder / "a.py").symlink_to("b.py")
    change(play, "b.py", "tok_b2")
    play.git("commit", "-qam", "link")


@situation()
def folder_becomes_a_file(play):
    base(play)
    change(play, "d/x.py", "tok_x1")
    play.quiet("add", "-A")
    play.quiet("commit", "-qm", "folder")
    play.quiet("rm", "-rq", "d")
    change(play, "d", "tok_d1")
    play.write({"b.py": code("tok_b2")})
    play.git("add", "-A")
    play.git("commit", "-qm", "file")


@situation(is_short=True)
def strange_names(play):
    base(play)
    for number, name in enumerate(
        ("wört.py", "two words.py", 'quo"te.py', "new\nline.py", "-x.py")
    ):
        change(play, name, f"tok_s{number}")
    play.git("add", "-A")
    play.git("commit", "-qm", "names")


@situation()
def line_ends_converted(play):
    play.quiet("config", "core.autocrlf", "true")
    base(play)
    play.write({"a.py": code("tok_a1", "tok_a2").replace("\n", "\r\n")})
    play.git("add", "a.py")
    play.write({"a.py": code("tok_a3").replace("\n", "\r\n")})
    play.git("commit", "-qm", "crlf")


@situation()
def filter_of_the_user(play):
    play.quiet("config", "filter.shout.clean", "sed s/quiet/tok_clean/")
    play.quiet("config", "filter.shout.smudge", "cat")
    base(play)
    play.write({".gitattributes": "*.py filter=shout\n", "a.py": code("quiet")})
    play.git("add", "-A")
    play.git("commit", "-qm", "filtered")


# several branches


def two_branches(play, theirs):
    """`side` changes b.py, then `theirs`; `main` goes on without it."""
    base(play)
    play.quiet("checkout", "-qb", "side")
    change(play, theirs, "tok_theirs")
    play.quiet("add", "-A")
    play.quiet("commit", "-qm", "theirs")
    play.quiet("checkout", "-q", "main")
    change(play, "a.py", "tok_ours")
    play.quiet("commit", "-qam", "ours")


def resolve(play):
    change(play, "a.py", "tok_ours", "tok_theirs", "tok_resolved")
    play.git("add", "a.py")


@situation(is_short=True)
def clean_merge(play):
    two_branches(play, "b.py")
    play.git("merge", "-q", "--no-edit", "side")


@situation(is_short=True)
def merge_with_a_conflict(play):
    two_branches(play, "a.py")
    play.git("merge", "-q", "side", allowed=1)
    resolve(play)
    play.git("commit", "-q", "--no-edit")


@situation()
def merge_continued(play):
    two_branches(play, "a.py")
    play.git("merge", "-q", "side", allowed=1)
    resolve(play)
    play.git("merge", "--continue")


@situation()
def merge_stopped_before_its_commit(play):
    two_branches(play, "b.py")
    play.git("merge", "-q", "--no-commit", "side")
    change(play, "a.py", "tok_more")
    play.git("add", "a.py")
    play.git("commit", "-q", "--no-edit")


@situation()
def squashed_merge(play):
    two_branches(play, "b.py")
    play.git("merge", "-q", "--squash", "side")
    play.git("commit", "-qm", "squashed")


@situation()
def octopus_merge(play):
    two_branches(play, "b.py")
    play.quiet("checkout", "-qb", "third", "main~1")
    change(play, "d.py", "tok_d1")
    play.quiet("add", "-A")
    play.quiet("commit", "-qm", "third")
    play.quiet("checkout", "-q", "main")
    play.git("merge", "-q", "-m", "octopus", "side", "third")


@situation()
def subtree_of_another_history(play):
    base(play)
    play.quiet("checkout", "-q", "--orphan", "foreign")
    play.quiet("rm", "-rqf", ".")
    change(play, "f.py", "tok_f1")
    play.quiet("add", "-A")
    play.quiet("commit", "-qm", "foreign")
    play.quiet("checkout", "-q", "main")
    play.git("merge", "-q", "--no-edit", "--allow-unrelated-histories", "foreign")


@situation(runs=0)
def clean_cherry_pick(play):
    """git runs no hook that could review."""
    two_branches(play, "b.py")
    play.git("cherry-pick", "side")
    return []


@situation()
def cherry_pick_continued(play):
    two_branches(play, "a.py")
    play.git("cherry-pick", "side", allowed=1)
    resolve(play)
    play.git("cherry-pick", "--continue")


@situation()
def cherry_pick_without_its_commit(play):
    two_branches(play, "b.py")
    play.git("cherry-pick", "--no-commit", "side")
    play.git("commit", "-qm", "picked")


@situation(runs=0)
def clean_revert(play):
    """git runs no hook that could review."""
    two_branches(play, "b.py")
    play.git("revert", "--no-edit", "HEAD")
    return []


@situation()
def revert_without_its_commit(play):
    two_branches(play, "b.py")
    play.git("revert", "--no-commit", "HEAD")
    play.git("commit", "-qm", "reverted")


@situation()
def revert_continued(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.quiet("commit", "-qam", "second")
    change(play, "a.py", "tok_a3")
    play.quiet("commit", "-qam", "third")
    play.git("revert", "--no-edit", "HEAD~1", allowed=1)
    resolve(play)
    play.git("revert", "--continue")


@situation(runs=0)
def rebase_continued(play):
    """git makes the commit itself: no hook, with or without a conflict."""
    two_branches(play, "a.py")
    play.git("rebase", "-q", "side", allowed=1)
    resolve(play)
    play.git("rebase", "--continue")
    return []


@situation()
def commit_within_a_stopped_rebase(play):
    two_branches(play, "a.py")
    play.git("rebase", "-q", "side", allowed=1)
    resolve(play)
    play.git("commit", "-qm", "resolved")
    commit = play.head()
    play.git("rebase", "--continue")
    return [commit]


@situation()
def amend_within_a_rebase(play):
    two_branches(play, "b.py")
    play.git("rebase", "-q", "-i", "--exec=false", "HEAD~1", allowed=1)
    change(play, "a.py", "tok_ours", "tok_amended")
    play.git("commit", "-qa", "--amend", "--no-edit")
    commit = play.head()
    play.git("rebase", "--continue")
    return [commit]


# kinds of repositories


@situation(is_short=True)
def linked_worktree(play):
    base(play)
    linked = play.link()
    change(linked, "a.py", "tok_l1")
    linked.git("add", "a.py")
    change(linked, "a.py", "tok_l2")
    change(play, "a.py", "tok_main_worktree")
    linked.git("commit", "-qm", "linked")
    return [linked.head()]


@situation()
def linked_worktree_with_a_path(play):
    base(play)
    linked = play.link()
    change(linked, "a.py", "tok_l1")
    linked.git("add", "a.py")
    change(linked, "b.py", "tok_l2")
    linked.git("commit", "-qm", "linked", "b.py")
    return [linked.head()]


@situation()
def linked_worktree_of_a_bare_repository(play):
    base(play)
    linked = play.link(is_bare=True)
    change(linked, "a.py", "tok_l1")
    linked.git("commit", "-qam", "linked")
    return [linked.head()]


@situation(is_short=True)
def inside_a_submodule(play):
    base(play)
    module = play.submodule()
    change(module, "m.py", "tok_m2")
    module.git("add", "m.py")
    change(module, "m.py", "tok_m3")
    change(play, "a.py", "tok_outside")
    play.git("add", "a.py")
    module.git("commit", "-qm", "in the module")
    return [module.head()]


@situation()
def a_submodule_moved_on(play):
    base(play)
    module = play.submodule()
    change(module, "m.py", "tok_m2")
    module.quiet("commit", "-qam", "in the module")
    change(play, "a.py", "tok_a2")
    play.git("commit", "-qm", "outside", "--", "a.py", "mod")


@situation()
def sparse_checkout(play):
    base(play)
    play.write({"in/i.py": code("tok_i1"), "out/o.py": code("tok_o1")})
    play.quiet("add", "-A")
    play.quiet("commit", "-qm", "folders")
    play.quiet("sparse-checkout", "set", "in")
    change(play, "in/i.py", "tok_i2")
    play.git("commit", "-qam", "sparse")


@situation()
def sparse_index(play):
    base(play)
    play.write({"in/i.py": code("tok_i1"), "out/deep/o.py": code("tok_o1")})
    play.quiet("add", "-A")
    play.quiet("commit", "-qm", "folders")
    play.quiet("sparse-checkout", "set", "--sparse-index", "in")
    change(play, "in/i.py", "tok_i2")
    play.git("add", "in/i.py")
    change(play, "in/i.py", "tok_i3")
    play.git("commit", "-qm", "sparse")


@situation()
def split_index(play):
    base(play)
    play.quiet("update-index", "--split-index")
    change(play, "a.py", "tok_a2")
    play.git("add", "a.py")
    change(play, "a.py", "tok_a3")
    play.git("commit", "-qm", "split")


@situation()
def index_of_version_4(play):
    base(play)
    play.quiet("update-index", "--index-version", "4")
    change(play, "a.py", "tok_a2")
    play.git("commit", "-qam", "version 4")


@situation()
def index_named_by_the_user(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.git("add", "a.py")
    own = {"GIT_INDEX_FILE": str(play.folder / ".git" / "own-index")}
    play.git("read-tree", "HEAD", environment=own)
    change(play, "b.py", "tok_b2")
    play.git("add", "b.py", environment=own)
    play.git("commit", "-qm", "own index", environment=own)


@situation()
def packed_and_collected(play):
    base(play)
    play.quiet("gc", "-q", "--aggressive", "--prune=now")
    play.quiet("pack-refs", "--all")
    change(play, "a.py", "tok_a2")
    play.git("commit", "-qam", "packed")


@situation()
def shallow_clone(play):
    base(play)
    change(play, "a.py", "tok_a2")
    play.quiet("commit", "-qam", "second")
    clone = play.clone("--depth=1")
    change(clone, "a.py", "tok_a3")
    clone.git("commit", "-qam", "shallow")
    return [clone.head()]


@situation()
def clone_with_borrowed_objects(play):
    base(play)
    clone = play.clone("--shared")
    change(clone, "a.py", "tok_a2")
    clone.git("commit", "-qam", "borrowed")
    return [clone.head()]


@situation()
def git_folder_elsewhere(play):
    base(play)
    clone = play.clone("--separate-git-dir", str(play.folder.parent / "elsewhere.git"))
    change(clone, "a.py", "tok_a2")
    clone.git("commit", "-qam", "elsewhere")
    return [clone.head()]


@situation()
def replaced_objects(play):
    base(play)
    blob = play.quiet("rev-parse", "HEAD:a.py").strip()
    lie = play.quiet("hash-object", "-w", "--stdin", stdin=code("tok_lie").encode()).strip()
    play.quiet("replace", blob, lie)
    change(play, "b.py", "tok_b2")
    play.git("add", "b.py")
    play.git("commit", "-qm", "replaced")
