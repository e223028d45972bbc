"""A real server in its own process, with a tiny model or a list of answers."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from dsreview.backends.resident import ask_hello
from dsreview.backends.resident_place import Place, place_in
from dsreview.backends.resident_wire import State
from dsreview.prompt import Message, Prompt, Role, Text

pytest.importorskip("uvicorn")

SCHEMA = (
    '{"type": "object", "properties": {"ok": {"const": true}}, "required": ["ok"],'
    ' "additionalProperties": false}'
)
STORY = (
    '{"type": "object", "properties": {"a": {"type": "array", "minItems": 900,'
    ' "items": {"type": "integer"}}}, "required": ["a"], "additionalProperties": false}'
)
"""Random weights need thousands of tokens for it."""


@dataclass
class Served:
    process: subprocess.Popen
    place: Place
    environment: dict

    @property
    def hello(self):
        return ask_hello(self.place)

    @property
    def log(self):
        return self.place.log.read_text()

    @property
    def url(self):
        """Of the HTTP address, up to and without `/v1`."""
        return self.hello.http_address.removesuffix("/v1")

    @property
    def token(self):
        return self.place.token.read_text().strip()

    def wait_until_ready(self):
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            hello = self.hello
            if hello is not None and hello.state is State.READY:
                return self
            time.sleep(0.02)
        raise AssertionError(self.process.communicate(timeout=5))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


def environment_of(cache):
    settings = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    return settings | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DSREVIEW_CACHE_DIR": str(cache),
        "DSREVIEW_CONFIG": os.devnull,
        "DSREVIEW_ALLOW_ROOT": "1",
    }


def start_server(cache, *arguments):
    environment = environment_of(cache)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "dsreview", "serve", *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Served(process, place_in(Path(cache) / "server"), environment)


@pytest.fixture
def serve(tmp_path):
    """Starts servers that end with the test; their model may still be loading."""
    started = []

    def start(*arguments, cache=tmp_path / "cache"):
        started.append(start_server(cache, *arguments))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.kill()
        server.process.communicate()


@pytest.fixture
def script(tmp_path):
    """A file of answers for the scripted backend."""

    def write(*answers):
        path = tmp_path / "answers.json"
        path.write_text(json.dumps(answers))
        return path

    return write


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """Random weights: schemas alone make its answers."""
    testing = pytest.importorskip("dsengine.testing")
    texts = ['Answer with JSON. Code: {"ok": true}', STORY, "is it one?"]
    return testing.write_model(tmp_path_factory.mktemp("tiny"), "llama", texts, window=8192)


@pytest.fixture(scope="session")
def tiny_server(tiny_model, tmp_path_factory):
    """One server with a model that answers, for all tests."""
    cache = tmp_path_factory.mktemp("cache")
    arguments = ("--model", tiny_model, "--device", "cpu", "--http", "127.0.0.1:0")
    server = start_server(cache, *arguments).wait_until_ready()
    yield server
    server.end()
    server.process.communicate()


@pytest.fixture(scope="session")
def make_prompt():
    def build(text="is it one?", schema=SCHEMA):
        messages = (
            Message(Role.SYSTEM, (Text("Answer with JSON.", True),)),
            Message(Role.USER, (Text("Code: ", True), Text(text, False))),
        )
        return Prompt("test", "1", messages, schema)

    return build


@pytest.fixture(scope="session")
def story_schema():
    return STORY
