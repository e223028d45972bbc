"""An answer's text while it is being written."""

from collections.abc import Callable, Sequence

from dsengine.tokenizer import Tokenizer

OnText = Callable[[int, int, str], None]
"""Told the index of a prompt, how many characters of its answer were told before, and the
next ones."""

_INCOMPLETE = "\ufffd"
"""What the first bytes of a character decode to, before the others are there."""


class TextStream:
    """Tells the text of one answer in pieces that never change afterwards."""

    def __init__(self, tokenizer: Tokenizer, number: int, tell: OnText) -> None:
        self._tokenizer = tokenizer
        self._number = number
        self._tell = tell
        self._told = ""

    def take(self, ids: Sequence[int]) -> None:
        """`ids` are all tokens of the answer so far."""
        text = self._tokenizer.decode(ids).rstrip(_INCOMPLETE)
        if len(text) > len(self._told) and text.startswith(self._told):
            self._tell(self._number, len(self._told), text[len(self._told) :])
            self._told = text
