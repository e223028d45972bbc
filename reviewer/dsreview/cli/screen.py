"""A terminal to talk with a person at: text out, single keys and lines in."""

import os
import re
import signal
import sys
import termios
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from dsreview.errors import UsageError
from dsreview.outputs import CodeView, view_for

_END = "\x04"
"""Ctrl-D, where the terminal does not turn it into an end of input."""
_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)
"""What arrows and function keys send."""
_MAX_KEY_BYTES = 64
_MAX_LINE_BYTES = 1 << 14
"""More than any terminal gives as one line."""


class Screen:
    """Both streams are of one terminal; `view` says how wide and coloured to write."""

    def __init__(self, reader: TextIO, writer: TextIO, environment: Mapping[str, str]) -> None:
        self._reader = reader
        self._writer = writer
        self._environment = environment

    def view(self) -> CodeView:
        """Asked for again each time: windows change their width."""
        return view_for(self._writer, self._environment, CodeView().head)

    def write(self, text: str) -> None:
        """Write text that came through `outputs`, or is our own."""
        self._writer.write(text)
        self._writer.flush()

    def ask_key(self, question: str, allowed: str) -> str:
        """The answer by one of the keys `allowed`, without Enter; others are passed over.

        What was typed before the question was shown does not count as an answer.

        Raises:
            EOFError: Ctrl-D, or the terminal is gone.
            KeyboardInterrupt: Ctrl-C.
        """
        fd = self._reader.fileno()
        try:
            with _single_keys(fd):
                termios.tcflush(fd, termios.TCIFLUSH)
                self.write(question)
                key = _wait_for(fd, allowed)
        except (termios.error, OSError):
            raise EOFError from None
        self.write(f"{key}\n")
        return key

    def ask_line(self, question: str) -> str:
        """A line as typed, with the terminal's own editing.

        Raises:
            EOFError: Ctrl-D on an empty line.
            KeyboardInterrupt: Ctrl-C.
        """
        self.write(question)
        try:
            typed = os.read(self._reader.fileno(), _MAX_LINE_BYTES)
        except OSError:
            raise EOFError from None
        if not typed:
            raise EOFError
        return typed.decode("utf-8", "replace").rstrip("\n")


def standard_screen() -> Screen:
    """The terminal at standard input and output.

    Raises:
        UsageError: one of them is none.
    """
    if sys.stdin is None or not sys.stdin.isatty() or not sys.stdout.isatty():
        raise UsageError("--interactive needs a terminal at standard input and output")
    return Screen(sys.stdin, sys.stdout, os.environ)


@contextmanager
def attached_screen() -> Iterator[Screen | None]:
    """The terminal of the process, whatever its streams are; None where it has none.

    git gives hooks no standard input. Where standard error is elsewhere as well, a program
    that draws on the whole terminal reads it, and would be drawn over.
    """
    if not sys.stderr.isatty():
        yield None
        return
    try:
        # two files: a terminal cannot be sought, which one file for both would want
        reader = Path("/dev/tty").open(encoding="utf-8")  # noqa: SIM115
    except OSError:
        yield None
        return
    with (
        reader,
        Path("/dev/tty").open("w", encoding="utf-8", errors="backslashreplace") as writer,
    ):
        # reading in the background would stop the process
        is_ours = os.tcgetpgrp(reader.fileno()) == os.getpgrp()
        yield Screen(reader, writer, os.environ) if is_ours else None


def _wait_for(fd: int, allowed: str) -> str:
    while True:
        typed = os.read(fd, _MAX_KEY_BYTES)
        if not typed:
            raise EOFError
        for character in _SEQUENCE.sub("", typed.decode("utf-8", "replace")).lower():
            if character == _END:
                raise EOFError
            if character in allowed:
                return character


@contextmanager
def _single_keys(fd: int) -> Iterator[None]:
    """Keys come without Enter and are not shown; Ctrl-C and Ctrl-Z work as ever."""
    before = termios.tcgetattr(fd)
    single = termios.tcgetattr(fd)
    single[3] &= ~(termios.ICANON | termios.ECHO)

    def set_again(_number: int, _frame: object) -> None:
        termios.tcsetattr(fd, termios.TCSADRAIN, single)

    previous = signal.signal(signal.SIGCONT, set_again)  # the shell has set its own meanwhile
    termios.tcsetattr(fd, termios.TCSADRAIN, single)
    try:
        yield
    finally:
        signal.signal(signal.SIGCONT, previous)
        with suppress(termios.error):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)
