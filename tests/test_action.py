"""The action's steps, run in a shell as a runner runs them."""

import json
import plistlib
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
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
import glob, json, os, sys
if "--version" in sys.argv:
    print("dsreview 0")
    sys.exit()
with open(3, "rb") as pipe:
    token = pipe.read().decode()
in_job, with_token = [], []
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        with open(path, "rb") as file:
            shown = file.read()
        with open(path.replace("environ", "comm")) as file:
            name = file.read().strip()
    except OSError:  # it ended meanwhile, or is another user's
        continue
    if ("RUNNER_TEMP=" + os.environ["RUNNER_TEMP"]).encode() in shown:
        in_job.append(name)
        if token.encode() in shown:
            with_token.append(name)
print(json.dumps({{
    "in_job": in_job, "with_token": with_token,
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
        script = (ROOT / ".github" / "action" / SCRIPTS[step["id"]]).read_text() + step["run"]
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


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_no_process_of_the_job_shows_the_token_while_dsreview_runs(job, probe):
    """A variable that is taken away is still shown by the process that was started with it."""
    call = called(run_action(ROOT, job, installed=str(probe)))
    assert {"bash", "tee"} <= set(call["in_job"]), "the shell of the step, and what it started"
    assert call["with_token"] == []


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
        (
            {"quiet": "a\n::warning::b\r::error::c %0A"},
            "quiet: a%0A::warning::b%0D::error::c %250A",
        ),
        ({"installed": "/no\n::stop-commands::x"}, "installed: /no%0A::stop-commands::x: no dsr"),
    ],
)
def test_a_wrong_input_is_refused_in_one_line(job, probe, given, said):
    ran = run_action(ROOT, job, **{"installed": str(probe), **given})
    assert ran.code == 2
    commands = [line for line in re.split(r"[\r\n]", ran.log) if line.startswith("::")]
    assert len(commands) == 1
    assert commands[0].startswith(f"::error title=dsreview::{said}")


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_code_is_that_of_the_command(job, probe, tmp_path, workspace, code):
    ran = run_action(ROOT, with_environment(job, PROBE_EXIT=str(code)), installed=str(probe))
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


# What stands in for a Python whose pip installs in no time: it notes what it is asked for.
QUICK_PYTHON = """#!{python} -I
import os, pathlib, shutil, sys, time
asked, here = sys.argv[1:], pathlib.Path(sys.argv[0])
with open("{notes}", "a") as notes:
    notes.write(" ".join(asked) + "\\n")
if "venv" in asked:
    (pathlib.Path(asked[-1]) / "bin").mkdir()
    shutil.copy(here, pathlib.Path(asked[-1]) / "bin" / "python")
elif "pip" in asked:
    time.sleep(float(os.environ.get("PIP_SECONDS", 0)))
    if os.environ.get("PIP_EXIT"):
        sys.exit("no such package")
    here.with_name("installed").touch()
elif "dsreview" in asked:
    sys.exit(not here.with_name("installed").exists())
else:
    os.execv("{python}", ["{python}", *asked])
"""


@pytest.fixture
def quick(tmp_path):
    python, notes = tmp_path / "quick-python", tmp_path / "notes"
    python.write_text(QUICK_PYTHON.format(python=sys.executable, notes=notes))
    python.chmod(0o755)
    notes.touch()
    return python


@pytest.fixture
def action(tmp_path):
    """The action as a runner has it: a folder that changes with its version alone."""
    folder = tmp_path / "action"
    for name in ("action.yml", "pyproject.toml", "constraints.txt"):
        folder.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / ".github" / "action", folder / ".github" / "action")
    (folder / "engine").mkdir()
    (folder / "engine" / "module.py").write_text("version = 1\n")
    return folder


def installs(quick):
    notes = quick.with_name("notes").read_text().splitlines()
    return [line.split()[-1] for line in notes if "pip install" in line]


def with_environment(job, **more):
    return replace(job, environment=more)


def test_one_version_is_installed_once_and_found_again(job, quick, action):
    for extras in ("", "local", "", "local"):
        run_action(action, job, python=str(quick), extras=extras)
    assert installs(quick) == [".", ".[local]"]
    folders = list((job.folder / "_tool" / "dsreview").glob("*/venv.*"))
    assert len(folders) == 2


def test_another_version_is_another_environment(job, quick, action):
    run_action(action, job, python=str(quick))
    (action / "engine" / "module.py").write_text("version = 2\n")
    run_action(action, job, python=str(quick))
    assert len(installs(quick)) == 2
    assert len(list((job.folder / "_tool" / "dsreview").iterdir())) == 2


def test_an_environment_that_broke_is_made_anew(job, quick, action):
    run_action(action, job, python=str(quick))
    (marker,) = (job.folder / "_tool" / "dsreview").glob("*/ready/bin/installed")
    marker.unlink()
    run_action(action, job, python=str(quick))
    assert len(installs(quick)) == 2


def test_a_failed_installation_is_said_and_leaves_nothing(job, quick, action):
    ran = run_action(action, with_environment(job, PIP_EXIT="1"), python=str(quick))
    assert ran.code == 2
    assert "::error title=dsreview::dsreview could not be installed; pip says why above" in ran.log
    assert "no such package" in ran.log
    assert list((job.folder / "_tool" / "dsreview").glob("*/*")) == []


def test_two_jobs_that_install_at_once_share_what_the_first_made(job, quick, action, tmp_path):
    slow = [with_environment(job, PIP_SECONDS="0.5", RUNNER_TEMP=str(tmp_path)) for _ in range(2)]
    with ThreadPoolExecutor() as threads:
        runners = [
            threads.submit(
                subprocess.run,
                ["bash", str(action / ".github" / "action" / "install.sh")],
                cwd=each.workspace,
                env=each.variables
                | {
                    "ACTION": str(action),
                    "INPUT_PYTHON": str(quick),
                    "INPUT_EXTRAS": "",
                    "INPUT_INSTALLED": "",
                    "GITHUB_OUTPUT": str(tmp_path / f"output{number}"),
                },
                check=True,
            )
            for number, each in enumerate(slow)
        ]
    assert [runner.result().returncode for runner in runners] == [0, 0]
    assert len(installs(quick)) == 2
    (made,) = (job.folder / "_tool" / "dsreview").glob("*/venv.*")
    assert (made.parent / "ready").resolve() == made
    assert list(made.glob("venv.*")) == []
    told = {(tmp_path / f"output{number}").read_text() for number in range(2)}
    assert told == {f"venv={made.parent / 'ready'}\n"}


def test_extras_are_names(job, quick):
    ran = run_action(ROOT, job, python=str(quick), extras="local] --index-url=http://x")
    assert ran.code == 2
    assert "extras: local] --index-url=http://x: use names" in ran.log
    assert installs(quick) == []


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


@pytest.mark.slow
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
@pytest.mark.timeout(900)
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
