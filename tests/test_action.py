"""The action's steps, run in a shell as a runner runs them."""

import json
import plistlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dsreview.fake_github import FakeGitHub
from dsreview.fake_github.runner import Job, run_action

ROOT = Path(__file__).parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
WORKFLOWS = (*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("docs/examples/*.yml"))
SCRIPTS = {"install": "install.sh", "review": "review.sh"}

# What stands in for the Python of an installed dsreview: it says how it was called.
PROBE = """#!{python} -I
import json, os, sys
if "--version" in sys.argv:
    print("dsreview 0")
    sys.exit()
with open(3, "rb") as pipe:
    token = pipe.read().decode()
print(json.dumps({{
    "arguments": sys.argv[1:], "token": token, "folder": os.getcwd(),
    "environment": dict(os.environ),
}}))
sys.exit(int(os.environ.get("PROBE_EXIT", 0)))
"""


def words(text):
    return set(re.findall(r"\binputs\.([\w-]+)", text))


def test_every_input_is_used_and_every_used_input_declared():
    assert words(json.dumps(ACTION["runs"])) == set(ACTION["inputs"])


def test_a_step_reads_only_variables_that_it_is_given():
    runner = {"ACTION", "HOME", "GITHUB_OUTPUT", "RUNNER_TEMP", "RUNNER_TOOL_CACHE", "PIPESTATUS"}
    for step in ACTION["runs"]["steps"]:
        script = (ROOT / ".github" / "action" / SCRIPTS[step["id"]]).read_text()
        read = set(re.findall(r"\$\{?([A-Z][A-Z_]+)", script))
        assert read - runner == set(step["env"]) - runner, step["id"]


def test_no_expression_stands_in_a_script():
    """A title with a quote in it would be code."""
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step["run"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_permissions_but_those_of_its_jobs(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert set(job["permissions"]) <= {"contents", "pull-requests"}
        assert job["permissions"]["contents"] == "read"
        for step in job["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


@pytest.fixture
def workspace(tmp_path):
    """A checkout whose files would be imported, were they looked for."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    for name in ("dsreview", "typer", "json", "venv", "pip", "sitecustomize"):
        (folder / f"{name}.py").write_text("raise SystemExit('executed')")
    return folder


@pytest.fixture
def probe(tmp_path):
    """A folder that looks like a virtual environment with dsreview."""
    folder = tmp_path / "probe"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(PROBE.format(python=sys.executable))
    python.chmod(0o755)
    return folder


EVENT = {"repository": {"full_name": "octo/project"}, "sender": {"login": "ann"}}


@pytest.fixture
def job(tmp_path, workspace):
    return Job(tmp_path / "runner", workspace, EVENT, "http://127.0.0.1:1", "ghs_secret")


def called(ran):
    return json.loads(ran.log.splitlines()[-1])


def test_the_token_goes_through_a_pipe_and_is_in_no_environment(job, probe):
    ran = run_action(ROOT, job, installed=str(probe))
    call = called(ran)
    assert call["token"] == "ghs_secret"
    assert "ghs_secret" not in json.dumps([call["arguments"], call["environment"]])
    assert call["arguments"][-4:] == ["pr", "--token-fd=3", "-C", "."]


def test_inputs_become_options(job, probe):
    given = {
        "path": "change",
        "pull_request": "octo/project#7",
        "model": "/Users/ann/models/a b",
        "fail_on": "critical",
        "max_comments": "3",
        "partial_ok": "true",
        "dry_run": "true",
    }
    arguments = called(run_action(ROOT, job, installed=str(probe), **given))["arguments"]
    assert arguments[arguments.index("pr") :] == [
        "pr",
        "--token-fd=3",
        "-C",
        "change",
        "--model=/Users/ann/models/a b",
        "--fail-on=critical",
        "--max-comments=3",
        "--partial-ok",
        "--dry-run",
        "octo/project#7",
    ]


HOSTILE = "$(touch pwned) `touch pwned` '; touch pwned; \" \\ --token-fd=9"


@pytest.mark.parametrize("name", ["model", "backend", "budget", "path", "pull_request"])
def test_an_input_is_one_word_whatever_it_says(job, probe, workspace, name):
    arguments = called(run_action(ROOT, job, installed=str(probe), **{name: HOSTILE}))["arguments"]
    assert [argument for argument in arguments if HOSTILE in argument] != []
    assert arguments.count("--token-fd=3") == 1
    assert not (workspace / "pwned").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dry_run": "yes"}, "dry-run: yes: use true or false"),
        ({"pull_request": "--poster=3"}, "pull-request: --poster=3: use OWNER/REPO#N"),
        ({"installed": "/nowhere"}, "installed: /nowhere: no dsreview is there"),
    ],
)
def test_a_wrong_input_is_refused_in_one_line(job, probe, given, said):
    ran = run_action(ROOT, job, **{"installed": str(probe), **given})
    assert ran.code == 2
    assert f"::error title=dsreview::{said}" in ran.log


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_code_is_that_of_the_command(job, probe, tmp_path, workspace, code):
    telling = Job(
        tmp_path / "other",
        workspace,
        EVENT,
        job.api_url,
        job.token,
        environment={"PROBE_EXIT": str(code)},
    )
    ran = run_action(ROOT, telling, installed=str(probe))
    assert (ran.code, ran.outputs["exit-code"]) == (code, str(code))
    assert json.loads(Path(ran.outputs["report"]).read_text().splitlines()[-1])["token"]


@pytest.mark.parametrize(
    ("script", "given"),
    [("#!/bin/sh\nexit 1\n", True), ("#!/bin/sh\nexit 1\n", False)],
    ids=["named", "found"],
)
def test_a_runner_without_a_new_python_is_told_so(tmp_path, workspace, script, given):
    tools = tmp_path / "tools"
    tools.mkdir()
    names = ["python3", *(f"python3.{minor}" for minor in range(11, 15))]
    for name in names:
        (tools / name).write_text(script)
        (tools / name).chmod(0o755)
    old = Job(
        tmp_path / "runner",
        workspace,
        EVENT,
        "http://127.0.0.1:1",
        "ghs_secret",
        environment={"PATH": f"{tools}:/usr/bin:/bin"},
    )
    if not given and any(Path(path).exists() for path in HOMEBREW):
        pytest.skip("there is a Python where Homebrew puts it")
    ran = run_action(ROOT, old, **({"python": str(tools / "python3")} if given else {}))
    assert ran.code == 2
    (line,) = [line for line in ran.log.splitlines() if line.startswith("::error")]
    assert "no Python of 3.11 or newer" in line


HOMEBREW = ("/opt/homebrew/bin/python3", "/usr/local/bin/python3")


@pytest.fixture
def pull(repository):
    repository.commit({"a.py": "def f(x):\n    return x\n"})
    repository.git("checkout", "-q", "-b", "change")
    repository.commit({"a.py": "def f(x=[]):\n    x.append(1)\n    return x\n"})
    for name in ("dsreview", "typer", "json", "venv", "pip"):
        repository.write({f"{name}.py": "raise SystemExit('executed')"})
    with FakeGitHub() as github:
        yield github, github.add_pull_from_git(repository.folder, "main", "change")


def installed_here():
    answer = subprocess.run(
        [sys.executable, "-I", "-m", "dsreview", "--version"], capture_output=True
    )
    return answer.returncode == 0


@pytest.mark.skipif(not installed_here(), reason="dsreview is not installed here")
def test_the_action_posts_what_it_finds(pull, tmp_path):
    github, request = pull
    job = Job(tmp_path / "runner", request.folder, github.event(request), github.url, github.token)
    ran = run_action(ROOT, job, installed=sys.prefix)
    assert ran.outputs["exit-code"] == "1", ran.log
    assert [(comment.path, comment.line) for comment in request.comments] == [("a.py", 1)]
    assert "py-mutable-default" in ran.summary
    assert github.contract_violations == []
    assert "executed" not in ran.log


@pytest.mark.slow
def test_the_action_installs_itself_once(pull, tmp_path):
    """Minutes long: it asks the package index, as the first job on a runner does."""
    github, request = pull
    copy = tmp_path / "action"
    subprocess.run(["git", "clone", "-q", ROOT, copy], check=True)
    job = Job(tmp_path / "runner", request.folder, github.event(request), github.url, github.token)
    first = run_action(copy, job, python=sys.executable)
    assert first.outputs["exit-code"] == "1", first.log
    (ready,) = (tmp_path / "runner" / "_tool" / "dsreview").glob("*/ready")
    made = ready.resolve().stat().st_ctime_ns
    second = run_action(copy, job, python=sys.executable)
    assert second.outputs["exit-code"] == "1", second.log
    assert ready.resolve().stat().st_ctime_ns == made
    assert len(request.reviews) == 1


PLISTS = sorted(ROOT.glob("docs/examples/*.plist"))


@pytest.mark.parametrize("path", PLISTS, ids=lambda path: path.stem)
def test_a_launch_daemon_runs_as_the_user_without_rights(path):
    daemon = plistlib.loads(path.read_bytes())
    assert daemon["Label"] == path.stem
    assert daemon["UserName"] == "reviewer"
    assert daemon["EnvironmentVariables"]["HOME"] == "/Users/reviewer"
    assert daemon["ProgramArguments"][0].startswith("/Users/reviewer/")
    assert daemon["Umask"] == 0o77


def test_the_server_is_started_with_options_that_it_has(run_dsreview):
    (serve,) = (path for path in PLISTS if "serve" in path.stem)
    _, command, *options = plistlib.loads(serve.read_bytes())["ProgramArguments"]
    known = run_dsreview(command, "--help").out
    assert all(option in known for option in options if option.startswith("--"))
