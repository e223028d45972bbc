"""What is reviewed before a push is what the remote does not have, and nothing is changed."""

import pytest

CODE = "def f():\n    return {}()\n"
SITUATIONS = []


def situation(framework=True):
    """`framework`: pre-commit tells its hooks of it, too."""

    def keep(act):
        SITUATIONS.append(pytest.param(act, framework, id=act.__name__))
        return act

    return keep


def commit(play, path, name):
    play.write({path: CODE.format(name)})
    play.quiet("add", "-A")
    play.quiet("commit", "-qm", name)
    return play.head()


def start(play):
    """A remote that has `main`; the commit that it is at."""
    remote = play.folder.parent / "remote.git"
    play.quiet("init", "-q", "--bare", str(remote))
    play.quiet("remote", "add", "origin", str(remote))
    first = commit(play, "a.py", "tok_a1")
    play.quiet("push", "-q", "origin", "main")
    return first


@situation()
def new_commits(play):
    first = start(play)
    commit(play, "a.py", "tok_a2")
    last = commit(play, "b.py", "tok_b1")
    play.write({"a.py": CODE.format("tok_unstaged")})
    play.git("push", "-q", "origin", "main")
    return [(first, last)]


@situation()
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


@situation()
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


@situation(framework=False)
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
    play.quiet("init", "-q", "--bare", str(play.folder.parent / "remote.git"))
    play.quiet("remote", "add", "origin", str(play.folder.parent / "remote.git"))
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


@pytest.mark.parametrize(("act", "framework"), SITUATIONS)
def test_a_native_hook_reviews_what_is_pushed(act, framework, playground, new_play):
    check(playground, new_play(playground.natively), act)


@pytest.mark.slow
@pytest.mark.parametrize(("act", "framework"), SITUATIONS)
def test_the_framework_reviews_what_is_pushed(act, framework, playground, new_play):
    if not framework:
        pytest.skip(act.__doc__)
    check(playground, new_play(playground.by_the_framework), act)
