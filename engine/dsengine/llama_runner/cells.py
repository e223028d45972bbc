"""Which sequences of a context are free, and how many cells there are.

The context grows when more cells are asked for: what is kept moves to a larger one.
"""

from collections import deque
from collections.abc import Callable
from weakref import finalize

from dsengine.llama_runner.library import MAX_SEQUENCES, Context

_BLOCK = 256
"""Cells come in multiples of it, as llama.cpp looks at them."""
_FIRST = 4_096


class Kept:
    """A sequence that stays until nobody refers to it any more."""

    def __init__(self, sequence: int, num_tokens: int) -> None:
        self.sequence = sequence
        self.num_tokens = num_tokens


class Cells:
    """The only owner of the context, which may become another one."""

    def __init__(self, make: Callable[[int], Context], max_cells: int) -> None:
        """
        Args:
            make: a context of so many cells.
            max_cells: beyond which it does not grow.
        """
        self._make = make
        self._max_cells = max_cells
        self._free = list(range(MAX_SEQUENCES - 1, -1, -1))
        self._lengths: dict[int, int] = {}
        """Tokens of sequences that are kept."""
        self._dropped: deque[int] = deque()
        """Nobody refers to them; noted by whatever thread let go last."""
        self._num_running = 0
        self.context = make(min(_FIRST, max_cells))

    def take(self) -> int:
        """A free sequence.

        Raises:
            MemoryError: there is none.
        """
        self._forget_dropped()
        if not self._free:
            raise MemoryError(f"out of memory: {MAX_SEQUENCES} sequences are taken")
        self._num_running += 1
        return self._free.pop()

    def give_back(self, sequence: int) -> None:
        self.context.remove(sequence)
        self._free.append(sequence)
        self._num_running -= 1

    def keep(self, sequence: int, num_tokens: int) -> Kept:
        """Hold what `take` gave until the last reference to it is gone."""
        kept = Kept(sequence, num_tokens)
        self._num_running -= 1
        self._lengths[sequence] = num_tokens
        finalize(kept, self._dropped.append, sequence).atexit = False
        return kept

    def reserve(self, num_cells: int) -> None:
        """Grow until `num_cells` are free beside what is kept, if nothing runs; up to the
        most there may be: then passes say where there is no more room.
        """
        self._forget_dropped()
        needed = num_cells + sum(self._lengths.values())
        wanted = min(-(-needed // _BLOCK) * _BLOCK, self._max_cells)
        if wanted <= self.context.num_cells or self._num_running:
            return
        kept = {sequence: self.context.save(sequence) for sequence in self._lengths}
        self.context.close()  # first: both at once may be more than there is
        self.context = self._larger(min(max(wanted, 2 * self.context.num_cells), self._max_cells))
        for sequence, octets in kept.items():
            self.context.restore(sequence, octets)

    def _larger(self, num_cells: int) -> Context:
        try:
            return self._make(num_cells)
        except MemoryError:
            self._max_cells = self.context.num_cells  # another program took what was free
            return self._make(self._max_cells)

    def _forget_dropped(self) -> None:
        while self._dropped:
            sequence = self._dropped.popleft()
            del self._lengths[sequence]
            self.context.remove(sequence)
            self._free.append(sequence)
