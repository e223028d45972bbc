"""Requests and answers of the chat completions interface, as bytes."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from dsreview.errors import BackendError
from dsreview.prompt import Alternative, Answer, Prompt, Sampling, StopReason, TokenChoice

_OBJECT_OF_SCHEMA: Final = "json_object with a schema"
FORMATS: Final = ("json_schema", _OBJECT_OF_SCHEMA, "json_object", "text")
"""What is asked of a server, in this order, until it takes one. llama-cpp-python keeps to a
schema in the second form alone.
"""
_CHARS_PER_TOKEN: Final = 4
_MAX_PROBLEM: Final = 200


@dataclass(frozen=True, slots=True)
class _Message:
    content: str | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    message: _Message
    finish_reason: str | None = None
    logprobs: object = None


@dataclass(frozen=True, slots=True)
class _Alternative:
    token: str
    logprob: float


@dataclass(frozen=True, slots=True)
class _Token:
    token: str
    logprob: float
    top_logprobs: list[_Alternative]


@dataclass(frozen=True, slots=True)
class _Logprobs:
    content: list[_Token]


@dataclass(frozen=True, slots=True)
class _Usage:
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class _Completion:
    choices: list[_Choice]
    usage: _Usage | None = field(default=None)


def request_body(
    prompt: Prompt,
    model: str,
    sampling: Sampling,
    answer_format: str,
    *,
    asks_logprobs: bool = False,
) -> bytes:
    """One completion request that asks for `answer_format`, one of `FORMATS`."""
    temperature, seed = sampling.draw(prompt)
    body: dict[str, object] = {
        "model": model,
        "messages": [
            {"role": message.role.value, "content": message.text} for message in prompt.messages
        ],
        "max_tokens": sampling.max_new_tokens,
        "temperature": temperature,
        "seed": seed,
        "stream": False,
    }
    if asks_logprobs:
        body |= {"logprobs": True, "top_logprobs": sampling.top_logprobs}
    if not prompt.schema:
        return msgspec.json.encode(body)
    schema = prompt.schema.encode()
    if answer_format == "json_schema":
        named = {"name": prompt.name, "strict": True, "schema": msgspec.Raw(schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    elif answer_format == _OBJECT_OF_SCHEMA:
        body["response_format"] = {"type": "json_object", "schema": msgspec.Raw(schema)}
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
        tokens=_tokens(choice.logprobs),
    )
    return answer, prompt_tokens is not None and completion_tokens is not None


def _tokens(logprobs: object) -> tuple[TokenChoice, ...]:
    """What the server tells of its tokens; nothing where it does so in another form."""
    try:
        told = msgspec.convert(logprobs, _Logprobs)
    except msgspec.ValidationError:
        return ()
    return tuple(
        TokenChoice(
            one.token,
            one.logprob,
            tuple(Alternative(other.token, other.logprob) for other in one.top_logprobs),
        )
        for one in told.content
    )


def read_problem(content: bytes) -> str:
    """What the server says of its refusal, on one short line."""
    text = content[: 4 * _MAX_PROBLEM].decode("utf-8", "replace")
    return " ".join(text.split())[:_MAX_PROBLEM] or "no reason given"
