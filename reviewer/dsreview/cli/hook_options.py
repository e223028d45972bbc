"""The options of `dsreview hook run` that teams give it, read without typer.

typer takes longer to import than a hook with nothing to do may take in all. The command
that it offers is made of the same table.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HookOption:
    name: str
    """Of the command's parameter, and of the field of `Config`."""
    flag: str
    metavar: str | None
    """Of its value; None for a switch."""
    help: str


MODE = HookOption("mode", "--mode", "MODE", "warn, block or background.")
DEADLINE = HookOption("deadline_s", "--deadline", "TIME", "Let git go on after, say, 20s.")
STRICT = HookOption("strict", "--strict", None, "Stop git also where the review failed.")
FINISH = HookOption(
    "finish", "--finish", None, "What is not done by then goes on in the background."
)
FAIL_ON = HookOption(
    "fail_on", "--fail-on", "SEVERITY", "Mildest finding that makes the exit code 1."
)
HOOK_OPTIONS = {one.flag: one for one in (MODE, DEADLINE, STRICT, FINISH, FAIL_ON)}


@dataclass(frozen=True, slots=True)
class HookWords:
    """What the command was given, as typer would read it."""

    name: str
    arguments: tuple[str, ...]
    options: dict[str, str | bool]


def read_words(words: Sequence[str]) -> HookWords | None:
    """None for words that only typer knows, or that are wrong."""
    operands: list[str] = []
    options: dict[str, str | bool] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            operands.append(word)
            continue
        flag, equals, value = word.partition("=")
        option = HOOK_OPTIONS.get(flag)
        if option is None or (equals and option.metavar is None):
            return None
        if option.metavar is None:
            options[option.name] = True
            continue
        text = value if equals else next(rest, "")
        if not text or text.startswith("-"):
            return None
        options[option.name] = text
    return HookWords("".join(operands[:1]), tuple(operands[1:]), options)
