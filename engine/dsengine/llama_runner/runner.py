"""Passes of llama.cpp over a batch. B rows, Q new tokens, V vocabulary.

Each row is a sequence of one context; its beginning is the prefix's own cells, which the
library shares between sequences. Tokens of different rows go through one pass, without
padding. Prompts are computed apart (`staging`) before they run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from dsengine.llama_runner.cells import Cells, Kept
from dsengine.llama_runner.library import PASS_TOKENS
from dsengine.llama_runner.staging import Staging


@dataclass(frozen=True, slots=True)
class CellPrefix:
    """Tokens that several prompts begin with, computed once."""

    ids: tuple[int, ...]
    kept: Kept | None
    """None of no tokens. Holds more than `ids` where this is a part of a longer one."""
    bytes_per_token: int

    @property
    def size_bytes(self) -> int:
        return len(self.ids) * self.bytes_per_token

    def cut(self, num_tokens: int) -> "CellPrefix":
        kept = self.kept if num_tokens else None
        return CellPrefix(self.ids[:num_tokens], kept, self.bytes_per_token)


@dataclass(slots=True)
class Group:
    """Prompts that are computed together."""

    tokens: list[tuple[int, int, int, bool]]
    """Id, position, place of its prompt in the entry, and whether it is the last one there."""
    rows: list[int]
    """Places in the entry."""

    @property
    def lengths(self) -> list[int]:
        return [sum(token[2] == row for token in self.tokens) for row in self.rows]


@dataclass(slots=True)
class Entry:
    """Prompts on their way into a batch."""

    groups: list[Group]
    lengths: list[int]
    """Own tokens of each prompt."""
    sequences: list[int]
    """Of each prompt in the batch's cells."""
    is_staged: bool
    staged: dict[int, int] = field(default_factory=dict)
    """Sequences of the first group's prompts while they are computed, by place."""
    num_passed: int = 0
    """Tokens of the first group that went through."""
    logits: list[Tensor] = field(default_factory=list)
    """Of each prompt that is through, float32 (V,)."""


class CellBatch:
    """Rows in flight; those that run are the first ones."""

    device = torch.device("cpu")

    def __init__(self, cells: Cells, prefix: CellPrefix, num_rows: int) -> None:
        self._cells = cells
        self.prefix = prefix
        self.num_rows = num_rows
        self.num_tokens: list[int] = []
        self.sequences: list[int] = []
        """Of each running row."""
        self.entry: Entry | None = None

    @property
    def room(self) -> int:
        return self.num_rows - len(self.num_tokens)

    @property
    def next_positions(self) -> list[int]:
        """Of each running row's next token."""
        return [len(self.prefix.ids) + count for count in self.num_tokens]

    def leave(self, row: int) -> int:
        last = len(self.num_tokens) - 1
        self._cells.give_back(self.sequences[row])
        self.sequences[row] = self.sequences[last]
        self.num_tokens[row] = self.num_tokens[last]
        self.sequences.pop()
        self.num_tokens.pop()
        return last

    def drop_entry(self) -> None:
        """Whoever was about to enter does not."""
        for sequence in self.entry.sequences if self.entry else ():
            self._cells.give_back(sequence)
        self.entry = None

    def close(self) -> None:
        self.drop_entry()
        for sequence in self.sequences:
            self._cells.give_back(sequence)
        self.sequences, self.num_tokens = [], []


@dataclass(frozen=True, slots=True)
class LlamaFacts:
    """What a loaded file is, for people and for the scheduler."""

    device_name: str
    dtype_name: str
    window: int
    vocab_size: int
    bytes_per_token: int
    versions: tuple[str, ...]


class LlamaRunner:
    """A GGUF file; see `dsengine.runner.Runner`."""

    is_ragged = True

    def __init__(
        self, cells: Cells, staging: Staging, facts: LlamaFacts, free_memory: Callable[[], int]
    ) -> None:
        self._cells = cells
        self._staging = staging
        self.device_name = facts.device_name
        self.dtype_name = facts.dtype_name
        self.window = facts.window
        self.vocab_size = facts.vocab_size
        self.bytes_per_token = facts.bytes_per_token
        self.versions = facts.versions
        self.empty_prefix = CellPrefix((), None, facts.bytes_per_token)
        self.free_memory = free_memory

    def release_memory(self) -> None:
        """Cells are free as soon as no sequence has them."""

    def compute_prefix(
        self, ids: Sequence[int], known: CellPrefix, is_over: Callable[[], bool]
    ) -> CellPrefix | None:
        rest = list(ids[len(known.ids) :])
        self._cells.reserve(len(rest))
        sequence = self._begin(known)
        try:
            for start in range(0, len(rest), PASS_TOKENS):
                if is_over():
                    self._cells.give_back(sequence)
                    return None
                part = rest[start : start + PASS_TOKENS]
                first = len(known.ids) + start
                self._cells.context.decode(
                    part,
                    range(first, first + len(part)),
                    [sequence] * len(part),
                    [False] * len(part),
                )
        except BaseException:
            self._cells.give_back(sequence)
            raise
        return CellPrefix(tuple(ids), self._cells.keep(sequence, len(ids)), self.bytes_per_token)

    def start(self, prefix: CellPrefix, num_rows: int, num_slots: int) -> CellBatch:
        self._cells.reserve(num_rows * num_slots)
        return CellBatch(self._cells, prefix, num_rows)

    def enter(self, batch: CellBatch, rows: Sequence[Sequence[int]]) -> Entry:
        batch.drop_entry()
        is_staged = batch.num_rows > 1
        groups = _groups(rows, len(batch.prefix.ids))
        batch.entry = Entry(groups, [len(row) for row in rows], [], is_staged)
        for _ in rows:
            sequence = self._cells.take() if is_staged else self._begin(batch.prefix)
            batch.entry.sequences.append(sequence)
        return batch.entry

    def advance(self, batch: CellBatch, entry: Entry) -> Tensor | None:
        """Short prompts go through together, long ones in parts."""
        group = entry.groups[0]
        if entry.is_staged and not entry.num_passed:
            kept = batch.prefix.kept
            begun = self._staging.begin(
                batch.prefix.ids,
                self._cells.context,
                kept.sequence if kept else None,
                group.lengths,
            )
            entry.staged = dict(zip(group.rows, begun, strict=True))
        context = self._staging.context if entry.is_staged else self._cells.context
        sequences = entry.staged if entry.is_staged else dict(enumerate(entry.sequences))
        part = group.tokens[entry.num_passed : entry.num_passed + PASS_TOKENS]
        ids, positions, places, wanted = zip(*part, strict=True)
        logits = context.decode(ids, positions, [sequences[one] for one in places], wanted)
        entry.logits += torch.from_numpy(logits).clone().unbind()
        entry.num_passed += len(part)
        if entry.num_passed == len(group.tokens):
            self._settle(batch, entry)
        return None if entry.groups else self._let_run(batch, entry)

    def _settle(self, batch: CellBatch, entry: Entry) -> None:
        """The first group is computed: its prompts stand in the batch's cells from now on."""
        for place, staged in entry.staged.items():
            sequence = entry.sequences[place]
            self._staging.move(staged, self._cells.context, sequence)
            if batch.prefix.kept is not None:
                kept = batch.prefix.kept.sequence
                self._cells.context.copy(kept, sequence, len(batch.prefix.ids))
        entry.groups.pop(0)
        entry.staged, entry.num_passed = {}, 0

    def _let_run(self, batch: CellBatch, entry: Entry) -> Tensor:
        batch.sequences += entry.sequences
        batch.num_tokens += entry.lengths
        batch.entry = None
        return torch.stack(entry.logits)

    def step(self, batch: CellBatch, tokens: Tensor) -> Tensor:
        return self.extend(batch, tokens.unsqueeze(-1).tolist())[:, 0]

    def extend(self, batch: CellBatch, rows: Sequence[Sequence[int]]) -> Tensor:
        firsts = batch.next_positions
        tokens = [
            (id_, first + place, sequence, True)
            for row, first, sequence in zip(rows, firsts, batch.sequences, strict=True)
            for place, id_ in enumerate(row)
        ]
        parts = []
        for start in range(0, len(tokens), PASS_TOKENS):
            columns = zip(*tokens[start : start + PASS_TOKENS], strict=True)
            parts.append(torch.from_numpy(self._cells.context.decode(*columns)).clone())
        batch.num_tokens = [
            count + len(row) for count, row in zip(batch.num_tokens, rows, strict=True)
        ]
        logits = torch.cat(parts) if len(parts) > 1 else parts[0]
        width = max(len(row) for row in rows)
        if len(rows) * width == len(tokens):
            return logits.reshape(len(rows), width, -1)
        by_row = logits.split_with_sizes([len(row) for row in rows])
        return torch.nn.utils.rnn.pad_sequence(list(by_row), batch_first=True)

    def forget(self, batch: CellBatch, row: int, num_tokens: int) -> None:
        batch.num_tokens[row] -= num_tokens
        self._cells.context.remove(batch.sequences[row], batch.next_positions[row])

    def _begin(self, prefix: CellPrefix) -> int:
        """A sequence that begins with the cells of `prefix`."""
        sequence = self._cells.take()
        if prefix.kept is not None:
            self._cells.context.copy(prefix.kept.sequence, sequence, len(prefix.ids))
        return sequence


def _groups(rows: Sequence[Sequence[int]], first: int) -> list[Group]:
    """Neighbours share a group as long as they fill one pass at most.

    Args:
        first: position of each row's first token.
    """
    groups: list[Group] = []
    for place, row in enumerate(rows):
        tokens = [
            (id_, position, place, position == first + len(row) - 1)
            for position, id_ in enumerate(row, start=first)
        ]
        if groups and len(groups[-1].tokens) + len(row) <= PASS_TOKENS:
            groups[-1].tokens += tokens
            groups[-1].rows.append(place)
        else:
            groups.append(Group(tokens, [place]))
    return groups
