"""A loopback server that speaks chat completions, told what to answer."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Reply:
    content: str = '{"findings": []}'
    status: int = 200
    headers: tuple = ()
    finish_reason: str = "stop"
    usage: bool = True
    delay_s: float = 0.0
    raw: bytes | None = None
    """Sent instead of a completion."""
    breaks: bool = False
    """Close the connection without an answer."""
    logprobs: object = None
    """As in `choices[0].logprobs`."""
    drips: bool = False
    """Send byte after byte, a tenth of a second between them."""


@dataclass
class Asked:
    path: str
    headers: dict
    body: dict


@dataclass
class OpenAIServer:
    """Calls `answer(asked)` for each request; refuses formats that are not in `formats`, and
    log-probabilities where it has none.
    """

    answer: object = staticmethod(lambda asked: Reply())
    formats: tuple = ("json_schema", "json_object", "text")
    has_logprobs: bool = True
    asked: list = field(default_factory=list)

    def __enter__(self):
        server = self

        class Exchange(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                body = json.loads(self.rfile.read(length))
                one = Asked(self.path, dict(self.headers), body)
                server.asked.append(one)
                kind = body.get("response_format", {"type": "text"})["type"]
                if kind not in server.formats:
                    self.write(Reply(status=400, raw=b'{"error": "unknown response_format"}'))
                    return
                if body.get("logprobs") and not server.has_logprobs:
                    self.write(Reply(status=400, raw=b'{"error": "logprobs not supported"}'))
                    return
                self.write(server.answer(one))

            def write(self, reply):
                time.sleep(reply.delay_s)
                if reply.breaks:
                    self.close_connection = True
                    return
                content = reply.raw if reply.raw is not None else completion(reply)
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if not reply.drips:
                    self.wfile.write(content)
                    return
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(0.1)

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Exchange)
        self._http.daemon_threads = True
        self._http.handle_error = lambda *arguments: None
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exception):
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._http.server_port}"


def completion(reply):
    answer = {
        "id": "1",
        "object": "chat.completion",
        "model": "served",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": reply.content},
                "finish_reason": reply.finish_reason,
                "logprobs": reply.logprobs,
            }
        ],
    }
    if reply.usage:
        answer["usage"] = {"prompt_tokens": 101, "completion_tokens": 7, "total_tokens": 108}
    return json.dumps(answer).encode()
