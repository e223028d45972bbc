"""A runner of GitHub Actions, for the steps of a composite action: its shell, its files.

It knows the expressions that such steps need (`inputs`, `steps`, `github.action_path`,
`github.token`) and refuses others, rather than guess.
"""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""What `shell: bash` is."""
FILES = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")


@dataclass(frozen=True, slots=True)
class Job:
    """Where the steps run.

    Args:
        folder: for the runner's own files; may keep those of earlier jobs.
        workspace: the checkout.
        event: what started the workflow.
        api_url: what GitHub calls `https://api.github.com`.
    """

    folder: Path
    workspace: Path
    event: Mapping[str, Any]
    api_url: str
    token: str
    is_hosted: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """The environment that every step gets."""
        temp, tools = self.folder / "_temp", self.folder / "_tool"
        for folder in (temp, tools):
            folder.mkdir(parents=True, exist_ok=True)
        event = temp / "event.json"
        event.write_text(json.dumps(self.event), "utf-8")
        repository = self.event["repository"]["full_name"]
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": self.event["sender"]["login"],
            "GITHUB_API_URL": self.api_url,
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_GRAPHQL_URL": f"{self.api_url.removesuffix('/v3')}/graphql",
            "GITHUB_JOB": "review",
            "GITHUB_REPOSITORY": repository,
            "GITHUB_RUN_ID": "1",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_ARCH": "ARM64",
            "RUNNER_ENVIRONMENT": "github-hosted" if self.is_hosted else "self-hosted",
            "RUNNER_OS": "macOS",
            "RUNNER_TEMP": str(temp),
            "RUNNER_TOOL_CACHE": str(tools),
            **self.environment,
        }


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of the steps."""

    code: int
    """Of the first step that failed, after which none ran; else 0."""
    log: str
    outputs: Mapping[str, str]
    """Of the action."""
    summary: str
    """Markdown, as the page of the job shows it."""


def run_action(action: Path, job: Job, **inputs: str) -> Ran:
    """Run the composite action in the folder `action`, as `uses:` would.

    Args:
        inputs: with underscores for dashes; the others have their defaults.

    Raises:
        ValueError: an input that the action does not have, or an expression unknown here.
    """
    described = yaml.safe_load((action / "action.yml").read_text("utf-8"))
    given = {name.replace("_", "-"): text for name, text in inputs.items()}
    unknown = set(given) - set(described["inputs"])
    if unknown:
        raise ValueError(f"the action has no input {', '.join(sorted(unknown))}")
    context = {"github.action_path": str(action), "github.token": job.token}
    for name, declared in described["inputs"].items():
        text = given.get(name, str(declared.get("default", "")))
        context[f"inputs.{name}"] = _filled(text, context)
    files = _fresh_files(job)
    log, code = "", 0
    for step in described["runs"]["steps"]:
        code, said = _run_step(step, action, job, context, files)
        log += said
        if code:
            break
    outputs = {
        name: _filled(declared["value"], context)
        for name, declared in described.get("outputs", {}).items()
    }
    return Ran(code, log, outputs, files["GITHUB_STEP_SUMMARY"].read_text("utf-8"))


def _fresh_files(job: Job) -> dict[str, Path]:
    folder = job.folder / "_temp" / "_runner_file_commands"
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: folder / name.lower() for name in FILES}
    for file in files.values():
        file.write_text("")
    return files


def _run_step(
    step: Mapping[str, Any],
    action: Path,
    job: Job,
    context: dict[str, str],
    files: Mapping[str, Path],
) -> tuple[int, str]:
    if step.get("shell") != "bash" or step.keys() - {"id", "name", "shell", "env", "run"}:
        raise ValueError(f"a step with more than a script for bash: {step}")
    script = job.folder / "_temp" / "step.sh"
    variables = job.variables | {name: str(file) for name, file in files.items()}
    variables["GITHUB_ACTION_PATH"] = str(action)
    variables |= {name: _filled(str(text), context) for name, text in step.get("env", {}).items()}
    script.write_text(_filled(step["run"], context), "utf-8")
    files["GITHUB_OUTPUT"].write_text("")
    done = subprocess.run(
        [*BASH, script],
        cwd=job.workspace,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    for line in files["GITHUB_OUTPUT"].read_text("utf-8").splitlines():
        name, _, text = line.partition("=")
        context[f"steps.{step['id']}.outputs.{name}"] = text
    return done.returncode, done.stdout.decode("utf-8", errors="replace")


def _filled(text: str, context: Mapping[str, str]) -> str:
    """The text with its expressions replaced; the output of a step that did not run is empty."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in context and not re.fullmatch(r"steps\.[\w-]+\.outputs\.[\w-]+", name):
            raise ValueError(f"expression {name} is not known here")
        return context.get(name, "")

    return EXPRESSION.sub(value, text)
