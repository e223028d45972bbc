"""A hook that fails lets git go on and says so; with `strict` it stops git."""

import pytest

BUG = "def add(item, items=[]):\n    items.append(item)\n    return items\n"


def write_settings(hooked, text):
    hooked.settings.write_text(text)
    return ()


def commit_settings(hooked, text):
    hooked.repository.commit({".dsreview.toml": text})
    return ()


def give(_hooked, *arguments):
    return arguments


FAILURES = {
    "user settings": (lambda h: write_settings(h, 'mode = "loud"\n'), 2, "use warn, block or"),
    "repository settings": (lambda h: commit_settings(h, "nonsense = 1\n"), 2, "unknown key"),
    "another hook": (lambda h: give(h, "commit-msg"), 2, "hook commit-msg is not reviewed"),
    "an option": (lambda h: give(h, "pre-commit", "--mode", "loud"), 2, "use warn, block or"),
    "an unknown option": (lambda h: give(h, "pre-commit", "--loud"), 2, "No such option: --loud"),
    "git's words": (lambda h: give(h, "pre-push", "origin", "url"), 2, "not a line of git"),
    "no model": (lambda h: give(h, "pre-commit", "--backend", "http"), 2, "needs a model"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_failure_is_told_in_one_line_and_stops_only_where_it_has_to(hooked, case):
    prepare, code, words = FAILURES[case]
    arguments = prepare(hooked) or ("pre-commit",)
    hooked.repository.write({"shop.py": BUG})
    hooked.repository.git("add", "-A")
    ran = hooked.run("hook", "run", *arguments, stdin=b"nonsense\n")
    assert (ran.code, ran.out) == (0, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1
    assert "not reviewed" in ran.err
    ran = hooked.run("hook", "run", *arguments, "--strict", stdin=b"nonsense\n")
    assert ran.code == code
    assert ran.err.count("\n") == 1


def test_outside_of_a_repository_git_goes_on(hooked, tmp_path):
    ran = hooked.run("hook", "run", "pre-commit", cwd=tmp_path)
    assert (ran.code, "is in no git repository" in ran.err) == (0, True)


def test_a_git_that_is_gone_is_no_reason_to_stop(hooked):
    hooked.repository.write({"shop.py": BUG})
    hooked.repository.git("add", "-A")
    ran = hooked.run("hook", "run", "pre-commit", PATH="/nowhere")
    assert (ran.code, "git is not installed" in ran.err) == (0, True)


@pytest.mark.slow
def test_a_full_cache_disk_costs_only_what_would_be_kept(hooked, tmp_path):
    hooked.cache.write_text("a file where a folder should be")
    ran = hooked.commit({"shop.py": BUG})
    assert ran.code == 0
    assert "HIGH  shop.py:1" in ran.err
    ran = hooked.commit({"more.py": BUG}, DSREVIEW_MODE="background")
    assert ran.code == 0
    assert "not reviewed" in ran.err
