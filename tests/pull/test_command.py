"""`dsreview pr` as a user or a runner starts it: real processes, and what they print."""

import json
import os
import subprocess
import sys

import pytest

from dsreview.cli import main
from dsreview.cli.pull_output import as_json, job_summary

NAME = "octo/project#1"


@pytest.mark.slow
def test_it_posts_and_says_so(opened):
    outcome = opened.run()
    assert (outcome.code, outcome.err) == (1, "")
    verdict, looked_at, told = outcome.out.splitlines()
    assert verdict == "dsreview: octo/project#1: 1 finding (1 high) in 1 file"
    assert looked_at == f"looked at all of it, up to {opened.pull.head_sha[:10]}"
    assert told == "posted; 1 finding posted"
    assert len(opened.pull.comments) == 1


@pytest.mark.parametrize("arguments", [(NAME, "--", NAME), ("--", NAME, NAME)])
def test_one_pull_request_at_a_time(capsys, arguments):
    assert main(["pr", *arguments]) == 2
    assert "one pull request" in capsys.readouterr().err


def test_a_token_of_github_is_not_sent_to_another_server(opened):
    environment = {"GITHUB_API_URL": ""}
    outcome = opened.run(f"--base-url={opened.github.enterprise_url}", environment=environment)
    assert (outcome.code, opened.github.log) == (2, [])
    assert "GH_ENTERPRISE_TOKEN" in outcome.err


def test_a_dry_run_is_told_to_programs_and_on_the_page_of_the_run(opened):
    done = opened.review(environment=opened.actions(), is_dry_run=True)
    told = json.loads(as_json(done, is_quiet=False))
    assert (told["pull"], told["exit_code"]) == ("octo/project#1", 1)
    assert [one["path"] for one in told["plan"]["inline"]] == ["shop.py"]
    assert [one["severity"] for one in told["plan"]["annotations"]] == ["high"]
    page = job_summary(done)
    assert "py-shell-injection" in page
    assert "dry run" in page


def test_a_dry_run_on_an_enterprise_server_with_a_token_from_a_descriptor(opened):
    reading, writing = os.pipe()
    os.write(writing, f"{opened.github.token}\n".encode())
    os.close(writing)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(opened.folder / "cache"),
        "DSREVIEW_STATE_DIR": str(opened.folder / "state"),
        "DSREVIEW_CONFIG": os.devnull,
    }
    command = [sys.executable, "-P", "-m", "dsreview", "pr", "--dry-run"]
    options = [f"--token-fd={reading}", f"--base-url={opened.github.enterprise_url}"]
    answer = subprocess.run(
        [*command, *options, "--", NAME],  # our own options are not put behind it
        cwd=opened.repository.folder,
        env=environment,
        pass_fds=(reading,),
        capture_output=True,
        text=True,
    )
    os.close(reading)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert "comment on shop.py:9 (right)\n  | **High**" in answer.stdout
    assert {seen.login for seen in opened.github.log} == {"github-actions[bot]"}
    assert opened.writes == []
    assert opened.github.contract_violations == []


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (("octo/project",), {}, "OWNER/REPO#N"),
        ((), {}, "no pull request"),
        (("octo/project#1",), {"GITHUB_TOKEN": ""}, "no token"),
        (("octo/project#1",), {"GITHUB_TOKEN": "two words"}, "holds no token"),
        (("octo/project#1",), {"GITHUB_TOKEN": "t\u00f6ken"}, "holds no token"),
        (("octo/project#1", "--token-fd=77"), {}, "--token-fd 77"),
        (("octo/project#1", "--base-url=http://ghe.example"), {}, "https"),
        (("octo/project#1", "--format=sarif"), {}, "terminal, json"),
        (("octo/project#1", "--max-comments=-1"), {}, "max-comments"),
        (("octo/project#1", "--poster=77"), {}, "--poster 77"),
        (("https://evil.example/octo/project/pull/1",), {}, "alone"),
        ((), {"GITHUB_EVENT_PATH": "/nonexistent/event"}, "GITHUB_EVENT_PATH"),
    ],
)
def test_bad_input_is_one_clear_line(monkeypatch, capsys, arguments, environment, words):
    given = {"GITHUB_TOKEN": "t0ken", "GITHUB_API_URL": "https://api.github.com"}
    for name, text in (given | environment).items():
        monkeypatch.setenv(name, text)
    assert main(["pr", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert "t0ken" not in captured.err + captured.out


def test_one_that_was_closed_while_its_job_waited_is_no_failure(opened):
    opened.environment = opened.actions()
    opened.pull.is_open = False
    outcome = opened.run()
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "dsreview: octo/project#1 is closed: it was not reviewed\n"
    assert "nothing to review" in opened.summary_page
    assert "failed" not in opened.summary_page
    assert opened.writes == []


@pytest.mark.slow
def test_what_cannot_be_reviewed_is_said_on_the_page_of_the_run(opened):
    opened.environment = opened.actions()
    opened.environment["GITHUB_EVENT_PATH"] = str(opened.event(number=99))
    outcome = opened.run()
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)
    assert "octo/project#99" in outcome.err
    assert "Nothing of this pull request was reviewed" in opened.summary_page
    assert opened.writes == []
