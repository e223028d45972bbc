"""The page of a workflow run: bounded, whole blocks, and failures said aloud."""

import os
import re

import pytest
from markdown_it import MarkdownIt

from dsreview.outputs.job_summary import MAX_BYTES, append, bounded, failure

BLOCK = "A finding.\n\n````py\nx = '''\n\n```\n'''\n````\n\n"


@pytest.mark.parametrize("room", range(400, 700, 7))
def test_what_is_cut_ends_between_blocks_and_says_so(room):
    text = BLOCK * 40
    content = bounded(text, room)
    assert len(content) <= room
    cut = content.decode()
    assert "left out" in cut
    fences = [token for token in MarkdownIt().parse(cut) if token.type == "fence"]
    assert all(token.content == "x = '''\n\n```\n'''\n" for token in fences)
    assert len(re.findall("^````", cut, re.MULTILINE)) == 2 * len(fences)


def test_what_fits_stays_as_it_is():
    assert bounded(BLOCK, len(BLOCK)) == BLOCK.encode()


def test_steps_share_the_room_of_their_file(tmp_path):
    path = tmp_path / "summary"
    environment = {"GITHUB_STEP_SUMMARY": str(path)}
    for _ in range(3):
        append("word \u00e9\n\n" * 90_000, environment)
    assert path.stat().st_size <= MAX_BYTES
    path.read_text("utf-8")


def test_outside_actions_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    append("words\n", {})
    assert os.listdir(tmp_path) == []


def test_a_failure_is_said_without_markup():
    text = failure("octo/project#7", "<img src=x> @octo [x](y) failed")
    assert "failed" in text
    assert not re.search(r"<img|@octo|\[x\]\(", text)
