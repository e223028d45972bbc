"""`dsreview diff` as a user runs it, with no model."""

import json
import os
import subprocess
import sys

import pytest

from dsreview.cli.diff import FORMATS
from dsreview.outputs import OUTPUTS

# language: file, before, with the bug, line of the bug, rule
PLANTED = {
    "python": (
        "app/run.py",
        "import subprocess\n\n\ndef show(name):\n    return name\n",
        "import subprocess\n\n\ndef show(name):\n"
        '    subprocess.run(f"ls {name}", shell=True)\n    return name\n',
        5,
    ),
    "javascript": (
        "web/check.js",
        "export function isBad(value) {\n  return Number.isNaN(value);\n}\n",
        "export function isBad(value) {\n  return value === NaN;\n}\n",
        2,
    ),
    "typescript": (
        "web/total.ts",
        "export function isBad(value: number): boolean {\n  return Number.isNaN(value);\n}\n",
        "export function isBad(value: number): boolean {\n  return value === NaN;\n}\n",
        2,
    ),
    "go": (
        "cmd/query.go",
        "package cmd\n\nfunc find(db *DB, name string) {\n"
        '\tdb.Query("SELECT * FROM users WHERE name = ?", name)\n}\n',
        'package cmd\n\nimport "fmt"\n\nfunc find(db *DB, name string) {\n'
        "\tdb.Query(fmt.Sprintf(\"SELECT * FROM users WHERE name = '%s'\", name))\n}\n",
        6,
    ),
    "java": (
        "src/Login.java",
        'class Login {\n  boolean isRoot(String name) {\n    return "root".equals(name);\n  }\n}\n',
        'class Login {\n  boolean isRoot(String name) {\n    return name == "root";\n  }\n}\n',
        3,
    ),
    "c": (
        "src/clear.c",
        "#include <string.h>\n\nvoid clear(char *buffer, size_t size)\n{\n"
        "    memset(buffer, 0, size);\n}\n",
        "#include <string.h>\n\nvoid clear(char *buffer, size_t size)\n{\n"
        "    memset(buffer, 0, sizeof(buffer));\n}\n",
        5,
    ),
    "ruby": (
        "lib/load.rb",
        "def load(params)\n  JSON.parse(params[:state])\nend\n",
        "def load(params)\n  Marshal.load(params[:state])\nend\n",
        2,
    ),
    "php": (
        "web/index.php",
        "<?php\n$state = json_decode($_GET['state']);\n",
        "<?php\n$state = unserialize($_GET['state']);\n",
        2,
    ),
}


@pytest.mark.parametrize("language", PLANTED)
def test_a_planted_bug_is_found_on_its_line_and_its_fix_is_clean(
    language, repository, run_dsreview
):
    path, before, bug, line = PLANTED[language]
    repository.commit({path: before})
    repository.commit({path: bug})
    repository.commit({path: before})
    found = run_dsreview("diff", "HEAD~2..HEAD~1", "--format=json", cwd=repository.folder)
    report = json.loads(found.out)
    assert (found.code, found.err) == (1, "")
    assert [(f["path"], f["start_line"]) for f in report["findings"]] == [(path, line)]
    fixed = run_dsreview(
        "diff", "HEAD~1..HEAD", "--format=json", "--fail-on=low", cwd=repository.folder
    )
    assert (fixed.code, json.loads(fixed.out)["findings"]) == (0, [])


def planted(repository, language="python"):
    path, before, bug, line = PLANTED[language]
    repository.commit({path: before})
    repository.write({path: bug})
    return path, line


def places(outcome):
    return [(f["path"], f["start_line"]) for f in json.loads(outcome.out)["findings"]]


def test_the_files_on_disk_are_reviewed_against_head(repository, run_dsreview):
    place = planted(repository)
    outcome = run_dsreview("diff", "--format=json", cwd=repository.folder)
    assert (outcome.code, places(outcome)) == (1, [place])


def test_staged_means_the_index_and_not_the_disk(repository, run_dsreview):
    path, line = planted(repository)
    assert places(run_dsreview("diff", "--staged", "--format=json", cwd=repository.folder)) == []
    repository.git("add", "-A")
    repository.write({path: "pass\n"})
    outcome = run_dsreview("diff", "--staged", "--format=json", cwd=repository.folder)
    assert places(outcome) == [(path, line)]


def test_a_patch_on_standard_input_is_reviewed_inside_and_outside(
    repository, run_dsreview, tmp_path
):
    place = planted(repository)
    patch = repository.git("diff").encode()
    for folder in (repository.folder, tmp_path):
        outcome = run_dsreview("diff", "--patch=-", "--format=json", cwd=folder, stdin=patch)
        assert (outcome.code, places(outcome)) == (1, [place])
    notes = json.loads(outcome.out)["notes"]
    assert any("only the patch's own lines are known" in note for note in notes)


def test_paths_behind_two_dashes_limit_the_review(repository, run_dsreview):
    repository.commit({"docs/a.py": "x = 1\n"})
    path, _ = planted(repository)
    outcome = run_dsreview("diff", "--format=json", "--", "docs", cwd=repository.folder)
    assert (outcome.code, json.loads(outcome.out)["coverage"]) == (0, [])
    outcome = run_dsreview("diff", "--", "no-such-folder", cwd=repository.folder)
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    outcome = run_dsreview("diff", "--format=json", "--", path, cwd=repository.folder)
    assert outcome.code == 1


def test_untracked_files_are_reviewed_when_asked_for(repository, run_dsreview):
    repository.commit({"README.md": "hello\n"})
    path, _, bug, line = PLANTED["python"]
    repository.write({path: bug})
    assert places(run_dsreview("diff", "--format=json", cwd=repository.folder)) == []
    outcome = run_dsreview("diff", "--untracked", "--format=json", cwd=repository.folder)
    assert places(outcome) == [(path, line)]


def test_preview_names_each_file_and_why(repository, run_dsreview):
    planted(repository)
    repository.write({"poetry.lock": "x\n", "a.md": "x\n"})
    repository.git("add", "-A")
    outcome = run_dsreview("diff", "--preview", "--staged", cwd=repository.folder)
    assert outcome.code == 0
    assert "in   app/run.py  (python)\n" in outcome.out
    assert "out  poetry.lock  (lock file)\n" in outcome.out
    assert "out  a.md  (prose or data, not source code)\n" in outcome.out


def test_without_a_model_the_report_says_so_and_how_to_get_one(repository, run_dsreview):
    planted(repository)
    outcome = run_dsreview("diff", cwd=repository.folder)
    assert "no model" in outcome.out
    assert "dsreview doctor" in outcome.out


def test_an_ignored_finding_is_counted_as_refused(repository, run_dsreview):
    path, line = planted(repository)
    text = (repository.folder / path).read_text().split("\n")
    report = json.loads(run_dsreview("diff", "--format=json", cwd=repository.folder).out)
    (finding,) = report["findings"]
    text[line - 1] += f"  # dsreview: ignore[{finding['rule']}] names are ours"
    repository.write({path: "\n".join(text)})
    outcome = run_dsreview("diff", "--format=json", cwd=repository.folder)
    report = json.loads(outcome.out)
    assert (outcome.code, report["findings"]) == (0, [])
    assert [(r["path"], r["message"]) for r in report["refused"]] == [(path, "names are ours")]


def test_a_disabled_rule_does_not_run(repository, run_dsreview):
    planted(repository)
    report = json.loads(run_dsreview("diff", "--format=json", cwd=repository.folder).out)
    rule = report["findings"][0]["rule"]
    outcome = run_dsreview("diff", "--format=json", f"--disable={rule}", cwd=repository.folder)
    assert (outcome.code, places(outcome)) == (0, [])


def test_a_file_too_large_makes_the_review_partial_unless_that_is_accepted(
    repository, run_dsreview
):
    repository.commit({"a.py": "x = 1\n"})
    repository.write({"a.py": "x = '" + "a" * 10_000_000 + "'\n"})
    outcome = run_dsreview("diff", "--format=json", cwd=repository.folder)
    report = json.loads(outcome.out)
    assert outcome.code == 3
    assert report["status"] in ("partial", "failed")
    assert report["coverage"][0]["reason"] == "10.0 MB, more than 1 MB"
    accepted = run_dsreview("diff", "--partial-ok", "--format=json", cwd=repository.folder)
    assert json.loads(accepted.out)["coverage"] == report["coverage"]


def test_settings_of_the_old_side_are_obeyed_and_new_ones_are_not(repository, run_dsreview):
    path, before, bug, _ = PLANTED["python"]
    repository.commit({path: before, ".dsreview.toml": 'fail-on = "critical"\n'})
    repository.write({path: bug, ".dsreview.toml": 'exclude = ["*"]\n'})
    outcome = run_dsreview("diff", "--format=json", cwd=repository.folder)
    report = json.loads(outcome.out)
    assert len(report["findings"]) == 1
    assert outcome.code == (1 if report["findings"][0]["severity"] == "critical" else 0)
    assert any(".dsreview.toml" in note for note in report["notes"])


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (["diff", "no-such-revision"], b"", "no-such-revision"),
        (["diff", "a..b"], b"", "a"),
        (["diff", "--commit=zzz"], b"", "zzz"),
        (["diff", "--patch=missing.patch"], b"", "missing.patch: No such file"),
        (
            ["diff", "--patch=-"],
            b"--- a/x\n+++ b/x\n@@ -1,9 +1 @@\n-a\n",
            "the diff ends inside the hunk",
        ),
        (["diff", "--fail-on=severe"], b"", "use low, medium, high or critical"),
        (["diff", "--budget=soon"], b"", "use seconds"),
        (["diff", "--max-findings=x"], b"", "max-findings = 'x'; use a whole number from 0"),
        (["diff", "--model="], b"", "model = ''"),
        (["diff", "--format=xml"], b"", "xml"),
        (["diff", "--colour"], b"", "--colour"),
        (["diff", "--staged", "HEAD~1"], b"", "--staged"),
        (["diff", "-C", "nowhere"], b"", "nowhere"),
        (["diff", "--model=/no/such/model"], b"", "/no/such/model"),
        (["diff", "--output=/no/such/folder/report"], b"", "/no/such/folder/report"),
        (["review"], b"", "review"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_exit_2(
    arguments, stdin, words, repository, run_dsreview
):
    planted(repository)
    outcome = run_dsreview(*arguments, cwd=repository.folder, stdin=stdin)
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert words in outcome.err
    assert outcome.code == 2


def test_files_and_variables_set_what_flags_do_not(repository, run_dsreview):
    path, before, bug, _ = PLANTED["python"]
    repository.commit({path: before, ".dsreview.toml": "exclude = ['lib/']\n"})
    repository.write({path: bug})
    rule = json.loads(run_dsreview("diff", "--format=json", cwd=repository.folder).out)
    name = rule["findings"][0]["rule"]
    disabled = {"DSREVIEW_DISABLE": f"other, {name}"}
    outcome = run_dsreview("diff", "--format=json", cwd=repository.folder, environment=disabled)
    assert (outcome.code, places(outcome)) == (0, [])
    repository.git("checkout", "-q", ".")
    repository.commit({".dsreview.toml": "exclude = ['app/']\n"})
    repository.write({path: bug})
    outcome = run_dsreview("diff", "--format=json", cwd=repository.folder)
    assert (outcome.code, places(outcome)) == (0, [])


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "--patch - <&-"])
def test_closed_and_full_streams_are_one_line_and_never_exit_1(redirection, repository, tmp_path):
    planted(repository)
    command = f"exec {sys.executable} -P -m dsreview diff --no-cache {redirection}"
    settings = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    answer = subprocess.run(
        ["sh", "-c", command], cwd=repository.folder, env=settings, stderr=subprocess.PIPE
    )
    assert answer.returncode in (2, 3)
    assert answer.stderr.decode().startswith("error: ")
    assert answer.stderr.count(b"\n") == 1


def test_a_patch_without_end_is_refused(repository, run_dsreview):
    planted(repository)
    outcome = run_dsreview("diff", "--patch=/dev/zero", cwd=repository.folder)
    assert (outcome.code, outcome.err) == (2, "error: --patch /dev/zero: more than 256 MB\n")


def test_a_fault_of_ours_is_one_line_and_exit_3(repository):
    planted(repository)
    faulty = (
        "import sys; from dsreview.cli import main, run;"
        "run.review_change = lambda *parts: 1 / 0; sys.exit(main(['diff', '--no-cache']))"
    )
    settings = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    answer = subprocess.run(
        [sys.executable, "-P", "-c", faulty],
        cwd=repository.folder,
        env=settings,
        capture_output=True,
        text=True,
    )
    assert (answer.returncode, answer.stdout) == (3, "")
    assert answer.stderr == (
        "error: dsreview failed: ZeroDivisionError: division by zero; "
        "DSREVIEW_TRACEBACK=1 shows where\n"
    )


def test_the_formats_of_the_flag_are_those_there_are():
    assert tuple(OUTPUTS) == FORMATS


def test_the_report_goes_where_output_says_relative_to_the_folder(repository, run_dsreview):
    planted(repository)
    outcome = run_dsreview("diff", "-C", repository.folder, "--format=json", "--output=r.json")
    assert (outcome.code, outcome.out) == (1, "")
    assert json.loads((repository.folder / "r.json").read_text())["findings"]
    outcome = run_dsreview("diff", "-C", repository.folder, "--format=json", "--output=-")
    assert json.loads(outcome.out)["findings"]


def test_outside_a_repository_is_one_line_and_exit_2(tmp_path, run_dsreview):
    outcome = run_dsreview("diff", cwd=tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1


def test_a_hostile_file_name_prints_harmlessly(repository, run_dsreview):
    name = "\x1b]0;owned\x07[/b].py"
    _, before, bug, _ = PLANTED["python"]
    repository.commit({name: before})
    repository.write({name: bug})
    outcome = run_dsreview("diff", cwd=repository.folder)
    assert outcome.code == 1
    assert "\x1b" not in outcome.out + outcome.err
    assert "\x07" not in outcome.out + outcome.err


NOTEBOOK = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "one",
            "metadata": {},
            "outputs": [],
            "source": ["%matplotlib inline\n", "import subprocess\n", "name = 'a'"],
        }
    ],
    "metadata": {"language_info": {"name": "python"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def test_a_notebook_finding_is_on_the_line_of_the_file(repository, run_dsreview):
    repository.commit({"a.ipynb": json.dumps(NOTEBOOK, indent=1)})
    cell = NOTEBOOK["cells"][0]
    bug = {**cell, "source": [*cell["source"][:2], "subprocess.run(f'ls {name}', shell=True)"]}
    text = json.dumps({**NOTEBOOK, "cells": [bug]}, indent=1)
    repository.write({"a.ipynb": text})
    outcome = run_dsreview("diff", "--format=json", cwd=repository.folder)
    (finding,) = json.loads(outcome.out)["findings"]
    assert finding["path"] == "a.ipynb"
    assert "shell=True" in text.split("\n")[finding["start_line"] - 1]
    assert finding["suggestion"] is None
    assert [row["path"] for row in json.loads(outcome.out)["coverage"]] == ["a.ipynb"]
