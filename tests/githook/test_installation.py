"""A script of ours is known again, whatever the paths in it; every change to it shows."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsreview.githook.events import EVENTS
from dsreview.githook.hook_files import template
from dsreview.githook.installation import (
    VERSION,
    FoundHook,
    Program,
    Stage,
    State,
    read_marked,
    script,
    state_of,
)

PROGRAM = Program(b"/opt/dsreview/bin/python", b"/opt/dsreview/lib/__main__.py")
SCRIPT = script(template(Stage.PRE_COMMIT), PROGRAM)
PATHS = st.binary(min_size=1).map(
    lambda raw: b"/" + raw.replace(b"\0", b"").replace(b"\n", b"").replace(b"\r", b"")
)
SLOTS = st.sampled_from([b"/@PYTHON@", b"/@PACKAGE@", b"/@DIGEST@", b"/it's", b"/a b", b"/$(x)`y`"])


@given(PATHS | SLOTS, PATHS | SLOTS, st.sampled_from(list(Stage)))
def test_a_script_is_read_back_as_it_was_written(python, package, stage):
    program = Program(python, package)
    marked = read_marked(script(template(stage), program))
    assert (marked.version, marked.program, marked.is_edited) == (VERSION, program, False)


@given(st.integers(0, len(SCRIPT)), st.binary(min_size=1, max_size=20))
def test_any_insertion_makes_it_edited_or_foreign(at, inserted):
    changed = SCRIPT[:at] + inserted + SCRIPT[at:]
    marked = read_marked(changed)
    in_marker_line = changed.split(b"\n")[2:] == SCRIPT.split(b"\n")[2:]
    assert marked is None or marked.is_edited or in_marker_line


@pytest.mark.parametrize(
    "content",
    [b"", b"#!/bin/sh\n", b"\n# dsreview-hook\n", b"x\ny\n# dsreview-hook 1 aa\n", b"\xff\xfe\0"],
)
def test_what_carries_no_marker_is_not_ours(content):
    assert read_marked(content) is None


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, State.MISSING),
        (FoundHook(SCRIPT, True), State.INSTALLED),
        (FoundHook(SCRIPT, False), State.STALE),
        (FoundHook(SCRIPT.replace(b"-hook 2", b"-hook 0"), True), State.STALE),
        (FoundHook(SCRIPT.replace(b"-hook 2", b"-hook 9"), True), State.INSTALLED),
        (FoundHook(SCRIPT + b"make lint\n", True), State.EDITED),
        (FoundHook(SCRIPT.replace(b"/opt", b"/new"), True), State.EDITED),
        (FoundHook(b"#!/bin/sh\nmake lint\n", True), State.FOREIGN),
        (FoundHook(None, True), State.FOREIGN),
    ],
)
def test_states(found, expected):
    assert state_of(found, lambda program: program == PROGRAM) is expected


def test_a_script_whose_interpreter_is_gone_is_stale():
    assert state_of(FoundHook(SCRIPT, True), lambda program: False) is State.STALE


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_a_short_template_that_names_it(stage):
    text = template(stage).decode()
    assert len(text.splitlines()) <= 15
    assert f"-E -P -m dsreview.cli.native_hook {stage} " in text
    assert f"# dsreview-hook {VERSION} @DIGEST@" in text.splitlines()


def test_there_is_no_template_without_a_stage():
    folder = Path(__file__).parents[2] / "hooks"
    names = {name.removesuffix(".sh") for name in os.listdir(folder) if name.endswith(".sh")}
    assert names == set(Stage)


def test_every_stage_is_one_that_is_reviewed():
    assert {*Stage, "manual"} == set(EVENTS)
