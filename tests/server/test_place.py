"""Where the socket is, and who can get there."""

import os
import socket

import pytest

from dsreview.backends.resident_place import MAX_SOCKET_PATH_BYTES, place_in
from dsreview.errors import BackendError, UsageError
from dsreview.server.guard import HttpAccess
from dsreview.server.listening import listen_for_reviews, parse_address, read_token
from dsreview.server.locking import AlreadyRunning, locked, running_pid


@pytest.fixture
def deep(tmp_path):
    """As long as the temporary folders of macOS are."""
    place = place_in(tmp_path / ("f" * 60) / ("g" * 60) / "server")
    yield place
    if place.socket.parent.exists():
        place.socket.unlink(missing_ok=True)
        place.socket.parent.rmdir()


def test_a_long_path_gets_a_short_socket_that_works(deep):
    assert len(os.fsencode(deep.socket)) <= MAX_SOCKET_PATH_BYTES
    deep.prepare()
    with listen_for_reviews(deep), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(deep.socket))
        assert deep.is_occupied()


def test_another_folder_has_another_short_socket(deep, tmp_path):
    other = place_in(tmp_path / ("h" * 60) / ("g" * 60) / "server")
    assert other.socket != deep.socket
    assert place_in(deep.folder) == deep


def test_folder_and_socket_are_for_the_user_alone(tmp_path):
    place = place_in(tmp_path / "server")
    place.prepare()
    with listen_for_reviews(place):
        assert place.folder.stat().st_mode & 0o777 == 0o700
        assert place.socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o707])
def test_a_folder_that_others_can_enter_is_refused(tmp_path, mode):
    place = place_in(tmp_path / "server")
    place.folder.mkdir()
    place.folder.chmod(mode)
    with pytest.raises(BackendError, match="others can get in"):
        place.prepare()
    assert not place.is_occupied()


def test_a_folder_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / "server").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackendError, match="no folder"):
        place_in(tmp_path / "server").prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path):
    place = place_in(tmp_path / "server")
    place.folder.mkdir(mode=0o700)
    os.chown(place.folder, 12345, -1)
    with pytest.raises(BackendError, match="another user"):
        place.prepare()


def test_what_a_killed_server_left_is_replaced(tmp_path):
    place = place_in(tmp_path / "server")
    place.prepare()
    listen_for_reviews(place).close()
    assert place.is_occupied()
    with listen_for_reviews(place), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(place.socket))


def test_only_one_server_has_the_lock(tmp_path):
    place = place_in(tmp_path / "server")
    place.prepare()
    assert running_pid(place) is None
    with locked(place):
        assert running_pid(place) == os.getpid()
        with pytest.raises(AlreadyRunning, match=str(os.getpid())), locked(place):
            pass
    assert running_pid(place) is None
    with locked(place):
        pass


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0:80", "[::]:80", "192.168.1.5:80", "10.0.0.1:8000", "[::ffff:0.0.0.0]:80"),
        *("example.org:80", "127.0.0.1", ":80", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"),
    ],
)
def test_an_address_that_others_can_reach_is_refused(address):
    with pytest.raises(UsageError, match="this machine alone"):
        parse_address(address)


def test_loopback_addresses_are_taken():
    assert parse_address("127.0.0.1:8911") == ("127.0.0.1", 8911)
    assert parse_address("localhost:1") == ("127.0.0.1", 1)
    assert parse_address("[::1]:0") == ("::1", 0)


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", ["127.0.0.1:80", "localhost:80"]),
        ("127.0.0.9", ["127.0.0.9:80", "localhost:80"]),
        ("::1", ["[::1]:80", "localhost:80"]),
    ],
)
def test_an_address_is_called_by_its_own_name_or_localhost(host, names):
    assert list(HttpAccess(host, 80, "token").names) == names


def test_the_token_is_made_once_and_is_for_the_user_alone(tmp_path):
    path = tmp_path / "token"
    token = read_token(path)
    assert len(token) >= 40
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_token(path) == token


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        ("x" * 43, 0o644, "others can read it"),
        ("short", 0o600, "no token"),
        ("", 0o600, "no token"),
        ("é" * 43, 0o600, "no token"),
    ],
)
def test_a_token_that_is_none_or_no_secret_is_refused(tmp_path, content, mode, problem):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(BackendError, match=problem):
        read_token(path)


def test_a_token_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "other").write_text("x" * 43)
    (tmp_path / "other").chmod(0o600)
    (tmp_path / "token").symlink_to(tmp_path / "other")
    with pytest.raises(BackendError):
        read_token(tmp_path / "token")
