"""`dsreview diff --interactive` as somebody uses it: keys in, a screen out."""

import json
import os
import signal

import pytest

FIRST = '    assert (total == 3, "three")\n'
FIRST_FIXED = '    assert total == 3, "three"\n'
SECOND = "    except OSError or ValueError:\n"
SECOND_FIXED = "    except (OSError, ValueError):\n"

CTRL_D = ("\x04", 1)
CTRL_C = ("\x03", 130)


def staged(repository):
    return repository.git("show", ":app/run.py")


def on_disk(repository):
    return (repository.folder / "app/run.py").read_text()


def test_what_is_accepted_is_applied_to_the_index_and_the_disk(buggy, start):
    before = on_disk(buggy)
    session = start("diff", "--staged", "--interactive", cwd=buggy.folder)
    session.expect(r"1 of 2")
    session.expect(r"-   5 │     assert \(total == 3, \"three\"\)\n")
    session.expect(r"\+   5 │     assert total == 3, \"three\"\n")
    session.answer("a")
    session.expect(r"✓ applied to the index and the file on disk: app/run.py")
    session.expect(r"2 of 2")
    session.answer("a")
    session.expect(r"2 applied; 0 findings left")
    assert session.wait() == 0
    fixed = before.replace(FIRST, FIRST_FIXED).replace(SECOND, SECOND_FIXED)
    assert staged(buggy) == on_disk(buggy) == fixed
    assert buggy.git("status", "--short") == "M  app/run.py\n M other.py\n"


def test_skip_leaves_the_finding_and_the_exit_code(buggy, start):
    """Without colours, as somebody wants it."""
    before = on_disk(buggy)
    session = start("diff", "--staged", "-i", cwd=buggy.folder, NO_COLOR="1")
    session.answer("s")
    session.answer("a")
    session.expect(r"1 applied; 1 finding left")
    assert session.wait() == 1
    assert staged(buggy) == on_disk(buggy) == before.replace(SECOND, SECOND_FIXED)
    own = session.raw[session.raw.index(b"dsreview 0.") :]  # behind the bars of the review
    assert b"\x1b" not in own


def test_ignore_asks_why_and_writes_the_comment_above_the_line(buggy, start, run_dsreview):
    before = on_disk(buggy)
    session = start("diff", "--staged", "-i", cwd=buggy.folder)
    session.answer("i")
    session.expect(r"why is this no fault\?.*> ")
    session.type("the tuple is meant\n")
    session.expect(r"✓ comment written to the index and the file on disk")
    session.expect(r"13 │")  # one line further down by now
    session.answer("i")
    session.expect(r"why is this no fault\?.*> ")
    session.type("\n")
    session.expect(r"✗ a reason is needed; nothing was written")
    session.answer("q")
    session.expect(r"1 ignored; 1 finding left")
    assert session.wait() == 1
    comment = "    # dsreview: ignore[py-assert-tuple] the tuple is meant\n"
    assert staged(buggy) == on_disk(buggy) == before.replace(FIRST, comment + FIRST)
    report = run_dsreview("diff", "--staged", "--format=json", cwd=buggy.folder)
    assert "py-except-or" in report.out
    assert '"rule": "py-assert-tuple"' not in report.out.split('"refused"')[0]


@pytest.mark.parametrize(("keys", "code"), [CTRL_D, CTRL_C])
def test_leaving_keeps_what_was_applied_and_says_it(buggy, start, keys, code):
    before = on_disk(buggy)
    session = start("diff", "--staged", "-i", cwd=buggy.folder)
    session.answer("a")
    session.answer(keys)
    session.expect(r"1 applied; 1 finding left\n.*dsreview undo")
    assert session.wait() == code
    assert "Traceback" not in session.screen
    assert staged(buggy) == on_disk(buggy) == before.replace(FIRST, FIRST_FIXED)


@pytest.mark.slow
@pytest.mark.parametrize(("keys", "code"), [CTRL_D, CTRL_C])
def test_leaving_at_the_question_for_a_reason_writes_nothing(buggy, start, keys, code):
    before = on_disk(buggy)
    session = start("diff", "--staged", "-i", cwd=buggy.folder)
    session.answer("i")
    session.expect(r"why is this no fault\?.*> ")
    session.type(keys)
    session.expect(r"nothing done; 2 findings left")
    assert session.wait() == code
    assert staged(buggy) == on_disk(buggy) == before


@pytest.mark.slow
def test_other_keys_are_passed_over_and_help_explains(buggy, start):
    session = start("diff", "--staged", "-i", cwd=buggy.folder)
    session.answer("x\n")
    session.type("\x1b[A")
    session.type("7")
    session.type("?")
    session.expect(r"a  write the suggestion; `dsreview undo` takes it back")
    session.answer("Q")
    assert session.wait() == 1


def test_keys_typed_before_the_question_answer_nothing(buggy, start):
    before = on_disk(buggy)
    session = start("diff", "--staged", "-i", cwd=buggy.folder)
    session.type("aaaa")
    session.answer("q")
    assert session.wait() == 1
    assert on_disk(buggy) == before


def test_the_editor_of_the_environment_opens_at_the_line(buggy, start, tmp_path):
    editor = tmp_path / "vim"
    editor.write_text(f'#!/bin/sh\necho "$@" GIT:$GIT_AUTHOR_NAME >> {tmp_path}/opened\n')
    editor.chmod(0o755)
    buggy.git("config", "core.editor", f"touch {tmp_path}/executed")
    session = start(
        *("diff", "--staged", "-i"), cwd=buggy.folder, VISUAL=str(editor), GIT_AUTHOR_NAME="x"
    )
    session.answer("s")
    session.answer("e")
    session.answer("q")
    session.wait()
    opened = (tmp_path / "opened").read_text()
    assert opened == f"+12 {buggy.folder}/app/run.py GIT:\n"
    assert not (tmp_path / "executed").exists()


@pytest.mark.slow
def test_a_file_edited_meanwhile_is_not_overwritten(buggy, start, tmp_path):
    editor = tmp_path / "ed"
    editor.write_text('#!/bin/sh\nfor last; do :; done\necho "# mine" >> "$last"\n')
    editor.chmod(0o755)
    index = staged(buggy)
    session = start("diff", "--staged", "-i", cwd=buggy.folder, EDITOR=str(editor))
    session.answer("e")
    session.answer("a")
    session.expect(r"✗ app/run.py: the file on disk is not what was reviewed")
    session.answer("q")
    session.wait()
    assert on_disk(buggy).endswith("# mine\n")
    assert staged(buggy) == index


@pytest.mark.slow
def test_a_review_of_the_files_on_disk_leaves_the_index_alone(buggy, start):
    before = on_disk(buggy)
    session = start("diff", "--interactive", cwd=buggy.folder)
    session.answer("a")
    session.expect(r"✓ applied to the file on disk: app/run.py")
    session.answer("q")
    session.wait()
    assert on_disk(buggy) == before.replace(FIRST, FIRST_FIXED)
    assert staged(buggy) == before


@pytest.mark.slow
def test_of_commits_nothing_is_applied_and_it_is_said(buggy, start):
    buggy.git("commit", "-q", "-m", "faults", "--", "app")
    session = start("diff", "HEAD~1..HEAD", "-i", cwd=buggy.folder)
    session.expect(r"nothing can be applied: commits were reviewed, not the files on disk")
    session.expect(r"\n  \[s\]kip  \[q\]uit  \[\?\]  > ")
    session.type("q")
    assert session.wait() == 1


@pytest.mark.slow
def test_without_a_finding_nothing_is_asked(repository, start):
    repository.commit({"a.py": "x = 1\n"})
    repository.write({"a.py": "x = 2\n"})
    session = start("diff", "-i", cwd=repository.folder)
    session.expect(r"nothing done; 0 findings left")
    assert session.wait() == 0


@pytest.mark.slow
def test_ctrl_z_and_back_asks_on(buggy, start):
    session = start("diff", "--staged", "-i", cwd=buggy.folder)
    session.expect(r"> $")
    os.kill(session.process.pid, signal.SIGSTOP)
    os.kill(session.process.pid, signal.SIGCONT)
    session.type("q")
    assert session.wait() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--staged",), "needs a terminal"),
        (("--format=json",), "--format and --output do not"),
    ],
)
def test_without_a_terminal_it_is_refused_in_one_line(buggy, run_dsreview, arguments, message):
    outcome = run_dsreview("diff", "--interactive", *arguments, cwd=buggy.folder)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert message in outcome.err


def test_what_a_model_suggests_is_asked_about_like_the_rest(repository, start, tmp_path):
    """Two suggestions for one line: after the first, the second is passed over."""
    code = "def pages(count, size):\n    return count\n"
    repository.commit({"stock.py": code})
    repository.write({"stock.py": code.replace("count\n", "count // size\n")})
    finding = {
        "severity": "high",
        "line": 2,
        "quote": "    return count // size",
        "message": "The last page is lost when it is not full.",
        "scenario": "pages(11, 10) gives 1.",
        "confidence": 0.9,
    }
    replacements = ("    return -(-count // size)", "    return (count + size - 1) // size")
    findings = [
        finding
        | {"rule": f"rounds-down-{number}"}
        | {"suggestion": {"start_line": 2, "end_line": 2, "replacement": [line]}}
        for number, line in enumerate(replacements)
    ]
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps([json.dumps({"findings": findings})]))
    session = start(
        *("diff", "-i", "--backend", "scripted", "--model", answers), cwd=repository.folder
    )
    session.expect("model, 90% sure")
    session.answer("a")
    session.expect(r"stock.py:2 rounds-down-1: its lines were changed by what was applied before")
    session.expect("1 applied; 1 finding left")
    assert session.wait() == 1
    text = (repository.folder / "stock.py").read_text()
    assert text == code.replace("    return count", replacements[0])
