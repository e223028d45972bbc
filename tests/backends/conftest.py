import importlib.util
from pathlib import Path

import pytest

from dsreview.prompt import Message, Prompt, Role, Text

specification = importlib.util.spec_from_file_location(
    "openai_server", Path(__file__).with_name("openai_server.py")
)
module = importlib.util.module_from_spec(specification)
specification.loader.exec_module(module)

SCHEMA = (
    '{"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"],'
    ' "additionalProperties": false}'
)


@pytest.fixture
def reply():
    return module.Reply


@pytest.fixture
def serve():
    """Starts a loopback server; it ends with the test."""
    opened = []

    def start(answer=None, formats=("json_schema", "json_object", "text"), has_logprobs=True):
        answer = answer or (lambda asked: module.Reply())
        server = module.OpenAIServer(answer, formats, has_logprobs)
        opened.append(server.__enter__())
        return server

    yield start
    for server in opened:
        server.__exit__()


@pytest.fixture
def prompt():
    def build(text="is it?", schema=SCHEMA):
        messages = (
            Message(Role.SYSTEM, (Text("Answer with JSON.", True),)),
            Message(Role.USER, (Text("Code: ", True), Text(text, False))),
        )
        return Prompt("test", "1", messages, schema)

    return build
