"""What is reviewed before a push is what the remote does not have, and nothing is changed."""

import pytest

CODE = "def f():\n    return {}()\n"
SITUATIONS, SHORT, OF_FRAMEWORK = [], [], []


def situation(is_short=False, framework=True):
    """`framework`: pre-commit tells its hooks of it, too."""

    def keep(act):
        SITUATIONS.append(act)
        if is_short:
            SHORT.append(act)
        if framework:
            OF_FRAMEWORK.append(act)
        return act

    return keep


def commit(play, path, name):
    play.write({path: CODE.format(name)})
    play.quiet("add", "-A")
    play.quiet("commit", "-qm", name)
    return play.head()


def add_remote(play):
    remote = play.folder.parent / "remote.git"
    play.quiet("init", "-q", "--bare", f"--object-format={play.object_format}", str(remote))
    play.quiet("remote", "add", "origin", str(remote))


def start(play):
    """A remote that has `main`; the commit that it is at."""
    add_remote(play)
    first = commit(play, "a.py", "tok_a1")
    play.quiet("push", "-q", "origin", "main")
    return first


@situation(is_short=True)
def new_commits(play):
    first = start(play)
    commit(play, "a.py", "tok_a2")
    last = commit(play, "b.py", "tok_b1")
    play.write({"a.py": CODE.format("tok_unstaged")})
    play.git("push", "-q", "origin", "main")
    return [(first, last)]


@situation(is_short=True)
def new_branch(play):
    first = start(play)
    play.quiet("checkout", "-qb", "side")
    last = commit(play, "b.py", "tok_b1")
    play.git("push", "-q", "-u", "origin", "side")
    return [(first, last)]


@situation()
def rewritten_history(play):
    first = start(play)
    commit(play, "b.py", "tok_b1")
    play.quiet("push", "-q", "origin", "main")
    play.write({"b.py": CODE.format("tok_b2")})
    play.quiet("commit", "-qa", "--amend", "-m", "amended")
    play.git("push", "-q", "--force", "origin", "main")
    return [(first, play.head())]


@situation()
def merge_of_a_branch(play):
    first = start(play)
    play.quiet("checkout", "-qb", "side")
    commit(play, "b.py", "tok_b1")
    play.quiet("checkout", "-q", "main")
    commit(play, "c.py", "tok_c1")
    play.quiet("merge", "-q", "--no-edit", "side")
    play.git("push", "-q", "origin", "main")
    return [(first, play.head())]


@situation()
def annotated_tag_of_a_new_commit(play):
    first = start(play)
    last = commit(play, "b.py", "tok_b1")
    play.quiet("tag", "-a", "-m", "tag", "v1")
    play.git("push", "-q", "origin", "v1")
    return [(first, last)]


@situation()
def tag_of_what_is_there(play):
    start(play)
    play.quiet("tag", "v1")
    play.git("push", "-q", "origin", "v1")
    return []


@situation(is_short=True)
def deleted_branch(play):
    start(play)
    play.quiet("push", "-q", "origin", "main:side")
    play.git("push", "-q", "origin", ":side")
    return []


@situation()
def nothing_new(play):
    start(play)
    play.git("push", "-q", "origin", "main")
    return []


@situation(is_short=True, framework=False)
def several_branches(play):
    """pre-commit tells its hooks of one of them."""
    first = start(play)
    play.quiet("checkout", "-qb", "side")
    side = commit(play, "b.py", "tok_b1")
    play.quiet("checkout", "-q", "main")
    main = commit(play, "c.py", "tok_c1")
    play.git("push", "-q", "origin", "main", "side")
    return [(first, main), (first, side)]


@situation()
def the_first_push_of_all(play):
    commit(play, "a.py", "tok_a1")
    last = commit(play, "b.py", "tok_b1")
    add_remote(play)
    play.git("push", "-q", "origin", "main")
    return [(play.empty_tree, last)]


def check(playground, play, act):
    expected = {}
    for before, after in act(play):
        expected |= playground.committed(play, before, after)
    names = {path: bytes.fromhex(content) for path, content in expected.items()}
    records = play.records()
    reviewed = {}
    for record in records:
        reviewed |= record["reviewed"]
        assert record["changed"] == []
        assert record["code"] == 0, record["output"]
    assert reviewed == expected
    output = "".join(record["output"] for record in records)
    for path, content in names.items():
        name = content.decode().split("return ")[1].strip("()\n")
        assert f"{path}:2" in output
        assert f"`{name}` is used here" in output
    assert output.count("is used here") == len(names)


def name_of(act):
    return act.__name__


@pytest.mark.parametrize("act", SHORT, ids=name_of)
def test_a_native_hook_reviews_what_is_pushed(act, playground, new_play):
    check(playground, new_play(playground.natively), act)


@pytest.mark.slow
@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
@pytest.mark.parametrize("act", SITUATIONS, ids=name_of)
def test_a_native_hook_before_every_push(act, object_format, playground, new_play):
    check(playground, new_play(playground.natively, object_format), act)


@pytest.mark.slow
@pytest.mark.parametrize("act", OF_FRAMEWORK, ids=name_of)
def test_the_framework_before_every_push(act, playground, new_play):
    check(playground, new_play(playground.by_the_framework), act)
