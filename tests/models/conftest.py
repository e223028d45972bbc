"""A hub on this machine: real sockets, redirects, ranges, and everything that goes wrong."""

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest

COMMIT = "5" * 40
LFS = (".safetensors", "tokenizer.json")


def git_blob(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class FakeHub:
    """Models with their files; `faults` decide what happens to a request for a file."""

    def __init__(self):
        self.models = {}
        self.branches = {"main": COMMIT}
        self.listed = {}
        self.faults = []
        self.requests = []
        self.token = ""
        self.block_pause_s = 0.0
        self.server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self})
        )
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def add(self, name, files):
        self.models[name] = files

    def listing(self, name, commit):
        siblings = []
        for file, content in self.models[name].items():
            sibling = {"rfilename": file, "size": len(content), "blobId": git_blob(content)}
            if file.endswith(LFS):
                sibling["lfs"] = {
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "pointerSize": 130,
                }
            siblings.append(sibling | self.listed.get(file, {}))
        return {"id": name, "sha": commit, "siblings": siblings, "private": False}

    def fault(self, *kinds, file="model.safetensors"):
        """The next requests for the bytes of `file` go wrong in these ways, one after the other."""
        self.faults += [(file, kind) for kind in kinds]

    def next_fault(self, file):
        for at, (where, kind) in enumerate(self.faults):
            if where == file:
                del self.faults[at]
                return kind
        return None

    def ranges(self, file):
        return [
            headers.get("Range", "")
            for path, headers in self.requests
            if path.endswith(f"/bytes/{file}")
        ]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub = None

    def log_message(self, *_):
        """Tests read `requests`."""

    def do_GET(self):
        path = unquote(self.path.partition("?")[0])
        self.hub.requests.append((path, dict(self.headers)))
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self.describe("/".join(parts[2:4]), "/".join(parts[5:]))
        elif parts[2:3] == ["resolve"]:
            self.resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self.send_file("/".join(parts[1:3]), "/".join(parts[4:]))

    def describe(self, name, revision):
        if self.hub.token and self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self.answer(401, b"{}")
        kind = self.hub.next_fault("list")
        if kind is not None:
            return self.answer(kind, b"", {"Retry-After": "0"})
        commit = self.hub.branches.get(revision, revision)
        if name not in self.hub.models or commit not in self.hub.branches.values():
            return self.answer(404, b'{"error":"Repository not found"}')
        return self.answer(200, json.dumps(self.hub.listing(name, commit)).encode())

    def resolve(self, name, commit, file):
        """As the hub does: large files lie on another host."""
        if file not in self.hub.models.get(name, {}) or commit not in self.hub.branches.values():
            return self.answer(404, b"")
        elsewhere = f"http://localhost:{self.hub.server.server_port}"
        host = elsewhere if file.endswith(LFS) else ""
        return self.answer(302, b"", {"Location": f"{host}/cdn/{name}/bytes/{file}"})

    def send_file(self, name, file):
        content = self.hub.models[name][file]
        kind = self.hub.next_fault(file)
        if isinstance(kind, int):
            return self.answer(kind, b"", {"Retry-After": "0"})
        if kind == "circle":
            return self.answer(302, b"", {"Location": self.path})
        if kind == "plain":
            return self.answer(302, b"", {"Location": "http://192.0.2.1/x"})
        if kind == "wrong":
            content = bytes(255 - byte for byte in content)
        start = 0
        if self.headers.get("Range") and kind != "no range":
            start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
        if kind == "longer":
            content += b"more"
        rest = content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if kind == "cut":
            self.wfile.write(rest[: len(rest) // 2])
            self.close_connection = True
            return None
        for at in range(0, len(rest), 65_536):
            self.wfile.write(rest[at : at + 65_536])
            time.sleep(self.hub.block_pause_s)
        return None

    def answer(self, status, content, headers=None):
        self.send_response(status)
        for key, text in (headers or {}).items():
            self.send_header(key, text)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def hub():
    new = FakeHub()
    yield new
    new.server.shutdown()
    new.server.server_close()


@pytest.fixture
def small_model(tmp_path):
    """A folder whose headers dsengine takes for a model."""
    pytest.importorskip("huggingface_hub")
    folder = tmp_path / "small_model"
    folder.mkdir()
    tensor = {"embed": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    header = json.dumps(tensor).encode()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    weights = len(header).to_bytes(8, "little") + header + bytes(16)
    (folder / "model.safetensors").write_bytes(weights)
    return folder
