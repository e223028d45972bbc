"""Sets from clones that lack something, from hostile ones, and the command."""

import subprocess

import pytest

from dsreview.benchmark.from_git import Recipe, make
from dsreview.benchmark.from_git_items import Reason
from dsreview.benchmark.items import read_items
from dsreview.cli import main
from dsreview.errors import GitError, UsageError
from dsreview.progress import SilentProgress

RIGHT, WRONG = "def f(a):\n    return a + {}\n", "def f(a):\n    return a - {}\n"
NUM_FILES = 6


@pytest.fixture
def filled(history, repository):
    """Each file is fixed on one day and worked on, for good, on another."""
    names = [f"src/{'go' if number % 2 else 'py'}{number}.py" for number in range(NUM_FILES)]
    history.commit({name: WRONG.format(at) for at, name in enumerate(names)}, "New")
    for at, name in enumerate(names):
        files = {name: RIGHT.format(at), f"tests/test_{at}.py": "a = 1\n"}
        history.commit(files, f"Fix f of {at}", days=at)
    for at, name in enumerate(names):
        history.commit({name: RIGHT.format(f"{at} + 0")}, "Add", days=20 + at)
    history.commit({"LICENSE": "Apache License\nVersion 2.0\n"}, "End", days=600)
    history.write(repository.folder)
    return repository


@pytest.fixture
def made_from(sandbox):
    def run(folder, **options):
        return make(Recipe(folder, "here", **options), sandbox, SilentProgress())

    return run


def ids(made):
    return [item.id for item in made.items]


def test_the_seed_alone_decides_which_ones(filled, made_from):
    first, again = (made_from(filled.folder, max_items=3) for _ in range(2))
    other = made_from(filled.folder, max_items=3, seed=1)
    assert first.items == again.items
    assert len(first.items) == len(other.items) == 6
    assert set(ids(first)) != set(ids(other))


def test_a_set_knows_its_head_its_licence_and_its_bound(filled, made_from):
    made = made_from(filled.folder, max_commits=5)
    assert made.head == filled.git("rev-parse", "HEAD").strip()
    assert {item.licence for item in made.items} == {"Apache-2.0"}
    assert made.notes == ("only the newest 5 commits were read",)
    assert made.num_commits == 5


def test_what_was_taken_back_is_no_item(filled, made_from):
    filled.git("reset", "-q", "--hard")
    newest = filled.git("log", "--format=%H", "--grep=Fix f of 0").strip()
    filled.git("revert", "--no-edit", "HEAD~1")
    filled.commit({"README": ""}, f"Sorry\n\nThis reverts commit {newest[:10]}.")
    left = made_from(filled.folder)
    assert f"here@{newest[:12]}" not in ids(left)
    assert len([item for item in left.items if item.is_bug]) == NUM_FILES - 1
    assert not [item for item in left.items if item.description.startswith("Revert")]


def test_a_change_picked_onto_another_branch_is_one_item(history, tmp_path, made_from):
    start = history.commit({"src/a.py": WRONG.format(1), "src/b.py": "b = 1\n"}, "New")
    fixed = {"src/a.py": RIGHT.format(1), "tests/test_a.py": "a = 1\n"}
    side = history.commit(fixed, "Fix f", branch="side", parents=(start,))
    main = history.commit(fixed, "Fix f (backport)", days=1)
    history.commit({"src/c.py": "c = 1\n"}, "Merge", parents=(main, side), days=2)
    history.write(tmp_path)
    assert len(made_from(tmp_path).items) == 1


def test_benign_changes_have_the_language_and_size_of_the_bugs(history, tmp_path, made_from):
    steps = []
    for at in range(8):
        for path, line in ((f"src/a{at}.js", "a{} = {};\n"), (f"src/b{at}.py", "b{} = {}\n")):
            first = "".join(line.format(place, at) for place in range(9))
            small = first.replace(f"0 = {at}", f"0 = 1{at}")
            large = small.replace(f" = {at}", f" = 2{at}")
            steps += [(at, {path: first}), (30 + at, {path: small}), (500 + at, {path: large})]
    for day, files in sorted(steps, key=lambda step: step[0]):
        history.commit(files, "Go on", day)
    for at in range(4):
        path = f"src/bug{at}.js"
        history.commit({path: f"f(a - {at});\n"}, "New", 600)
        history.commit({path: f"f(a + {at});\n", f"tests/{at}.js": "1;\n"}, "Fix it", 601)
    history.commit({"end": ""}, "End", 1000)
    history.write(tmp_path)
    benign = [item for item in made_from(tmp_path).items if not item.is_bug]
    assert [item.language for item in benign] == ["javascript"] * 4
    assert [item.diff.count("\n-") for item in benign] == [1] * 4


def test_of_a_shallow_clone_it_says_what_is_there(filled, tmp_path, made_from):
    filled.git("clone", "-q", "--depth=3", f"file://{filled.folder}", str(tmp_path / "clone"))
    made = made_from(tmp_path / "clone")
    assert made.notes == ("the clone is shallow: only 3 commits are here",)


def test_a_clone_without_contents_makes_none_and_says_why(filled, tmp_path, made_from):
    filled.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    filled.git("clone", "-q", "--bare", "--filter=blob:none", f"file://{filled.folder}", str(clone))
    made = made_from(clone)
    assert made.items == ()
    assert {reason.value for reason in made.bugs_left_out} == {"content not here (a partial clone)"}


def test_a_clone_that_lacks_large_files_makes_what_it_can(history, tmp_path, made_from):
    large = "".join(f"a = {number}\n" for number in range(400))
    history.commit({"src/a.py": WRONG, "src/b.py": WRONG, "large.txt": large}, "New")
    tests = {"tests/test_a.py": "a = 1\n"}
    moved = {"large.txt": None, "larger.txt": f"{large}more\n"}
    history.commit({"src/a.py": RIGHT} | tests | moved, "Fix a")
    history.commit({"src/b.py": RIGHT.replace("f", "g"), "tests/test_b.py": "b = 1\n"}, "Fix b")
    whole, clone = tmp_path / "whole", tmp_path / "clone"
    whole.mkdir()
    history.write(whole)
    for arguments in (
        ("config", "uploadpack.allowFilter", "true"),
        ("clone", "-q", "--bare", "--filter=blob:limit=1k", f"file://{whole}", str(clone)),
    ):
        subprocess.run(["git", "-C", whole, *arguments], check=True)
    made = made_from(clone)
    assert [item.description for item in made.items] == ["Fix b"]
    assert made.bugs_left_out[Reason.NOT_HERE] == 1
    assert len(made_from(whole).items) == 2


def test_a_clone_without_folders_is_refused(filled, tmp_path, made_from):
    filled.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    filled.git("clone", "-q", "--bare", "--filter=tree:0", f"file://{filled.folder}", str(clone))
    with pytest.raises(GitError, match="a clone without its folders and files will not do"):
        made_from(clone)


def test_a_repository_without_commits_is_refused(repository, made_from):
    with pytest.raises(UsageError, match="HEAD names no commit yet"):
        made_from(repository.folder)


def test_nothing_that_the_repository_names_is_run(filled, tmp_path, made_from):
    log, canary = tmp_path / "executed", tmp_path / "canary"
    canary.write_text(f'#!/bin/sh\necho "$0 $*" >> {log}\ncat 2>/dev/null\nexit 0\n')
    canary.chmod(0o755)
    (filled.folder / ".git" / "info").mkdir(exist_ok=True)
    (filled.folder / ".git" / "info" / "attributes").write_text("* diff=evil filter=evil\n")
    (filled.folder / ".gitattributes").write_text("* diff=evil filter=evil\n")
    for key in (
        *("core.fsmonitor", "core.pager", "core.sshCommand", "core.editor", "core.askPass"),
        *("diff.external", "diff.evil.command", "diff.evil.textconv", "gpg.program", "pager.log"),
        *("filter.evil.smudge", "filter.evil.clean", "alias.log", "core.alternateRefsCommand"),
    ):
        filled.git("config", key, f"!{canary}" if key.startswith("alias") else str(canary))
    filled.git("config", "log.showSignature", "true")
    filled.git("config", "core.hooksPath", str(tmp_path))
    made = made_from(filled.folder)
    assert len(made.items) == 2 * NUM_FILES
    assert not log.exists()
    # the trap works: git itself walks into it
    subprocess.run(
        ["git", "-C", filled.folder, "diff", "--ext-diff", "HEAD~1", "HEAD~2"],
        check=True,
        capture_output=True,
    )
    assert log.exists()


def test_the_command_makes_a_set_and_writes_over_none(filled, tmp_path, run_dsreview, capsys):
    out = tmp_path / "ours.jsonl.xz"
    arguments = ("bench", "make", "--from-git", filled.folder, "--out", out, "--max", "2")
    first = run_dsreview(*arguments)
    assert (first.code, first.err) == (0, "")
    head = filled.git("rev-parse", "HEAD").strip()[:12]
    assert first.out.split("\n")[0] == (
        f"repository: 2 bugs, 2 benign changes, from {2 * NUM_FILES + 2} commits "
        f"up to {head} (Apache-2.0)"
    )
    assert len(list(read_items(out))) == 4
    content = out.read_bytes()
    again = run_dsreview(*arguments)
    assert (again.code, again.err) == (
        2,
        f"error: --out {out}: is there already; --force writes over it\n",
    )
    assert main(["bench", "make", *map(str, arguments[2:]), "--force"]) == 0
    assert capsys.readouterr().out == first.out
    assert out.read_bytes() == content


def test_what_one_clone_lacks_costs_the_others_nothing(filled, tmp_path, capsys):
    filled.git("config", "uploadpack.allowFilter", "true")
    clone, out = tmp_path / "clone", tmp_path / "ours.jsonl"
    filled.git("clone", "-q", "--bare", "--filter=tree:0", f"file://{filled.folder}", str(clone))
    folders = ("--from-git", str(clone), "--from-git", str(filled.folder))
    assert main(["bench", "make", *folders, "--max", "2", "--out", str(out)]) == 3
    assert len(list(read_items(out))) == 4
    assert capsys.readouterr().err.startswith(f"error: {clone}: its history cannot be read")


@pytest.mark.parametrize(
    ("given", "out", "complaint"),
    [
        (("{folder}",), "ours.json", "a set ends in .jsonl, .jsonl.xz, .jsonl.gz"),
        (("{folder}",), "no/ours.jsonl", "its folder does not exist or cannot be written to"),
        (("{folder}", "{folder}"), "ours.jsonl", "another one is called repository too"),
        (("{folder}/../none",), "ours.jsonl", "is in no git repository"),
        (("{folder}",), "ours.jsonl", "not written, since no commit makes an item"),
    ],
)
def test_the_command_refuses_what_cannot_be(repository, tmp_path, capsys, given, out, complaint):
    repository.commit({"a.py": "a = 1\n"})
    folders = [
        part for one in given for part in ("--from-git", one.format(folder=repository.folder))
    ]
    assert main(["bench", "make", *folders, "--out", str(tmp_path / out)]) == 2
    said = capsys.readouterr().err
    assert complaint in said
    assert said.count("\n") == 1
