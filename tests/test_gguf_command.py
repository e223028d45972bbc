"""`dsreview diff` with a GGUF file: in the process, and behind a real server of llama.cpp.

What the model is to say is scripted once; the prompt of that run is what it learns, so that
another template, tokenizer or cache would show as another review.
"""

import importlib.util
import json
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager

import httpx
import pytest

from dsreview.backends import ScriptedBackend
from dsreview.cache import NoCache
from dsreview.change import EmptySnapshot
from dsreview.config import load
from dsreview.progress import SilentProgress
from dsreview.review import Tools, review
from dsreview.sandbox import Sandbox
from dsreview.sources import SourceRequest, open_change

dsengine = pytest.importorskip("dsengine")
pytest.importorskip("llama_cpp", reason="needs the extra gguf")
pytest.importorskip("gguf", reason="needs the package gguf")
has_server = importlib.util.find_spec("starlette_context") is not None

BEFORE = {"shop/stock.py": "def pages(count, size):\n    return count\n"}
AFTER = {"shop/stock.py": "def pages(count, size):\n    return count // size\n"}
FINDING = {
    "rule": "rounds-down",
    "severity": "high",
    "line": 2,
    "quote": "    return count // size",
    "message": "The last page is lost when it is not full.",
    "scenario": "pages(11, 10) gives 1, so the eleventh item is never shown.",
    "confidence": 0.9,
    "suggestion": {
        "start_line": 2,
        "end_line": 2,
        "replacement": ["    return (count + size - 1) // size"],
    },
}
ANSWER = json.dumps({"findings": [FINDING]})


@pytest.fixture
def changed(repository):
    repository.commit(BEFORE)
    repository.write(AFTER)
    return repository


def asked_for(repository):
    """The prompt of a review of it."""
    backend = ScriptedBackend([ANSWER])
    with open_change(SourceRequest(repository.folder)) as change, Sandbox() as sandbox:
        tools = Tools(sandbox, NoCache(), lambda: backend, SilentProgress())
        review(change, load(EmptySnapshot(), {}, {}), tools)
    ((prompts, _),) = backend.batches
    return prompts[0]


@pytest.fixture
def trained(changed, tmp_path):
    """A file that learned to review the change, and the folder that it was made of."""
    from dsengine.testing import train_tiny
    from dsengine.testing_gguf import GgufOptions, write_gguf

    messages = [
        dsengine.Message(
            message.role.value,
            tuple(dsengine.Piece(piece.text, piece.is_trusted) for piece in message.pieces),
        )
        for message in asked_for(changed).messages
    ]
    folder = train_tiny(tmp_path / "hf", "qwen2", [(messages, ANSWER)], words="qwen2")
    return write_gguf(folder, tmp_path / "model.gguf", GgufOptions("qwen2")), folder


@contextmanager
def served(path):
    """Address of `python -m llama_cpp.server`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = ["--model", str(path), "--port", str(port), "--n_ctx", "8192", "--n_threads", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "llama_cpp.server", *arguments, "--chat_format", "chatml"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        with closing(httpx.Client(trust_env=False)) as client:
            while not is_up(client, address):
                assert process.poll() is None
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def is_up(client, address):
    try:
        return client.get(f"{address}/v1/models").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def report_of(run_dsreview, changed, *arguments):
    outcome = run_dsreview(*("diff", "--format=json", "--no-cache", *arguments), cwd=changed.folder)
    assert outcome.code == 1, outcome
    report = json.loads(outcome.out)
    assert report["status"] == "complete"
    return report


@pytest.mark.slow
@pytest.mark.skipif(not has_server, reason="needs llama-cpp-python[server]")
def test_a_file_gives_one_review_in_the_process_and_behind_a_server(trained, changed, run_dsreview):
    path, folder = trained
    local = report_of(run_dsreview, changed, f"--model={path}", "--device=cpu")
    plain = report_of(run_dsreview, changed, f"--model={folder}", "--device=cpu")
    with served(path) as address:
        options = ("--backend=http", f"--base-url={address}", "--model=model.gguf")
        remote = report_of(run_dsreview, changed, *options, "--window=8192")
    (finding,) = local["findings"]
    assert (finding["rule"], finding["start_line"]) == ("rounds-down", 2), finding
    assert finding["suggestion"]["replacement"] == FINDING["suggestion"]["replacement"][0] + "\n"
    assert local["findings"] == plain["findings"] == remote["findings"]
    counts = [report["stats"]["completion_tokens"] for report in (local, plain, remote)]
    print(json.dumps(remote["findings"], indent=1), counts)


def test_a_file_that_is_none_is_one_clear_line(changed, run_dsreview, tmp_path):
    for name, octets, reason in (
        ("cut.gguf", b"GGUF\x03", "is cut"),
        ("text.gguf", b"hello", "no such folder and no GGUF file"),
    ):
        (tmp_path / name).write_bytes(octets)
        outcome = run_dsreview("diff", f"--model={tmp_path / name}", cwd=changed.folder)
        assert reason in outcome.err
        assert "Traceback" not in outcome.err
    outcome = run_dsreview("diff", f"--model={tmp_path}/none.gguf", cwd=changed.folder)
    assert outcome.code == 2
    assert "no such folder or file" in outcome.err
