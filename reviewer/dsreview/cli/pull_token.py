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

TOKEN_VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")
"""The first that is set counts."""

_OTHER_CREDENTIALS = frozenset(
    {"GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"}
    | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN"}
)
MIN_TOKEN_LENGTH = 16
"""GitHub's have 40 characters and more."""
MAX_TOKEN_LENGTH = 4_096


def take_token(environment: Mapping[str, str], descriptor: int | None) -> str:
    """The token from `descriptor`, which is closed, or from the environment.

    Raises:
        UsageError: there is none, or it is no token.
    """
    if descriptor is not None:
        return _checked(_read(descriptor), f"--token-fd {descriptor}")
    for name in TOKEN_VARIABLES:
        if environment.get(name):
            return _checked(environment[name], name)
    raise UsageError(f"no token: set {' or '.join(TOKEN_VARIABLES)}, or give --token-fd N")


def without_credentials(environment: Mapping[str, str], token: str) -> dict[str, str]:
    """The environment without the token, under whatever name, and without its like."""
    known = {*TOKEN_VARIABLES, *_OTHER_CREDENTIALS}
    return {
        name: text
        for name, text in environment.items()
        if name not in known and not _tells(text, token)
    }


def _tells(text: str, token: str) -> bool:
    """A short token, as of tests, stands in many a word."""
    return text == token or (len(token) >= MIN_TOKEN_LENGTH and token in text)


def start_anew(environment: Mapping[str, str], *options: str) -> NoReturn:
    """Run the same command in this process's place, with more options behind."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    arguments = [sys.executable, *sys.orig_argv[1:], *options]
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
