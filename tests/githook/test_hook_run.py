"""The command as git runs it: modes, words, and how little it does where there is little to do."""

import os
import pty
import re
import subprocess
import sys

import pytest

BUG = "def add(item, items=[]):\n    items.append(item)\n    return items\n"
CLEAN = "def double(number):\n    return number * 2\n"


def test_warn_shows_findings_and_lets_the_commit_pass(hooked):
    ran = hooked.commit({"shop.py": BUG})
    assert ran.code == 0
    assert "HIGH  shop.py:1  py-mutable-default" in ran.err
    assert "1 finding (1 high) in 1 file" in ran.err
    assert "the commit goes on" in ran.err
    assert hooked.repository.git("log", "-1", "--format=%s").strip() == "change"


@pytest.mark.slow
def test_block_stops_at_fail_on_and_not_below(hooked):
    hooked.settings.write_text('mode = "block"\n')
    ran = hooked.commit({"shop.py": BUG})
    assert ran.code == 1
    assert "the commit is stopped (mode block, fail-on high)" in ran.err
    hooked.settings.write_text('mode = "block"\nfail-on = "critical"\n')
    ran = hooked.commit({"shop.py": BUG})
    assert (ran.code, "the commit goes on" in ran.err) == (0, True)


@pytest.mark.slow
def test_a_commit_that_is_stopped_says_what_applies_the_suggestions(hooked):
    hooked.settings.write_text('mode = "block"\n')
    bug = "try:\n    pass\nexcept ValueError or KeyError:\n    pass\n"
    ran = hooked.commit({"shop.py": bug})
    assert ran.code == 1
    assert "`dsreview fix --staged` applies 1 verified suggestion\n" in ran.err
    assert hooked.run("fix", "--staged").code == 0
    assert hooked.git("commit", "-q", "-m", "fixed").code == 0
    assert "(ValueError, KeyError)" in hooked.repository.git("show", "HEAD:shop.py")


@pytest.mark.parametrize(
    "options",
    [
        ["-a"],
        pytest.param(["--", "shop.py"], marks=pytest.mark.slow),
        pytest.param(["--include", "shop.py"], marks=pytest.mark.slow),
    ],
)
def test_what_it_says_applies_the_suggestions_where_git_drops_the_index(hooked, options):
    hooked.repository.commit({"shop.py": CLEAN})
    hooked.settings.write_text('mode = "block"\n')
    bug = "try:\n    pass\nexcept ValueError or KeyError:\n    pass\n"
    hooked.repository.write({"shop.py": bug})
    ran = hooked.git("commit", "-q", "-m", "change", *options)
    assert ran.code == 1
    assert "`dsreview fix` applies 1 verified suggestion\n" in ran.err
    assert hooked.run("fix").code == 0
    assert hooked.git("commit", "-q", "-m", "fixed", *options).code == 0
    assert "(ValueError, KeyError)" in hooked.repository.git("show", "HEAD:shop.py")


def test_a_clean_commit_costs_one_short_line(hooked):
    ran = hooked.commit({"shop.py": CLEAN})
    assert (ran.code, ran.err) == (0, "dsreview: no findings in 1 file (checks only)\n")


def test_a_deleted_file_is_called_that(hooked):
    hooked.repository.commit({"shop.py": CLEAN, "other.py": CLEAN})
    hooked.repository.git("rm", "-q", "shop.py")
    ran = hooked.git("commit", "-q", "-m", "gone")
    assert (ran.code, ran.err) == (0, "dsreview: no findings in 1 deleted file (checks only)\n")
    hooked.repository.git("rm", "-q", "other.py")
    ran = hooked.commit({"new.py": "# words\n" + BUG.replace("=[]", "")})
    assert ran.err == "dsreview: no findings in 1 file and 1 deleted file (checks only)\n"


@pytest.mark.parametrize("files", [{}, {"guide.md": "words\n"}, {"uv.lock": "x\n"}])
def test_nothing_to_review_says_nothing(hooked, files):
    ran = hooked.commit(files, "--allow-empty")
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("files", [{}, {"guide.md": "words\n"}])
def test_nothing_to_review_imports_neither_models_nor_parsers(hooked, files):
    hooked.repository.write(files)
    hooked.repository.git("add", "-A")
    answer = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-m", "dsreview", "hook", "run", "pre-commit"],
        cwd=hooked.repository.folder,
        env=hooked.environment(DSREVIEW_MODEL="/no/model", DSREVIEW_BACKEND="none"),
        capture_output=True,
        text=True,
    )
    imported = set(re.findall(r"\| +([\w.]+)$", answer.stderr, re.MULTILINE))
    assert "dsreview.sources" in imported
    heavy = {"torch", "typer", "rich", "tree_sitter", "msgspec", "yaml", "httpx", "git.repo"}
    assert not heavy & imported
    assert not [name for name in imported if name.startswith(("dsengine", "dsreview.checks"))]


def test_a_gap_is_told_though_nothing_was_found(hooked):
    ran = hooked.commit({"shop.py": CLEAN, "large.py": f"x = '{'y' * 1_100_000}'\n"})
    assert ran.code == 0
    assert "skipped: large.py (1.1 MB, more than 1 MB)" in ran.err
    assert "no findings" not in ran.err
    assert "0 findings in 1 file; 1 file not reviewed" in ran.err


@pytest.mark.slow
def test_a_gap_stops_the_commit_where_it_has_to(hooked):
    hooked.settings.write_text("strict = true\n")
    ran = hooked.commit({"large.py": f"x = '{'y' * 1_100_000}'\n"})
    assert ran.code == 1  # of git
    assert "the commit is stopped (strict): not everything was reviewed" in ran.err
    assert hooked.run("hook", "run", "pre-commit").code == 3


@pytest.mark.slow
def test_a_repository_may_ask_to_be_blocked_and_the_user_may_decline(hooked):
    hooked.repository.commit({".dsreview.toml": 'mode = "block"\n'})
    assert hooked.commit({"shop.py": BUG}).code == 1
    hooked.settings.write_text('mode = "warn"\n')
    assert hooked.commit({"shop.py": BUG}).code == 0


def test_what_was_shown_is_shown_again(hooked):
    assert "no hook has reviewed anything here yet" in hooked.run("last").out
    hooked.commit({"shop.py": BUG})
    hooked.commit({"guide.md": "words\n"})
    again = hooked.run("last")
    assert again.code == 0
    assert "HIGH  shop.py:1  py-mutable-default" in again.out
    assert "  >   1 │ def add(item, items=[]):" in again.out


def test_names_and_code_that_would_act_on_a_terminal_do_not(hooked):
    name = "a\x1b]0;owned\x07[/b].py"
    ran = hooked.commit({name: BUG.replace("item,", "item, \x1b[31m\u202e=1,", 1) + BUG})
    assert ran.code == 0
    shown = ran.err + hooked.run("last").out
    assert "a\\x1b]0;owned\\x07[/b].py" in shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)


def test_windows_line_ends_are_not_shown(hooked):
    ran = hooked.commit({"shop.py": BUG.replace("\n", "\r\n").encode()})
    assert "\r" not in ran.err
    assert "\\x0d" not in ran.err
    assert "> " in ran.err


def seen_on_a_terminal(hooked, *arguments, **environment):
    """What the command writes where standard error is a terminal."""
    master, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "dsreview", *arguments],
        cwd=hooked.repository.folder,
        env=hooked.environment(TERM="xterm", COLUMNS="60", **environment),
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        seen = b""
        try:
            while part := os.read(master, 4096):
                seen += part
        except OSError:  # how Linux says that nobody writes any more
            pass
        os.close(master)
    assert process.returncode == 0
    return seen.decode()


def test_colour_and_width_follow_the_terminal(hooked):
    hooked.repository.write({"shop.py": BUG})
    hooked.repository.git("add", "-A")
    coloured = seen_on_a_terminal(hooked, "hook", "run", "pre-commit")
    assert "\x1b[1;31mHIGH" in coloured
    plain = seen_on_a_terminal(hooked, "hook", "run", "pre-commit", NO_COLOR="1")
    shown = plain[plain.index("HIGH") :]
    assert "\x1b[1" not in shown
    assert max(map(len, shown.splitlines())) <= 60


def test_the_framework_gets_no_progress_and_no_word_of_a_clean_run(hooked):
    hooked.repository.write({"shop.py": CLEAN})
    hooked.repository.git("add", "-A")
    assert seen_on_a_terminal(hooked, "hook", "run", PRE_COMMIT="1") == ""


@pytest.mark.slow
def test_a_hook_writes_nothing_into_the_repository(hooked):
    hooked.repository.write({"shop.py": BUG})
    hooked.repository.git("add", "-A")

    def state():
        folder = hooked.repository.folder
        return {
            path: (path.stat().st_mtime_ns, path.read_bytes())
            for path in folder.rglob("*")
            if path.is_file()
        }

    before = state()
    assert hooked.run("hook", "run", "pre-commit", "--mode", "background").code == 0
    hooked.wait_for_jobs()
    assert hooked.run("hook", "run", "pre-commit").code == 0
    assert state() == before


@pytest.mark.slow
def test_what_came_from_the_cache_is_private(hooked):
    hooked.commit({"shop.py": BUG})
    kept = list(hooked.cache.glob("hooks/**/*"))
    assert kept
    for path in kept:
        assert path.stat().st_mode & 0o077 == 0, path
