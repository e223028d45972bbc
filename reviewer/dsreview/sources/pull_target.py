"""Which pull request is meant, and at which address GitHub is asked about it."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from dsreview.errors import UsageError
from dsreview.outputs.github_pr.client import GITHUB, PullAddress, checked_base_url

HOW_TO_NAME_ONE = "use OWNER/REPO#N or the address of the pull request"

_PULL = r"(?P<owner>[^/\s#]+)/(?P<name>[^/\s#]+){}(?P<number>[1-9][0-9]{{0,9}})"
_SHORT = re.compile(_PULL.format("#"), re.ASCII)
_LONG = re.compile(rf"https?://(?P<host>[^/\s@]+)/{_PULL.format('/pull/')}(?:[/?#]\S*)?", re.ASCII)


def read_target(text: str, address: str) -> PullAddress:
    """`OWNER/REPO#N`, or the address of a pull request on the host of `address`.

    Raises:
        UsageError: it is neither; or it is on another host, which must not get the token.
    """
    match = _SHORT.fullmatch(text) or _LONG.fullmatch(text)
    if match is None:
        raise UsageError(f"{text}: no pull request; {HOW_TO_NAME_ONE}")
    host = match.groupdict().get("host", "").lower()
    if host and host not in (web_host(address), urlsplit(address).netloc.lower()):
        raise UsageError(
            f"{text}: the token is sent to {web_host(address)} alone; "
            f"--base-url https://{host}/api/v3 would send it there"
        )
    return PullAddress(match["owner"], match["name"], int(match["number"]))


def read_address(given: str, environment: Mapping[str, str]) -> str:
    """Where GitHub's API is: `--base-url`, else what Actions says, else the public one.

    Raises:
        UsageError: it is no address, or one that would send the token unencrypted.
    """
    return checked_base_url(given or environment.get("GITHUB_API_URL", "") or GITHUB)


def web_host(address: str) -> str:
    """The host of the pages, of whose API `address` is the address.

    >>> web_host("https://api.github.com"), web_host("https://ghe.example:8443/api/v3")
    ('github.com', 'ghe.example:8443')
    """
    return urlsplit(address).netloc.lower().removeprefix("api.")
