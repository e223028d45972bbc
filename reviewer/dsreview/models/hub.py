"""What is asked of a hub: which files a model has, and their bytes.

The interface is that of huggingface.co: `/api/models/NAME/revision/REVISION?blobs=true` and
`/NAME/resolve/COMMIT/FILE`, which may redirect to another host.
"""

import os
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

import httpx
import msgspec
import truststore

from dsreview import __version__
from dsreview.errors import DownloadError, UsageError
from dsreview.models.hub_cache import is_plain_name
from dsreview.models.patience import Interrupted
from dsreview.models.revisions import Checksum, RemoteFile, RemoteModel, is_commit

DEFAULT_ENDPOINT: Final = "https://huggingface.co"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_MAX_REDIRECTS: Final = 5
_MAX_LISTING_BYTES: Final = 64 << 20
_TIMEOUT: Final = httpx.Timeout(60, connect=20)
_NOT_FOUND: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.NOT_FOUND})
_LATER: Final = frozenset({httpx.codes.TOO_MANY_REQUESTS, httpx.codes.REQUEST_TIMEOUT})
_FIRST_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Body:
    start: int
    """Byte of the file that comes first: where the hub obeys no range, 0."""
    blocks: Iterator[bytes]


class Hub:
    """One hub, for as long as a download takes."""

    def __init__(self, endpoint: str = DEFAULT_ENDPOINT, token: str = "") -> None:
        """
        Args:
            token: sent to the endpoint alone, never to where it redirects.

        Raises:
            UsageError: the endpoint is no https address, and no loopback one.
        """
        self.endpoint = endpoint.rstrip("/")
        _check_address(self.endpoint)
        headers = {"User-Agent": f"dsreview/{__version__}", "Accept-Encoding": "identity"}
        if token:
            headers["Authorization"] = f"Bearer {token}"  # httpx drops it at another origin
        self._client = httpx.Client(
            headers=headers,
            follow_redirects=True,
            max_redirects=_MAX_REDIRECTS,
            timeout=_TIMEOUT,
            # the certificates that this system trusts, a company's too
            verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            event_hooks={"request": [_check_request]},
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Hub":
        """Raises: UsageError: downloads are switched off, or `HF_ENDPOINT` is no safe address."""
        for switch in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            if environment.get(switch, "").lower() in ("1", "on", "yes", "true"):
                raise UsageError(f"{switch} is set: nothing may be downloaded; unset it for a pull")
        endpoint = environment.get("HF_ENDPOINT") or DEFAULT_ENDPOINT
        return cls(endpoint, environment.get("HF_TOKEN", "").strip())

    def close(self) -> None:
        self._client.close()

    def describe(self, name: str, revision: str) -> RemoteModel:
        """The files of a model at a commit, branch or tag.

        Raises:
            DownloadError: there is none, or the answer makes no sense.
            Interrupted: it may well work later.
        """
        path = f"/api/models/{name}/revision/{quote(revision, safe='')}?blobs=true"
        with self._get(path, f"{name}, revision {revision}", 0) as response:
            content = b"".join(_at_most(response.iter_bytes(), _MAX_LISTING_BYTES, name))
        try:
            listing = msgspec.json.decode(content, type=_Listing)
            files = tuple(map(_remote_file, listing.siblings))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise DownloadError(f"{self.endpoint}: its list of {name}: {error}") from None
        if not is_commit(listing.sha):
            raise DownloadError(f"{self.endpoint}: names no commit for {name}, {revision}")
        return RemoteModel(name, listing.sha, files)

    @contextmanager
    def open(self, model: RemoteModel, file: RemoteFile, start: int) -> Iterator[Body]:
        """The bytes of a file from `start` on.

        Raises:
            DownloadError: the hub has no such file, or will not give it.
            Interrupted: it may well work later; also while the blocks are read.
        """
        path = f"/{model.name}/resolve/{model.revision}/{quote(file.name)}"
        with self._get(path, f"{model.name}: {file.name}", start) as response:
            is_rest = response.status_code == httpx.codes.PARTIAL_CONTENT
            if is_rest and not response.headers.get("Content-Range", "").startswith(
                f"bytes {start}-"
            ):
                raise DownloadError(f"{model.name}: {file.name}: the hub sends another range")
            yield Body(start if is_rest else 0, response.iter_raw())

    @contextmanager
    def _get(self, path: str, what: str, start: int) -> Iterator[httpx.Response]:
        headers = {"Range": f"bytes={start}-"} if start else {}
        try:
            with self._client.stream("GET", self.endpoint + path, headers=headers) as response:
                _check_status(response, what, self.endpoint)
                yield response
        except httpx.TooManyRedirects:
            raise DownloadError(f"{what}: the hub redirects in circles") from None
        except (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError) as error:
            raise Interrupted(str(error) or type(error).__name__) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise DownloadError(f"{what}: {error}") from None


class _Lfs(msgspec.Struct):
    sha256: str
    size: int


class _Sibling(msgspec.Struct, rename={"name": "rfilename", "blob": "blobId"}):
    name: str
    size: int | None = None
    blob: str | None = None
    lfs: _Lfs | None = None


class _Listing(msgspec.Struct):
    sha: str
    siblings: list[_Sibling]


def _remote_file(sibling: _Sibling) -> RemoteFile:
    """Raises: ValueError: no path within a repository, or no checksum."""
    parts = sibling.name.split("/")
    if not all(map(is_plain_name, parts)):
        raise ValueError(f"{sibling.name!r} is no file of a repository")
    if sibling.lfs is not None:
        checksum = Checksum("sha256", sibling.lfs.sha256)
        return RemoteFile(sibling.name, sibling.lfs.size, checksum)
    if sibling.blob is None or sibling.size is None:
        raise ValueError(f"{sibling.name!r} has no checksum")
    return RemoteFile(sibling.name, sibling.size, Checksum("git", sibling.blob))


def _check_status(response: httpx.Response, what: str, endpoint: str) -> None:
    status = response.status_code
    if status in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        return
    if status in _LATER or status >= _FIRST_SERVER_ERROR:
        wait = response.headers.get("Retry-After", "")
        wait_s = float(wait) if wait.isascii() and wait.isdigit() else None
        raise Interrupted(f"the hub answers {status}", wait_s)
    if status == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        raise Interrupted("the hub has no such range", 0)
    if status == httpx.codes.FORBIDDEN:
        advice = "its page there says who may have it; HF_TOKEN is the variable for your token"
        raise DownloadError(f"{what}: {endpoint} does not give it to you; {advice}")
    if status in _NOT_FOUND:
        advice = "a private one needs your token in HF_TOKEN"
        raise DownloadError(f"{what}: not on {endpoint}; {advice}")
    raise DownloadError(f"{what}: {endpoint} answers {status}")


def _check_request(request: httpx.Request) -> None:
    """Also of each redirect."""
    if not _is_safe(request.url):
        raise DownloadError(f"the hub redirects to {request.url.scheme}://{request.url.host}")


def _check_address(endpoint: str) -> None:
    try:
        url = httpx.URL(endpoint)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if not _is_safe(url):
        raise UsageError(f"HF_ENDPOINT: {endpoint} is no https address")


def _is_safe(url: httpx.URL) -> bool:
    return bool(url.host) and (
        url.scheme == "https" or (url.scheme == "http" and url.host in _LOOPBACK)
    )


def _at_most(blocks: Iterator[bytes], limit: int, name: str) -> Iterator[bytes]:
    for block in blocks:
        limit -= len(block)
        if limit < 0:
            raise DownloadError(f"{name}: the hub's list of files does not end")
        yield block
