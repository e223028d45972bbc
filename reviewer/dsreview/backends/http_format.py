"""Requests and answers of the chat completions interface, as bytes."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from dsreview.errors import BackendError
from dsreview.prompt import Answer, Prompt, Sampling, StopReason

FORMATS: Final = ("json_schema", "json_object", "text")
"""What is asked of a server, in this order, until it takes one."""
_CHARS_PER_TOKEN: Final = 4
_MAX_PROBLEM: Final = 200


@dataclass(frozen=True, slots=True)
class _Message:
    content: str | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    message: _Message
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class _Usage:
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class _Completion:
    choices: list[_Choice]
    usage: _Usage | None = field(default=None)


def request_body(prompt: Prompt, model: str, sampling: Sampling, answer_format: str) -> bytes:
    """One completion request that asks for `answer_format`, one of `FORMATS`."""
    body: dict[str, object] = {
        "model": model,
        "messages": [
            {"role": message.role.value, "content": message.text} for message in prompt.messages
        ],
        "max_tokens": sampling.max_new_tokens,
        "temperature": sampling.temperature,
        "seed": sampling.seed,
        "stream": False,
    }
    if not prompt.schema:
        return msgspec.json.encode(body)
    if answer_format == "json_schema":
        schema = msgspec.Raw(prompt.schema.encode())
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": prompt.name, "strict": True, "schema": schema},
        }
    elif answer_format == "json_object":
        body["response_format"] = {"type": "json_object"}
    return msgspec.json.encode(body)


def read_answer(content: bytes, estimated_prompt_tokens: int) -> tuple[Answer, bool]:
    """The answer, and whether the server counted its tokens.

    Raises:
        BackendError: this is no completion.
    """
    try:
        completion = msgspec.json.decode(content, type=_Completion)
    except msgspec.DecodeError as error:
        raise BackendError(f"the server's answer is no chat completion: {error}") from error
    if not completion.choices:
        raise BackendError("the server's answer holds no choice")
    choice = completion.choices[0]
    text = choice.message.content or ""
    usage = completion.usage or _Usage()
    prompt_tokens, completion_tokens = usage.prompt_tokens, usage.completion_tokens
    answer = Answer(
        text=text,
        prompt_tokens=estimated_prompt_tokens if prompt_tokens is None else prompt_tokens,
        completion_tokens=len(text) // _CHARS_PER_TOKEN + 1
        if completion_tokens is None
        else completion_tokens,
        stop=StopReason.LENGTH if choice.finish_reason == "length" else StopReason.END,
    )
    return answer, prompt_tokens is not None and completion_tokens is not None


def read_problem(content: bytes) -> str:
    """What the server says of its refusal, on one short line."""
    text = content[: 4 * _MAX_PROBLEM].decode("utf-8", "replace")
    return " ".join(text.split())[:_MAX_PROBLEM] or "no reason given"
