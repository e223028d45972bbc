"""Pull requests over many pushes: nothing is lost, told twice, or hidden for ever."""

BEFORE = """\
import subprocess


def area(width):
    return width
"""
CALL = '    subprocess.run(f"ls {name}", shell=True)\n'


def hidden(world):
    return [comment.minimized for comment in world.pull.comments]


def test_a_head_that_comes_back_by_force_is_told_again(opened):
    git = opened.repository.git
    first = git("rev-parse", "HEAD").strip()
    opened.review()
    git("reset", "-q", "--hard", "main")
    opened.repository.commit({"shop.py": f"{BEFORE}\n\ndef two():\n    return 2\n"})
    opened.push()
    opened.review()
    assert hidden(opened) == ["outdated"]
    git("reset", "-q", "--hard", first)
    opened.push()
    opened.review()
    assert hidden(opened) == ["outdated", None]
    assert not opened.review().plan.inline
    assert hidden(opened) == ["outdated", None]


def test_the_same_line_above_one_that_was_dismissed_is_told(world):
    git = world.repository.git
    world.repository.commit({"shop.py": BEFORE})
    git("checkout", "-q", "-b", "change")
    world.repository.commit({"shop.py": f"{BEFORE}\n\ndef show(name):\n    print(name)\n{CALL}"})
    world.open()
    world.review()
    world.pull.threads[0].resolved_by = "ann"
    text = f"{BEFORE}\n\ndef show(name):\n{CALL}    print(name)\n{CALL}"
    world.repository.commit({"shop.py": text})
    world.push()
    (comment,) = world.review().plan.inline
    assert comment.line == 9
