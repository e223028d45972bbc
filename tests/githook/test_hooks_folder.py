"""Hooks that live elsewhere: git says where, and another program keeps them."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dsreview.errors import GitError
from dsreview.githook.hooks_folder import find_hooks_folder
from dsreview.sources.repository import find_repository

SHELL_LINE = (
    '    if command -v dsreview >/dev/null; then dsreview hook run pre-commit "$@" || exit; fi'
)


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def locally(repository, path, tmp_path):
    repository.git("config", "core.hooksPath", path)
    return {}


def of_the_worktree(repository, path, tmp_path):
    repository.git("config", "extensions.worktreeConfig", "true")
    repository.git("config", "--worktree", "core.hooksPath", path)
    return {}


def by_include(repository, path, tmp_path):
    (tmp_path / "more").write_text(f"[core]\n\thooksPath = {path}\n")
    repository.git("config", "include.path", str(tmp_path / "more"))
    return {}


def globally(repository, path, tmp_path):
    (tmp_path / "global").write_text(f"[core]\n\thooksPath = {path}\n")
    return {"GIT_CONFIG_GLOBAL": str(tmp_path / "global")}


def by_condition(repository, path, tmp_path):
    (tmp_path / "more").write_text(f"[core]\n\thooksPath = {path}\n")
    condition = f'[includeIf "gitdir:{repository.folder}/"]\n\tpath = {tmp_path / "more"}\n'
    (tmp_path / "global").write_text(condition)
    return {"GIT_CONFIG_GLOBAL": str(tmp_path / "global")}


def by_variable(repository, path, tmp_path):
    return {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.hooksPath",
        "GIT_CONFIG_VALUE_0": str(path),
    }


WAYS = [locally, of_the_worktree, by_include, globally, by_condition, by_variable]


@pytest.mark.parametrize("way", WAYS)
def test_wherever_the_folder_is_set_nothing_is_written(way, hook, repository, tmp_path):
    shared = tmp_path / "shared hooks"
    shared.mkdir()
    environment = way(repository, shared, tmp_path)
    before = contents(repository.folder)
    outcome = hook("install", "--stage=pre-commit", **environment)
    assert outcome.code == 1
    head, shebang, line, last = outcome.out.splitlines()
    assert head.startswith(f"pre-commit: belongs to another hook (core.hooksPath is '{shared}' (")
    assert head.endswith(f"); add to {shared}/pre-commit:")
    assert (shebang, line, last) == ("    #!/bin/sh", SHELL_LINE, "nothing was changed")
    assert hook("status", **environment).code == 1
    assert contents(repository.folder) == before
    assert list(shared.iterdir()) == []


@pytest.mark.parametrize("way", [locally, globally])
def test_a_folder_that_is_the_repositorys_own_is_written_to(way, hook, repository, tmp_path):
    environment = way(repository, repository.folder / ".git" / "hooks", tmp_path)
    assert hook("install", **environment).code == 0
    assert hook("status", **environment).code == 0


def test_a_home_folder_is_expanded(hook, repository, tmp_path):
    locally(repository, "~/hooks", tmp_path)
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "pre-commit").write_text('dsreview hook run pre-commit "$@" || exit\n')
    assert hook("status", "--stage=pre-commit", HOME=str(tmp_path)).code == 0


def test_a_relative_folder_counts_from_the_top(hook, repository, tmp_path):
    locally(repository, "tools/hooks", tmp_path)
    repository.write({"sub/a.py": "", "tools/hooks/pre-commit": "#!/bin/sh\n"})
    outcome = hook("install", "--stage=pre-commit", cwd=repository.folder / "sub")
    assert "add to tools/hooks/pre-commit:" in outcome.out


def test_hooks_that_are_switched_off(hook, repository, tmp_path):
    locally(repository, "/dev/null", tmp_path)
    outcome = hook("install")
    assert (outcome.code, outcome.out) == (2, "")
    assert "core.hooksPath is '/dev/null' (local configuration): git runs no hooks" in outcome.err


def test_what_was_installed_before_git_was_sent_elsewhere_is_removed(hook, repository, tmp_path):
    hook("install")
    locally(repository, ".husky/_", tmp_path)
    assert hook("status").code == 1
    outcome = hook("uninstall")
    assert (outcome.code, outcome.out.count("removed from")) == (0, 2)
    assert not (repository.folder / ".git" / "hooks" / "pre-commit").exists()


def test_husky(hook, repository, tmp_path):
    locally(repository, ".husky/_", tmp_path)
    repository.write({".husky/_/pre-commit": '#!/usr/bin/env sh\n. "$(dirname "$0")/h"'})
    outcome = hook("install", "--stage=pre-commit")
    assert outcome.code == 1
    assert outcome.out.startswith("pre-commit: belongs to husky (core.hooksPath is '.husky/_' (")
    assert outcome.out.splitlines()[0].endswith("add to .husky/pre-commit:")
    assert outcome.out.splitlines()[1] == SHELL_LINE
    repository.write({".husky/pre-commit": f"npm test\n{SHELL_LINE.strip()}\n"})
    assert hook("status", "--stage=pre-commit").code == 0


LEFTHOOK_SCRIPT = '#!/bin/sh\ncall_lefthook()\n{\n  lefthook "$@"\n}\ncall_lefthook run "x" "$@"\n'


@pytest.mark.parametrize("name", ["lefthook.yml", ".lefthook.yaml", "lefthook.toml"])
def test_lefthook(name, hook, repository):
    for stage in ("pre-commit", "pre-push"):
        repository.write({f".git/hooks/{stage}": LEFTHOOK_SCRIPT, name: "# dsreview?\n"})
    outcome = hook("install", "--stage=pre-commit", "--stage=pre-push")
    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        f"pre-commit: belongs to lefthook; add to {name}:",
        "    pre-commit:",
        "      commands:",
        "        dsreview:",
        "          run: if command -v dsreview >/dev/null; then dsreview hook run pre-commit; fi",
        f"pre-push: belongs to lefthook; add to {name}:",
        "    pre-push:",
        "      commands:",
        "        dsreview:",
        "          run: if command -v dsreview >/dev/null; then dsreview hook run pre-push {0}; fi",
        "          use_stdin: true",
        "nothing was changed",
    ]
    repository.write({name: "pre-commit:\n  commands:\n    dsreview:\n"})
    assert hook("status", "--stage=pre-commit").code == 0


@pytest.fixture
def pre_commit(repository, tmp_path):
    """Runs the framework in the repository."""
    environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"PRE_COMMIT_HOME": str(tmp_path / "home"), "GIT_CONFIG_GLOBAL": os.devnull}
    repository.write({".pre-commit-config.yaml": "repos: []\n"})

    def run(*arguments):
        command = [sys.executable, "-m", "pre_commit", *arguments]
        subprocess.run(
            command, cwd=repository.folder, env=environment, check=True, capture_output=True
        )

    return run


def test_the_pre_commit_framework(hook, repository, pre_commit):
    pre_commit("install")
    outcome = hook("install", "--stage=pre-commit")
    assert outcome.code == 1
    first, *snippet, last = outcome.out.splitlines()
    assert first == "pre-commit: belongs to pre-commit; add to .pre-commit-config.yaml:"
    assert last == "nothing was changed"
    repository.write({".pre-commit-config.yaml": "repos:\n" + "\n".join(snippet) + "\n"})
    pre_commit("validate-config", ".pre-commit-config.yaml")
    assert hook("status", "--stage=pre-commit").code == 0


def test_a_hook_of_ours_that_pre_commit_put_aside_still_runs(hook, repository, pre_commit):
    hook("install", "--stage=pre-commit")
    pre_commit("install")
    said = "pre-commit calls dsreview"
    assert f"{said} (.git/hooks/pre-commit.legacy)" in hook("status").out
    assert (
        f"{said} already (.git/hooks/pre-commit.legacy)"
        in hook("install", "--stage=pre-commit").out
    )
    assert hook("uninstall").code == 1


def test_settings_behind_a_link_are_not_read(hook, repository, tmp_path):
    (tmp_path / "outside").write_text("dsreview\n")
    (repository.folder / "lefthook.yml").symlink_to(tmp_path / "outside")
    repository.write({".git/hooks/pre-commit": LEFTHOOK_SCRIPT})
    assert hook("status", "--stage=pre-commit").code == 1


specification = importlib.util.spec_from_file_location(
    "hostile", Path(__file__).parents[1] / "sources" / "hostile.py"
)
traps = importlib.util.module_from_spec(specification)
specification.loader.exec_module(traps)


class Play:
    """The repository as the traps see it."""

    def __init__(self, repository):
        self.inner, self.top = repository, repository.folder

    def write(self, path, content):
        self.inner.write({path: content})

    def git(self, *arguments, **options):
        return os.fsencode(self.inner.git(*map(str, arguments), **options))


TRAPS = [
    *(traps.fsmonitor, traps.fsmonitor_by_include, traps.fsmonitor_by_conditional_include),
    *(traps.fsmonitor_by_worktree_configuration, traps.fsmonitor_by_git_file),
    *(traps.hooks, traps.hooks_by_configuration, traps.pager_and_editor, traps.aliases),
    *(traps.alternate_refs, traps.remote_helper, traps.clean_filter, traps.external_diff),
]


def alias_config(hostile):
    for name in ("config", "rev-parse"):
        hostile.config((f"alias.{name}", f"!{hostile.canary}"), (f"pager.{name}", hostile.canary))


@pytest.mark.parametrize("trap", [*TRAPS, alias_config], ids=lambda trap: trap.__name__)
def test_nothing_of_a_hostile_repository_is_run(trap, hook, repository, tmp_path):
    repository.commit({"x.py": "x = 1\n", "other.py": "o = 1\n"})
    hostile = traps.Hostile(Play(repository), tmp_path)
    trap(hostile)
    hostile.log.unlink(missing_ok=True)  # what setting the trap ran
    for command in ("status", "install", "status", "uninstall"):
        outcome = hook(command)
        assert "error" not in outcome.err
    assert hostile.executions == []


def test_a_git_that_the_repository_brings_along_is_never_run(hook, repository):
    canary = repository.folder / "executed"
    repository.write({"git": f"#!/bin/sh\ntouch {canary}\n"})
    (repository.folder / "git").chmod(0o755)
    hook("status", PATH=f".:{repository.folder}:{os.environ['PATH']}")
    assert not canary.exists()


def test_names_with_control_characters_are_shown_harmlessly(hook, repository, tmp_path):
    locally(repository, "evil\x1b]0;title\x07", tmp_path)
    outcome = hook("status")
    assert "\x1b" not in outcome.out
    assert "evil\\x1b]0;title\\x07" in outcome.out


def test_a_configuration_that_never_ends_is_given_up(hook, repository, monkeypatch):
    os.mkfifo(repository.folder / "fifo")
    repository.git("config", "include.path", str(repository.folder / "fifo"))
    monkeypatch.setattr("dsreview.githook.hooks_folder.TIMEOUT_S", 0.5)
    with pytest.raises(GitError, match="no answer"):
        find_hooks_folder(find_repository(repository.folder))
