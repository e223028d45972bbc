"""Which pull request is meant, and at which address GitHub is asked about it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from dsreview.errors import UsageError

PUBLIC_ADDRESS = "https://api.github.com"
PUBLIC_HOST = "github.com"
HOW_TO_NAME_ONE = "use OWNER/REPO#N or the address of the pull request"

_OWNER = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}"
_NAME = r"(?!\.\.?[#/])[A-Za-z0-9_.-]{1,100}"
_SHORT = re.compile(rf"(?P<owner>{_OWNER})/(?P<name>{_NAME})#(?P<number>[1-9][0-9]{{0,9}})")
_LONG = re.compile(
    rf"https?://(?P<host>[A-Za-z0-9.-]+(?::[0-9]+)?)/(?P<owner>{_OWNER})/(?P<name>{_NAME})"
    r"/pull/(?P<number>[1-9][0-9]{0,9})(?:[/?#].*)?"
)


@dataclass(frozen=True, slots=True)
class PullTarget:
    """The only pull request that a run reads and writes; fixed before it reads any text of it."""

    owner: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}#{self.number}"

    @property
    def is_wellformed(self) -> bool:
        return _SHORT.fullmatch(str(self)) is not None


def read_target(text: str, address: str) -> PullTarget:
    """`OWNER/REPO#N`, or the address of a pull request on the host of `address`.

    Raises:
        UsageError: it is neither; or it is on another host, which must not get the token.
    """
    match = _SHORT.fullmatch(text)
    if match is None:
        match = _LONG.fullmatch(text)
        if match is None:
            raise UsageError(f"{text}: no pull request; {HOW_TO_NAME_ONE}")
        host = match["host"].lower()
        if host not in (web_host(address), urlsplit(address).netloc.lower()):
            raise UsageError(
                f"{text}: the token is sent to {web_host(address)} alone; "
                f"--base-url https://{host}/api/v3 would send it there"
            )
    return PullTarget(match["owner"], match["name"], int(match["number"]))


def read_address(given: str, environment: Mapping[str, str]) -> str:
    """Where GitHub's API is: `--base-url`, else what Actions says, else the public one.

    Raises:
        UsageError: it is no address, or one that would send the token unencrypted.
    """
    address = (given or environment.get("GITHUB_API_URL", "") or PUBLIC_ADDRESS).rstrip("/")
    try:
        parts = urlsplit(address)
        host = parts.hostname
        has_sense = parts.port != 0
    except ValueError:
        host, has_sense = None, False
    is_plain = has_sense and not (parts.username or parts.query or parts.fragment)
    if host is None or not is_plain or parts.scheme not in ("http", "https"):
        raise UsageError(f"--base-url {address}; use an address like https://HOST/api/v3")
    if parts.scheme == "http" and not _is_loopback(host):
        raise UsageError(f"--base-url {address}: the token would travel unencrypted; use https")
    return address


def web_host(address: str) -> str:
    """The host of the pages, of whose API `address` is the address.

    >>> web_host("https://api.github.com"), web_host("https://ghe.example:8443/api/v3")
    ('github.com', 'ghe.example:8443')
    """
    return urlsplit(address).netloc.lower().removeprefix("api.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
