"""Forward passes over a batch. B sequences, Q new slots, S slots in all, V vocabulary.

Rows are padded on the left, so their last tokens stand in one slot. A padded slot sees
itself alone (a row of nothing but masks would be NaN) and no token ever sees it; positions
count a row's own tokens.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dsengine.cache import EMPTY_PREFIX, BatchCache, Prefix
from dsengine.network import Network

_PREFILL_SLOTS = 512  # a pass; bounds the memory of scores and the wait for a deadline


class Batch:
    """Rows in flight: their cache, which slots are real, and their next positions."""

    def __init__(self, prefix: Prefix, num_rows: int, device: torch.device) -> None:
        self.cache = BatchCache(prefix, num_rows)
        self.is_real = torch.ones(num_rows, len(prefix.ids), dtype=torch.bool, device=device)
        self.positions = torch.full((num_rows,), len(prefix.ids), device=device)  # int64 (B,)

    def keep(self, rows: Sequence[int]) -> None:
        self.cache.keep(rows)
        index = torch.tensor(rows, device=self.positions.device)
        self.is_real = self.is_real[index]
        self.positions = self.positions[index]


class Runner:
    def __init__(self, network: Network) -> None:
        self._network = network

    def compute_prefix(
        self, ids: Sequence[int], known: Prefix, is_over: Callable[[], bool]
    ) -> Prefix | None:
        """Keys and values of `ids`, from those of `known`, with which it begins.

        Returns:
            None if `is_over` said so between two passes.
        """
        batch = Batch(known, 1, self._network.device)
        if self.prefill(batch, [list(ids[len(known.ids) :])], is_over) is None:
            return None
        return batch.cache.as_prefix(ids)

    def start(self, prefix: Prefix | None, num_rows: int) -> Batch:
        return Batch(prefix or EMPTY_PREFIX, num_rows, self._network.device)

    def prefill(
        self, batch: Batch, rows: Sequence[Sequence[int]], is_over: Callable[[], bool]
    ) -> Tensor | None:
        """Compute the rest of each prompt, at least one token a row.

        Returns:
            float (B, V), logits of the next token; None if `is_over` said so.
        """
        width = max(len(row) for row in rows)
        ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])
        is_real = torch.tensor([[False] * (width - len(row)) + [True] * len(row) for row in rows])
        logits = None
        for start in range(0, width, _PREFILL_SLOTS):
            if is_over():
                return None
            stop = start + _PREFILL_SLOTS
            logits = self._forward(batch, ids[:, start:stop], is_real[:, start:stop])
        return logits

    def step(self, batch: Batch, tokens: Sequence[int]) -> Tensor:
        """Append one token to each row.

        Returns:
            float (B, V), logits of the token after it.
        """
        ids = torch.tensor(tokens).unsqueeze(-1)
        return self._forward(batch, ids, torch.ones_like(ids, dtype=torch.bool))

    @torch.inference_mode()
    def _forward(self, batch: Batch, ids: Tensor, is_real: Tensor) -> Tensor:
        """Pass `ids` (B, Q) through the network; `is_real` (B, Q) is False for padding."""
        device = self._network.device
        is_real = is_real.to(device)
        counts = is_real.cumsum(dim=-1)  # (B, Q)
        positions = (batch.positions.unsqueeze(-1) + counts - 1).clamp_min(0)
        batch.is_real = torch.cat([batch.is_real, is_real], dim=-1)
        batch.positions = batch.positions + counts[:, -1]
        output = self._network.module(
            input_ids=ids.to(device),
            attention_mask=self._mask(batch.is_real, ids.shape[-1]),
            position_ids=positions,
            past_key_values=batch.cache.states,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1].float()
        return logits

    def _mask(self, is_real: Tensor, num_queries: int) -> Tensor:
        """What is added to the scores, (B, 1, Q, S): 0 where a query may look."""
        slots = torch.arange(is_real.shape[-1], device=is_real.device)
        queries = slots[-num_queries:].unsqueeze(-1)  # (Q, 1)
        may_look = is_real.unsqueeze(1) & (slots <= queries) | (slots == queries)  # (B, Q, S)
        mask = torch.zeros(may_look.shape, dtype=self._network.dtype, device=is_real.device)
        lowest = torch.finfo(self._network.dtype).min
        return mask.masked_fill_(~may_look, lowest).unsqueeze(1)
