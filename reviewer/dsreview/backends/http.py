"""Any server that speaks OpenAI's chat completions: Ollama, llama.cpp, vLLM, LM Studio.

Code goes to the configured address and nowhere else: no proxies, no redirects, no
default address. The answer's schema is sent along; a server that refuses it is asked in
another form, then for any JSON, then for plain text, which the tolerant parser reads. One
that refuses to tell log-probabilities is not asked for them again.

What one prompt meets (a crash, an answer that is none) is the end of that prompt alone.
What all would meet (nobody there, a wrong key or address) is an error.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import httpx

from dsreview.backends.base import BackendSettings, IsWanted, OnText, always_wanted
from dsreview.backends.daemon_threads import as_answered
from dsreview.backends.http_format import FORMATS, read_answer, read_problem, request_body
from dsreview.errors import BackendError, PromptTooLongError, UsageError
from dsreview.prompt import Answer, OnAnswer, Prompt, Sampling, StopReason, ignore_answer

_BYTES_PER_TOKEN: Final = 2.5
"""Fewer than tokenizers need for code (about 3 to 4): estimates err towards too long."""
_TOKENS_PER_MESSAGE: Final = 16
_CONNECT_TIMEOUT_S: Final = 10.0
_ANSWER_TIMEOUT_S: Final = 1_800.0
"""For each prompt, where no deadline is set: a CPU takes minutes for a long one."""
_MAX_TRIES: Final = 3
_MAX_WAIT_S: Final = 30.0
_MAX_ANSWER_BYTES: Final = 10_000_000
_BUSY: Final = frozenset({429, 503})
_REFUSED_FOR_ALL: Final = frozenset({401, 403, 404})
_REFUSED_FORMAT: Final = frozenset({400, 422, 501})


class HttpBackend:
    """One server and one of its models."""

    is_shareable = False

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key: str = "",
        max_parallel: int = 4,
        max_tokens: int = 8_192,
    ) -> None:
        """
        Raises:
            UsageError: `base_url` is no http address, or no model is named.
        """
        self._url = _chat_url(base_url)
        if not model:
            raise UsageError(f"{base_url}: name one of the server's models")
        self.model = model
        self.device = urlsplit(self._url).netloc.rpartition("@")[2]
        self.identity = hashlib.sha256(f"http\0{self._url}\0{model}".encode()).hexdigest()
        self.max_tokens = max_tokens
        self.counts_are_estimated = False
        """Whether the server gave no token counts for some answer."""
        self._format = 0  # index of FORMATS that the server is known to take
        self._tells_logprobs = True  # until it refuses to
        self._max_parallel = max_parallel
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.Client(
            headers=headers, trust_env=False, follow_redirects=False, max_redirects=0
        )

    @classmethod
    def open(cls, settings: BackendSettings) -> "HttpBackend":
        return cls(
            settings.base_url,
            settings.model,
            settings.api_key,
            settings.batch_size,
            settings.max_tokens,
        )

    def count_tokens(self, prompt: Prompt) -> int:
        """An estimate on the safe side: the server's tokenizer is not known."""
        num_bytes = sum(
            len(message.text.encode("utf-8", "surrogatepass")) for message in prompt.messages
        )
        return int(num_bytes / _BYTES_PER_TOKEN) + _TOKENS_PER_MESSAGE * len(prompt.messages)

    def complete(
        self,
        prompts: Sequence[Prompt],
        sampling: Sampling,
        on_answer: OnAnswer = ignore_answer,
        is_wanted: IsWanted = always_wanted,
        on_text: OnText | None = None,
    ) -> list[Answer]:
        for prompt in prompts:
            needed = self.count_tokens(prompt) + sampling.max_new_tokens
            if needed > self.max_tokens:
                raise PromptTooLongError(f"about {needed} tokens; the window is {self.max_tokens}")
        deadline = None
        if sampling.deadline_s is not None:
            deadline = time.monotonic() + sampling.deadline_s

        def ask(index: int) -> Answer:
            if not is_wanted(index):
                return Answer("", 0, 0, StopReason.DEADLINE)
            return self._complete_one(prompts[index], sampling, deadline)

        answers: dict[int, Answer] = {}
        for index, answer in as_answered(ask, range(len(prompts)), max(1, self._max_parallel)):
            answers[index] = answer
            on_answer(index, answer)
        return [answers[index] for index in range(len(prompts))]

    def close(self) -> None:
        self._client.close()

    def _complete_one(self, prompt: Prompt, sampling: Sampling, deadline: float | None) -> Answer:
        """The answer, or how this prompt ended without one."""
        limit = time.monotonic() + _ANSWER_TIMEOUT_S if deadline is None else deadline
        try:
            return self._ask(prompt, sampling, limit)
        except _OutOfTime:
            if deadline is None:
                return Answer.failed(f"{self.device} gives no answer")
            return Answer("", 0, 0, StopReason.DEADLINE)
        except _PromptFailed as error:
            return Answer.failed(str(error))

    def _ask(self, prompt: Prompt, sampling: Sampling, deadline: float) -> Answer:
        """Ask until the server answers, refuses for good, or time is up."""
        status, content = 0, b""
        for answer_format, asks_logprobs in self._ways(sampling):
            body = request_body(
                prompt, self.model, sampling, FORMATS[answer_format], asks_logprobs=asks_logprobs
            )
            status, content = self._post(body, deadline)
            if status == httpx.codes.OK:
                self._format = max(self._format, answer_format)
                self._tells_logprobs &= asks_logprobs or not sampling.top_logprobs
                answer, is_counted = self._read(content, prompt)
                self.counts_are_estimated |= not is_counted
                return answer
            if not _refuses_format(status, content):
                break
        kind = BackendError if status in _REFUSED_FOR_ALL else _PromptFailed
        raise kind(f"{self.device} answers {status}: {read_problem(content)}")

    def _ways(self, sampling: Sampling) -> list[tuple[int, bool]]:
        """What to ask for until it is taken: the index of a format, and log-probabilities."""
        asks = (True, False) if sampling.top_logprobs and self._tells_logprobs else (False,)
        return [
            (answer_format, asks_logprobs)
            for answer_format in range(self._format, len(FORMATS))
            for asks_logprobs in asks
        ]

    def _read(self, content: bytes, prompt: Prompt) -> tuple[Answer, bool]:
        try:
            return read_answer(content, self.count_tokens(prompt))
        except BackendError as error:
            raise _PromptFailed(str(error)) from error

    def _post(self, body: bytes, deadline: float) -> tuple[int, bytes]:
        """Status and content, after waiting for a server that is busy or just starting."""
        problem, kind = "", BackendError
        for attempt in range(1, _MAX_TRIES + 1):
            wait_s = float(2 ** (attempt - 1))
            try:
                status, headers, content = self._send(body, deadline)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                problem, kind = str(error) or "nobody answers", BackendError
            except httpx.TimeoutException:
                raise _OutOfTime from None
            except (httpx.NetworkError, httpx.RemoteProtocolError) as error:
                problem, kind = str(error) or "the connection broke", _PromptFailed
            except httpx.HTTPError as error:
                raise _PromptFailed(f"{self.device}: {error}") from error
            else:
                if status not in _BUSY:
                    return status, content
                problem, kind = f"answers {status}: {read_problem(content)}", _PromptFailed
                wait_s = _retry_after(headers.get("Retry-After", ""), wait_s)
            if attempt < _MAX_TRIES:
                _wait(wait_s, deadline)
        raise kind(f"{self.device} cannot be used: {problem}")

    def _send(self, body: bytes, deadline: float) -> tuple[int, httpx.Headers, bytes]:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise _OutOfTime
        timeout = httpx.Timeout(left_s, connect=min(left_s, _CONNECT_TIMEOUT_S))
        headers = {"Content-Type": "application/json"}
        with self._client.stream(
            "POST", self._url, content=body, headers=headers, timeout=timeout
        ) as response:
            if response.is_redirect:
                raise BackendError(f"{self.device} redirects; configure the address it points to")
            content = bytearray()
            for part in response.iter_bytes():
                content += part
                if len(content) > _MAX_ANSWER_BYTES:
                    problem = f"{self.device} answers more than {_MAX_ANSWER_BYTES} bytes"
                    raise _PromptFailed(problem)
                if time.monotonic() > deadline:  # a server that drips resets each read's timeout
                    raise _OutOfTime
            return response.status_code, response.headers, bytes(content)


def _refuses_format(status: int, content: bytes) -> bool:
    """llama-cpp-python calls a format that it does not know its own error."""
    is_own_error = status == httpx.codes.INTERNAL_SERVER_ERROR
    return status in _REFUSED_FORMAT or (is_own_error and b"response_format" in content)


class _OutOfTime(Exception):
    """The deadline passed."""


class _PromptFailed(BackendError):
    """The server gives no answer to this prompt; it may well answer others."""


def _chat_url(base_url: str) -> str:
    """
    >>> _chat_url("http://127.0.0.1:11434")
    'http://127.0.0.1:11434/v1/chat/completions'
    >>> _chat_url("https://host/api/v1/")
    'https://host/api/v1/chat/completions'
    """
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"base-url = {base_url!r}; use an address such as http://127.0.0.1:11434")
    path = parts.path.rstrip("/").removesuffix("/chat/completions") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}/chat/completions"


def _retry_after(header: str, default_s: float) -> float:
    """Seconds that a busy server asks for; dates are rare there and not read."""
    return min(float(header), _MAX_WAIT_S) if header.isdecimal() else default_s


def _wait(seconds: float, deadline: float) -> None:
    if time.monotonic() + seconds >= deadline:
        raise _OutOfTime
    time.sleep(seconds)
