"""The token of GitHub: taken once, and from then on in no environment of ours.

A process that was started with a token in its environment shows it as long as it lives:
taking a variable away does not clear the memory that the system gave it. So the command
gives the token to the poster through a pipe and starts itself anew, without it.
"""

import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from dsreview.errors import UsageError
from dsreview.outputs.github_pr.client import GITHUB
from dsreview.sources.pull_target import web_host

TOKEN_VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")
"""The first that is set counts. Of the server whose run this is; outside Actions, of the
public one."""
ENTERPRISE_VARIABLES = ("GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")
"""Of any other server, as for the command `gh`."""
SERVER_VARIABLES = ("GITHUB_SERVER_URL", "GITHUB_API_URL")

_OTHER_CREDENTIALS = frozenset({"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN"})
MIN_TOKEN_LENGTH = 16
"""GitHub's have 40 characters and more."""
MAX_TOKEN_LENGTH = 4_096


def take_token(environment: Mapping[str, str], descriptor: int | None, address: str) -> str:
    """The token from `descriptor`, which is closed, or from the environment.

    Args:
        address: of the API that it is sent to; a variable that is of another server is none.

    Raises:
        UsageError: there is none, or it is no token.
    """
    if descriptor is not None:
        return _checked(_read(descriptor), f"--token-fd {descriptor}")
    names = _variables_of(web_host(address), environment)
    for name in names:
        if environment.get(name):
            return _checked(environment[name], name)
    raise UsageError(
        f"no token for {web_host(address)}: set {' or '.join(names)}, or give --token-fd N"
    )


def _variables_of(host: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Those that hold a token of `host`, the first one first.

    >>> _variables_of("github.com", {})
    ('GITHUB_TOKEN', 'GH_TOKEN')
    >>> _variables_of("ghe.example", {})
    ('GH_ENTERPRISE_TOKEN', 'GITHUB_ENTERPRISE_TOKEN')
    """
    public = web_host(GITHUB)
    told = {web_host(environment[name]) for name in SERVER_VARIABLES if environment.get(name)}
    of_enterprise = () if host == public else ENTERPRISE_VARIABLES
    return of_enterprise + (TOKEN_VARIABLES if host in (told or {public}) else ())


def without_credentials(environment: Mapping[str, str], token: str) -> dict[str, str]:
    """The environment without the token, under whatever name, and without its like."""
    known = {*TOKEN_VARIABLES, *ENTERPRISE_VARIABLES, *_OTHER_CREDENTIALS}
    return {
        name: text
        for name, text in environment.items()
        if name not in known and not _tells(text, token)
    }


def _tells(text: str, token: str) -> bool:
    """A short token, as of tests, stands in many a word."""
    return text == token or (len(token) >= MIN_TOKEN_LENGTH and token in text)


def start_anew(environment: Mapping[str, str], command: str, *options: str) -> NoReturn:
    """Run the same command in this process's place, with more options, the first of all.

    Args:
        command: its name, the first of its arguments; what stands behind a `--` is no option.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    num_given = len(sys.argv) - 1
    python, given = sys.orig_argv[1:-num_given], sys.orig_argv[-num_given:]
    at = given.index(command) + 1
    arguments = [sys.executable, *python, *given[:at], *options, *given[at:]]
    os.execve(sys.executable, arguments, dict(environment))  # noqa: S606  (that is the point)


def _read(descriptor: int) -> str:
    try:
        with open(descriptor, "rb") as file:
            return file.read(MAX_TOKEN_LENGTH + 1).decode("ascii", "replace")
    except OSError as error:
        raise UsageError(f"--token-fd {descriptor}: {error.strerror}") from None


def _checked(text: str, source: str) -> str:
    token = text.strip()
    is_sound = token.isascii() and token.isprintable() and " " not in token
    if not token or not is_sound or len(token) > MAX_TOKEN_LENGTH:
        raise UsageError(f"{source}: holds no token")
    return token
