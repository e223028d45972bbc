"""What rows are likely to say next: drafted, then verified in one pass.

A drafted token is kept only where it is the very token that would have been drawn in its
place, so drafts change the speed of an answer and never its tokens. B rows.

Source: Yang et al., "Inference with Reference: Lossless Acceleration of Large Language
Models", 2023; Leviathan et al., "Fast Inference from Transformers via Speculative Decoding",
2023.
"""

from array import array
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from dsengine.pace import Pace
from dsengine.sequence import TOKEN_BYTES, token_bytes
from dsengine.sequence import Sequence as Row

FORCED = "forced"
"""Text that the grammar leaves no choice about."""
LOOKUP = "lookup"
"""What stood behind the same last tokens before: in the prompt, in this answer or in one of
the latest ones."""
SOURCES = (FORCED, LOOKUP)

_LONGEST = 16
"""Tokens of a draft."""
_ALIKE = (4, 2)
"""Last tokens that must have stood there before; the longer match is tried first."""
_KEPT_ANSWERS = 4_096
"""Tokens of earlier answers that are searched."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Tokens that may follow the last one drawn."""

    tokens: tuple[int, ...]
    kind: str
    """Drafts of one kind hold equally often."""

    def cut(self, num_tokens: int) -> "Draft":
        return Draft(self.tokens[:num_tokens], self.kind)


NO_DRAFT = Draft((), "none")


class Drafter:
    """Drafts for the rows of one model."""

    def __init__(self, sources: Collection[str]) -> None:
        """Args: sources: of `SOURCES`; none drafts nothing."""
        unknown = set(sources) - set(SOURCES)
        if unknown:
            raise ValueError(f"drafts {sorted(unknown)} are none of: {', '.join(SOURCES)}")
        self._sources = frozenset(sources)
        self._answers = bytearray()
        self.pace = Pace()

    def propose(self, rows: Sequence[Row]) -> list[Draft]:
        """The likeliest draft of each row, however long; most rows have none."""
        return [self._best(row) if self._sources else NO_DRAFT for row in rows]

    def choose(self, proposed: Sequence[Draft], is_ragged: bool) -> list[Draft]:
        """As much of each as pays, by what passes were measured to cost.

        Args:
            is_ragged: a pass costs by its tokens, not by rows times the longest of them.
        """
        if not any(draft.tokens for draft in proposed):
            return [NO_DRAFT] * len(proposed)
        chances = [self.pace.chances(draft.kind, len(draft.tokens)) for draft in proposed]
        lengths = self.pace.lengths(chances, is_ragged)
        return [draft.cut(length) for draft, length in zip(proposed, lengths, strict=True)]

    def learn(self, proposed: Draft, num_passed: int, drawn: Sequence[int]) -> None:
        """What a row said in the place of its draft, of which `num_passed` tokens were passed.

        A draft that was not passed is compared as well, or it would never be tried again.
        """
        num_seen = min(max(num_passed, 1), len(proposed.tokens))
        num_held = 0
        for token, said in zip(proposed.tokens[:num_seen], drawn, strict=False):
            if token != said:
                break
            num_held += 1
        if num_seen:
            self.pace.learn_draft(proposed.kind, num_held, min(num_held + 1, num_seen))

    def remember(self, answer: Sequence[int]) -> None:
        """Answers resemble each other: layout, names of rules, turns of phrase."""
        if LOOKUP in self._sources:
            self._answers += token_bytes(answer)
            del self._answers[: -_KEPT_ANSWERS * TOKEN_BYTES]

    def _best(self, row: Row) -> Draft:
        limit = min(_LONGEST, row.room - 1)
        if limit < 1 or not row.takes_drafts:
            return NO_DRAFT
        best, most = NO_DRAFT, 0.0
        for draft in self._drafts(row, limit):
            num_valid = row.count_valid(draft.tokens)
            expected = sum(self.pace.chances(draft.kind, num_valid))
            if expected > most:
                best, most = draft.cut(num_valid), expected
        return best

    def _drafts(self, row: Row, limit: int) -> Iterator[Draft]:
        if FORCED in self._sources:
            yield Draft(tuple(row.forced_tokens()[:limit]), FORCED)
        if LOOKUP not in self._sources:
            return
        context = row.context
        for num_alike in _ALIKE:
            last = bytes(context[-num_alike * TOKEN_BYTES :])
            for number, text in enumerate((context, self._answers)):
                found = _behind(text, last, limit)
                if found:
                    yield Draft(found, f"{LOOKUP} {num_alike} {number}")


def _behind(text: bytearray, last: bytes, limit: int) -> tuple[int, ...]:
    """Up to `limit` tokens behind the latest place where the tokens `last` stood before."""
    end = len(text) - TOKEN_BYTES  # at least one token stands behind
    while (place := text.rfind(last, 0, max(end, 0))) >= 0:
        if place % TOKEN_BYTES == 0:
            start = place + len(last)
            return tuple(array("I", bytes(text[start : start + limit * TOKEN_BYTES])))
        end = place + len(last) - 1
    return ()
