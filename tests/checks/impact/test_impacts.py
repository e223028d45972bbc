"""What surrounds the checks: real git, limits, and sides that are not known."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dsreview import languages
from dsreview.change import ChangedFile
from dsreview.checks.impact import find_impacts
from dsreview.finding import Origin
from dsreview.patch import FileStatus
from dsreview.sources import SourceRequest, open_change

LIBRARY = {"lib.py": "def fetch(url):\n    return url\n"}
CALLER = {"app.py": "from lib import fetch\n\nfetch('a')\n"}
PACKAGE = {"pkg/__init__.py": "", "pkg/a.py": "B = 1\n", "pkg/b.py": "from .a import B\n"}
CHANGED = {"lib.py": "def fetch(url, timeout):\n    return url, timeout\n"}


@pytest.fixture
def repository(tmp_path):
    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / "pkg").mkdir()
    for path, text in {**LIBRARY, **CALLER, **PACKAGE}.items():
        (tmp_path / path).write_text(text)
    git("add", ".")
    git("commit", "-q", "-m", "before")
    return tmp_path


def review(folder: Path, sandbox):
    with open_change(SourceRequest(folder)) as change:
        files = [
            ChangedFile(
                path=patch.path,
                language=languages.detect(patch.path).name,
                patch=patch,
                old_text=_text(change.base.read(patch.old_path)),
                text=_text(change.head.read(patch.path)),
            )
            for patch in change.patch.files
            if patch.status is not FileStatus.DELETED
        ]
        return find_impacts(change, files, sandbox, None).findings


def _text(content):
    return None if content is None else content.decode()


def test_a_caller_left_behind_in_a_real_repository_is_found(repository, sandbox):
    (repository / "lib.py").write_text(CHANGED["lib.py"])
    (found,) = review(repository, sandbox)
    assert (found.rule, found.path, found.span.start) == ("stale-caller", "lib.py", 1)
    assert found.origin is Origin.IMPACT
    assert "app.py:3" in found.scenario


def test_nothing_is_found_once_the_caller_follows(repository, sandbox):
    (repository / "lib.py").write_text(CHANGED["lib.py"])
    (repository / "app.py").write_text("from lib import fetch\n\nfetch('a', 3)\n")
    assert review(repository, sandbox) == ()


def test_a_deleted_file_that_is_imported_is_found(repository, sandbox):
    (repository / "pkg" / "a.py").unlink()
    (found,) = review(repository, sandbox)
    assert (found.rule, found.path) == ("dangling-reference", "pkg/a.py")
    assert "pkg/b.py:1" in found.scenario


def test_nothing_is_checked_where_only_hunks_are_known(make_change, sandbox):
    change, files = make_change({**LIBRARY, **CALLER}, {**CHANGED, **CALLER})
    partial = replace(change, is_whole=False)
    result = find_impacts(partial, files, sandbox, None)
    assert result.findings == result.failures == ()


def test_cells_of_notebooks_are_left_out(make_change, sandbox):
    change, (file,) = make_change({"a.py": "x = 1\n"}, {"a.py": "x = missing\n"})
    assert find_impacts(change, (file,), sandbox, None).findings
    cell = replace(file, cell=1, line_map=(7,))
    assert find_impacts(change, (cell,), sandbox, None).findings == ()


def test_a_file_that_cannot_be_parsed_is_a_failure(make_change, sandbox):
    hostile = "x = 1;" + "a<b,\n" * 12_000
    change, files = make_change({"a.ts": "const x = 1;\n"}, {"a.ts": hostile})
    result = find_impacts(change, files, sandbox, None)
    assert [failure.path for failure in result.failures] == ["a.ts"]


def test_a_caller_too_large_to_read_is_said(make_change, sandbox):
    large = {"app.py": CALLER["app.py"] + "x = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'\n" * 20_000}
    change, files = make_change({**LIBRARY, **large}, {**CHANGED, **large})
    result = find_impacts(change, files, sandbox, None)
    assert [failure.path for failure in result.failures] == ["app.py"]
    assert "larger than" in result.failures[0].reason


def test_text_that_is_not_utf8_is_read(make_change, sandbox):
    change, (file,) = make_change({"a.py": "x = 1\n"}, {"a.py": "x = missing\n"})
    strange = replace(file, text="x = missing  # \udce9\n")
    (found,) = find_impacts(change, (strange,), sandbox, None).findings
    assert found.quote == "x = missing  # \udce9"
