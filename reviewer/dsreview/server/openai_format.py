"""Requests and answers of the chat completions interface, from the server's side.

All text of a request is untrusted: the interface has no way to say which part is not.
"""

import secrets
import time
from typing import Final

import msgspec

from dsreview.errors import UsageError
from dsreview.prompt import Answer, Message, Prompt, Role, Sampling, StopReason, Text

MAX_NEW_TOKENS: Final = 2_048
"""Where a request names no limit."""
MAX_MESSAGES: Final = 1_000
MAX_TOP_LOGPROBS: Final = 20
_ANY_OBJECT: Final = '{"type": "object"}'
_ROLES: Final = {
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
_FINISH: Final = {StopReason.END: "stop", StopReason.LENGTH: "length"}


class TextPart(msgspec.Struct, frozen=True):
    type: str
    text: str = ""


class ChatMessage(msgspec.Struct, frozen=True):
    role: str
    content: str | tuple[TextPart, ...] | None = None


class JsonSchema(msgspec.Struct, frozen=True):
    schema: msgspec.Raw = msgspec.Raw(_ANY_OBJECT.encode())


class ResponseFormat(msgspec.Struct, frozen=True):
    type: str
    json_schema: JsonSchema | None = None


class StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = False


class ChatRequest(msgspec.Struct, frozen=True):
    """Fields that only shape wording or accounting are ignored; see `_REFUSED` for others."""

    model: str
    messages: tuple[ChatMessage, ...]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    temperature: float | None = None
    seed: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    user: str | None = None
    n: int | None = None
    top_p: float | None = None
    stop: str | tuple[str, ...] | None = None
    tools: tuple[msgspec.Raw, ...] | None = None
    functions: tuple[msgspec.Raw, ...] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


_REFUSED: Final = {
    "n": (None, 1),
    "top_p": (None, 1.0),
    "stop": (None, ()),
    "tools": (None, ()),
    "functions": (None, ()),
    "presence_penalty": (None, 0.0),
    "frequency_penalty": (None, 0.0),
}
"""What would change the answer and cannot be done here: only these values are taken."""


def read_request(content: bytes) -> ChatRequest:
    """
    Raises:
        UsageError: this is no request, or one that asks for what is not done here.
    """
    try:
        request = msgspec.json.decode(content, type=ChatRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the request cannot be read: {error}") from None
    for name, allowed in _REFUSED.items():
        if getattr(request, name) not in allowed:
            raise UsageError(f"{name} is not supported")
    if not 0 < len(request.messages) <= MAX_MESSAGES:
        raise UsageError(f"messages: from 1 to {MAX_MESSAGES}")
    if not 0 <= (request.temperature or 0.0) <= 2:
        raise UsageError("temperature: from 0 to 2")
    _check_logprobs(request)
    limit = request.max_completion_tokens or request.max_tokens
    if limit is not None and limit < 1:
        raise UsageError("max_tokens: from 1")
    return request


def _check_logprobs(request: ChatRequest) -> None:
    if not 0 <= (request.top_logprobs or 0) <= MAX_TOP_LOGPROBS:
        raise UsageError(f"top_logprobs: from 0 to {MAX_TOP_LOGPROBS}")
    if request.top_logprobs and not request.logprobs:
        raise UsageError("top_logprobs: only with logprobs")
    if request.logprobs and request.stream:
        raise UsageError("logprobs: not in a stream")


def prompt_of(request: ChatRequest) -> Prompt:
    """Raises UsageError where a message or the format of the answer cannot be taken."""
    messages = tuple(_message(message) for message in request.messages)
    return Prompt("chat", "", messages, _schema(request.response_format))


def sampling_of(request: ChatRequest, room: int) -> Sampling:
    """`room` is what the window has left for an answer, where the request names no limit."""
    asked = request.max_completion_tokens or request.max_tokens
    temperature = 1.0 if request.temperature is None else request.temperature
    seed = secrets.randbelow(1 << 31) if request.seed is None else request.seed
    return Sampling(
        asked or max(1, min(room, MAX_NEW_TOKENS)),
        temperature,
        seed,
        top_logprobs=max(1, request.top_logprobs or 0) if request.logprobs else 0,
    )


def completion(answer: Answer, identifier: str, model: str, asked: ChatRequest) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer.text, "refusal": None},
        "logprobs": _logprobs(answer, asked.top_logprobs or 0) if asked.logprobs else None,
        "finish_reason": _FINISH[answer.stop],
    }
    head = _head(identifier, "chat.completion", model)
    return msgspec.json.encode({**head, "choices": [choice], "usage": _usage(answer)})


def chunk(identifier: str, model: str, delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = _head(identifier, "chat.completion.chunk", model)
    return sse(msgspec.json.encode({**head, "choices": [choice]}))


def finish_reason(answer: Answer) -> str:
    return _FINISH[answer.stop]


def usage_chunk(identifier: str, model: str, answer: Answer) -> bytes:
    head = _head(identifier, "chat.completion.chunk", model)
    return sse(msgspec.json.encode({**head, "choices": [], "usage": _usage(answer)}))


def sse(content: bytes) -> bytes:
    return b"data: " + content + b"\n\n"


def problem(message: str, code: str | None, kind: str = "invalid_request_error") -> bytes:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return msgspec.json.encode({"error": error})


def new_identifier() -> str:
    return f"chatcmpl-{secrets.token_hex(12)}"


def _head(identifier: str, kind: str, model: str) -> dict[str, object]:
    return {"id": identifier, "object": kind, "created": int(time.time()), "model": model}


def _usage(answer: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


def _logprobs(answer: Answer, num_top: int) -> dict[str, object]:
    content = [
        {
            **_token(choice.text, choice.logprob),
            "top_logprobs": [_token(other.text, other.logprob) for other in choice.top[:num_top]],
        }
        for choice in answer.tokens
    ]
    return {"content": content, "refusal": None}


def _token(text: str, logprob: float) -> dict[str, object]:
    """`bytes` are null where the token holds a part of a character only."""
    is_broken = "\ufffd" in text
    return {
        "token": text,
        "logprob": logprob,
        "bytes": None if is_broken else list(text.encode("utf-8", "surrogatepass")),
    }


def _message(message: ChatMessage) -> Message:
    role = _ROLES.get(message.role)
    if role is None:
        raise UsageError(f"role {message.role[:40]!r}; use {', '.join(_ROLES)}")
    content = message.content
    if isinstance(content, tuple):
        if any(part.type != "text" for part in content):
            raise UsageError("messages hold text only")
        content = "".join(part.text for part in content)
    return Message(role, (Text(content or "", is_trusted=False),))


def _schema(wanted: ResponseFormat | None) -> str:
    """The JSON schema of the answer; empty where any text is one."""
    if wanted is None or wanted.type == "text":
        return ""
    if wanted.type == "json_object":
        return _ANY_OBJECT
    if wanted.type != "json_schema" or wanted.json_schema is None:
        raise UsageError("response_format: text, json_object or json_schema with a schema")
    return bytes(wanted.json_schema.schema).decode()
