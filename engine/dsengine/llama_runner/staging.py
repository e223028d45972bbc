"""Where prompts of a batch are computed, a few at a time, before they join it.

A pass of llama.cpp looks at all cells up to the last one in use, those of other rows
included: beside a full batch a prompt would cost several times its own attention. Here it
stands with its prefix alone; its keys and values then move to the batch's cells, which costs
a copy.
"""

from collections.abc import Callable, Sequence

from dsengine.llama_runner.library import PASS_TOKENS, Context

_PREFIX = 0
"""The sequence of the prefix; those of prompts follow."""


class Staging:
    """A context of its own, made when it is first needed, as large as it must be."""

    def __init__(self, make: Callable[[int], Context]) -> None:
        self._make = make
        self._context: Context | None = None
        self._prefix: tuple[int, ...] = ()
        self._num_prompts = 0

    @property
    def context(self) -> Context:
        assert self._context is not None
        return self._context

    def begin(
        self, prefix: Sequence[int], source: Context, kept: int | None, lengths: Sequence[int]
    ) -> list[int]:
        """Sequences that begin with `prefix`, for prompts of `lengths` behind it.

        Args:
            kept: the sequence of `source` that begins with `prefix`, if it has tokens.
        """
        num_cells = len(prefix) + max(sum(lengths), PASS_TOKENS)
        if self._context is None or self._context.num_cells < num_cells:
            if self._context is not None:
                self._context.close()
            self._context, self._prefix, self._num_prompts = self._make(num_cells), (), 0
        for number in range(1, self._num_prompts + 1):
            self._context.remove(number)
        if self._prefix != tuple(prefix):
            self._context.remove(_PREFIX)
            self._prefix = ()
            if kept is not None:
                self._take_over(source, kept, prefix)
        self._num_prompts = len(lengths)
        sequences = list(range(1, self._num_prompts + 1))
        for sequence in sequences:
            self._context.copy(_PREFIX, sequence, len(prefix))
        return sequences

    def _take_over(self, source: Context, kept: int, prefix: Sequence[int]) -> None:
        scratch = self.context
        scratch.restore(_PREFIX, source.save(kept))
        scratch.remove(_PREFIX, len(prefix))  # what is kept may be longer
        self._prefix = tuple(prefix)

    def move(self, sequence: int, target: Context, row: int) -> None:
        """What `sequence` has behind the prefix becomes all that `row` of `target` has.

        Raises:
            MemoryError: `target` has not enough free cells.
        """
        self.context.remove(sequence, 0, len(self._prefix))
        target.restore(row, self.context.save(sequence))
        self.context.remove(sequence)
