"""Which servers the token is sent to: those whose certificate this system trusts."""

import datetime
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.client import PullAddress
from dsreview.outputs.github_pr.limits import WaitLimits
from dsreview.outputs.github_pr.poster_process import PosterProcess

LIMITS = WaitLimits(max_tries=1)
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def certificate(tmp_path):
    """Of `localhost`, signed by itself; with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - datetime.timedelta(days=1))
        .not_valid_after(NOW + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    private = key.private_bytes(*form, serialization.NoEncryption())
    file = tmp_path / "localhost.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


class Nothing(BaseHTTPRequestHandler):
    """Has no pull request, and keeps what it was sent."""

    def do_GET(self):
        self.server.tokens.append(self.headers["Authorization"])
        self.send_response(404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@pytest.fixture
def server(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = HTTPServer(("127.0.0.1", 0), Nothing)
    server.tokens = []
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # a client that does not trust it hangs up
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def ask(server, folder, environment):
    url = f"https://localhost:{server.server_port}"
    with PosterProcess("secret", folder, url, LIMITS, environment) as remote:
        remote.fetch(PullAddress("octo", "project", 1))


def test_the_token_is_not_sent_to_a_server_that_is_not_trusted(server, tmp_path):
    with pytest.raises(GitHubError, match=r"its certificate is not trusted here: .*self.signed"):
        ask(server, tmp_path, {})
    assert server.tokens == []


@pytest.mark.skipif(sys.platform == "darwin", reason="the keychain is asked there, and no file")
def test_a_certificate_that_the_system_trusts_is_enough(server, tmp_path, certificate):
    with pytest.raises(GitHubError, match="it does not exist"):
        ask(server, tmp_path, {"SSL_CERT_FILE": str(certificate)})
    assert server.tokens == ["token secret"]
