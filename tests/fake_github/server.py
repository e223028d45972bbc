"""HTTP/1.1 on loopback: bytes in, bytes out, and the faults of the wire."""

import contextlib
import socket
import struct
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dsreview.fake_github.faults import Fault, Wire

LOOPBACK = "127.0.0.1"
DRIP_BYTES = 16
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER of no time: closing sends RST."""


Answerer = Callable[[str, str, Mapping[str, str], bytes], tuple[bytes, bytes, Fault | None]]
"""Method, target, headers and content; head and body of the answer, and what befalls it."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, answerer: Answerer) -> None:
        self.answerer = answerer
        self.stopping = threading.Event()
        self.failures: list[BaseException] = []
        self._open: set[socket.socket] = set()
        super().__init__((LOOPBACK, 0), _Conversation)

    def server_bind(self) -> None:
        """Without the look-up of the host's name, which may ask a name server."""
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = LOOPBACK, self.socket.getsockname()[1]

    def start(self) -> None:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.stopping.set()
        self.shutdown()
        self.server_close()
        for connection in tuple(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def connected(self, connection: socket.socket) -> None:
        self._open.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        self._open.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is gone is no news; a fault of the fake itself is told at the end."""
        failure = sys.exception()
        if failure is not None and not isinstance(failure, OSError):
            self.failures.append(failure)


class _Conversation(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connected(self.connection)

    def finish(self) -> None:
        self.server.disconnected(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name there)
        """The fake has its own log."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        if len(content) < length:  # the client died while it asked
            self.close_connection = True
            return
        headers = {name.lower(): text for name, text in self.headers.items()}
        head, body, fault = self.server.answerer(self.command, self.path, headers, content)
        with contextlib.suppress(OSError):
            self._send(head, body, fault)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _answer

    def _send(self, head: bytes, body: bytes, fault: Fault | None) -> None:
        if fault is None:
            self.connection.sendall(head + body)
            return
        self.server.stopping.wait(fault.delay_s)
        match fault.wire:
            case Wire.WHOLE:
                self.connection.sendall(head + body)
            case Wire.DRIP:
                self._drip(head, body, fault.drip_s)
            case Wire.RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                self._hang_up()
            case Wire.CLOSED:
                self._hang_up()
            case Wire.HALF_HEAD:
                self.connection.sendall(head[: len(head) // 2])
                self._hang_up()
            case Wire.HALF_BODY:
                self.connection.sendall(head + body[: len(body) // 2])
                self._hang_up()

    def _drip(self, head: bytes, body: bytes, pause_s: float) -> None:
        self.connection.sendall(head)
        for at in range(0, len(body), DRIP_BYTES):
            if self.server.stopping.wait(pause_s):
                return
            self.connection.sendall(body[at : at + DRIP_BYTES])

    def _hang_up(self) -> None:
        self.close_connection = True
