"""Pull requests of real repositories, as GitHub's API would list their files."""

import json
import urllib.request

import pytest

from dsreview.fake_github import FakeGitHub
from dsreview.fake_github.hunks import find, rows


@pytest.fixture
def branch(repository):
    """Main moves on after the branch has left it."""
    repository.commit(
        {
            "kept.py": "".join(f"line {number}\n" for number in range(40)),
            "gone.py": "x\n",
            "old.py": "".join(f"row {number}\n" for number in range(30)),
            "image.bin": b"\0\1",
            "mode.sh": "true\n",
        }
    )
    repository.git("checkout", "-q", "-b", "change")
    text = "".join(f"line {number}\n" for number in range(40))
    repository.git("mv", "old.py", "new name.py")
    repository.git("rm", "-q", "gone.py")
    (repository.folder / "mode.sh").chmod(0o755)
    repository.commit(
        {
            "kept.py": text.replace("line 3\n", "line three\nand more\n").replace(
                "line 39\n", "end"
            ),
            "added é.py": "first\n",
            "image.bin": b"\0\2",
            "new name.py": "".join(f"row {number}\n" for number in range(30)) + "row 30\n",
            "crlf.txt": b"one\r\ntwo\r\n",
        }
    )
    repository.commit({"added é.py": "first\nsecond\n"})
    repository.git("checkout", "-q", "main")
    repository.commit({"elsewhere.py": "1\n"})
    return repository


def files_of(github, number=1):
    request = urllib.request.Request(
        f"{github.url}/repos/octo/project/pulls/{number}/files?per_page=100",
        headers={"Authorization": f"Bearer {github.token}"},
    )
    with urllib.request.urlopen(request) as answer:
        return {file["filename"]: file for file in json.loads(answer.read())}


def test_files_are_listed_as_github_lists_them(fake_github, branch):
    pull = fake_github.add_pull_from_git(branch.folder, "main", "change")
    files = files_of(fake_github)
    assert {path: file["status"] for path, file in files.items()} == {
        "added é.py": "added",
        "crlf.txt": "added",
        "gone.py": "removed",
        "image.bin": "modified",
        "kept.py": "modified",
        "mode.sh": "modified",
        "new name.py": "renamed",
    }
    assert files["new name.py"]["previous_filename"] == "old.py"
    assert [path for path, file in files.items() if "patch" not in file] == ["image.bin", "mode.sh"]
    assert files["added é.py"]["patch"] == "@@ -0,0 +1,2 @@\n+first\n+second"
    assert files["crlf.txt"]["patch"] == "@@ -0,0 +1,2 @@\n+one\r\n+two\r"
    assert files["kept.py"]["patch"].endswith("+end\n\\ No newline at end of file")
    assert (files["kept.py"]["additions"], files["kept.py"]["deletions"]) == (3, 2)
    blob = branch.git("rev-parse", "change:kept.py").strip()
    assert files["kept.py"]["sha"] == blob
    assert pull.base_sha == branch.git("rev-parse", "main").strip()
    assert pull.now.commits[-1] == branch.git("rev-parse", "change").strip()
    assert len(pull.now.commits) == 2


def test_the_lines_of_a_patch_are_those_of_the_files(fake_github, branch):
    """Every commentable line holds what the blob has there."""
    pull = fake_github.add_pull_from_git(branch.folder, "main", "change")
    parted = branch.git("merge-base", "main", "change").strip()
    for file in pull.now.files:
        if file.patch is None:
            continue
        for side, commit in (("LEFT", parted), ("RIGHT", "change")):
            numbers = [row.number(side) for row in rows(file.patch) if row.number(side)]
            if not numbers:
                continue
            path = file.previous_path if side == "LEFT" and file.previous_path else file.path
            content = branch.git("cat-file", "blob", f"{commit}:{path}").split("\n")
            for number in numbers:
                assert find(file.patch, side, number).text[1:] == content[number - 1]


def test_a_push_moves_the_head_and_a_forced_one_replaces_the_commits(fake_github, branch):
    pull = fake_github.add_pull_from_git(branch.folder, "main", "change")
    first, second = pull.now.commits
    branch.git("checkout", "-q", "change")
    third = branch.commit({"more.py": "1\n"})
    fake_github.push_from_git(pull, "change")
    assert pull.now.commits == (first, second, third)
    branch.git("reset", "-q", "--hard", first)
    other = branch.commit({"other.py": "1\n"})
    fake_github.push_from_git(pull, "change")
    assert pull.now.commits == (first, other)
    assert pull.head_sha == other
    assert "other.py" in files_of(fake_github)


def test_a_patch_above_the_limits_is_left_out(fake_github, repository):
    repository.commit({"a.txt": ""})
    repository.git("checkout", "-q", "-b", "change")
    repository.commit(
        {
            "a.txt": "1\n",
            "large.txt": "x" * 600_000 + "\n",
            "long.txt": "x\n" * 20_001,
            "z1.txt": ("x" * 99 + "\n") * 4_000,
            "z2.txt": ("y" * 99 + "\n") * 4_000,
            "z3.txt": ("z" * 99 + "\n") * 4_000,
            "z4.txt": "small\n",
        }
    )
    fake_github.add_pull_from_git(repository.folder, "main", "change")
    files = files_of(fake_github)
    assert [path for path, file in files.items() if "patch" not in file] == [
        "large.txt",
        "long.txt",
        "z3.txt",
    ]
    assert files["long.txt"]["additions"] == 20_001


def test_hostile_settings_of_the_user_change_nothing(fake_github, branch, tmp_path, monkeypatch):
    settings = tmp_path / "gitconfig"
    settings.write_text("[diff]\n\tnoprefix = true\n\tcontext = 0\n\trenames = false\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    fake_github.add_pull_from_git(branch.folder, "main", "change")
    assert "@@ -1,7 +1,8 @@" in files_of(fake_github)["kept.py"]["patch"]


def test_only_a_pull_request_from_git_is_pushed_from_git():
    with FakeGitHub() as github:
        pull = github.add_pull({"f.py": "@@ -1 +1 @@\n-a\n+b"})
        with pytest.raises(ValueError, match="not made from a git repository"):
            github.push_from_git(pull)
