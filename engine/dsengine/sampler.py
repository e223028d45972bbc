"""Logits in, token ids out. B sequences, V vocabulary size."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

NOT_A_NUMBER = -1
"""In place of a token where the device computed no numbers."""


class Masks:
    """What rows may draw, on the device; a mask that all rows share is moved there once."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._moved: dict[int, tuple[Tensor, Tensor]] = {}

    def of(self, allowed: Sequence[Tensor]) -> Tensor:
        """bool (B, V), or (1, V) where all rows have one mask.

        Raises:
            ValueError: a row may draw nothing.
        """
        first = allowed[0]
        if any(mask is not first for mask in allowed):
            stacked = torch.stack(list(allowed))
            _require_some(stacked)
            return stacked.to(self._device, non_blocking=True)
        if id(first) not in self._moved:
            _require_some(first)
            moved = first.to(self._device).unsqueeze(0)
            self._moved = {id(first): (first, moved)}  # held, so that its id stays its own
        return self._moved[id(first)][1]


def _require_some(allowed: Tensor) -> None:
    if not bool(allowed.any(dim=-1).all()):
        raise ValueError("no token is allowed for some sequence")


def sample(logits: Tensor, allowed: Tensor, temperature: Tensor, uniform: Tensor) -> Tensor:
    """Draw one token per sequence among those allowed.

    One uniform number a row decides its token, so a row draws the same in any batch and on
    any device. Nothing here waits for the device of `logits`.

    Args:
        logits: float (B, V), unnormalised scores; not modified.
        allowed: bool (B, V), or (1, V) for all, on any device; at least one True per row.
        temperature: float (B,), on the CPU, >= 0; 0 takes the most likely allowed token.
        uniform: float (B,), in [0, 1).

    Returns:
        int64 (B,), token ids on the device of `logits`; NOT_A_NUMBER where a row has NaN.

    Source: inversion of the cumulative distribution; Devroye, "Non-Uniform Random Variate
    Generation", 1986, chapter III.
    """
    device = logits.device
    is_nan = logits.isnan().any(dim=-1)
    allowed = allowed.to(device, non_blocking=True)
    scores = logits.float().masked_fill(~allowed, -torch.inf)  # (B, V)
    tokens = scores.argmax(dim=-1)  # (B,)
    if bool((temperature > 0).any()):
        drawn = _drawn(scores, allowed, temperature.to(device), uniform.to(device))
        is_drawn = (temperature > 0).to(device) & (drawn >= 0)
        tokens = torch.where(is_drawn, drawn, tokens)
    return tokens.masked_fill(is_nan, NOT_A_NUMBER)


@dataclass(frozen=True, slots=True)
class Rank:
    """How likely one token was, and which were the likeliest in its place."""

    logprob: float
    top: tuple[tuple[int, float], ...]
    """Ids of allowed tokens and their log-probabilities, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The same of B tokens, on the device. Log-probabilities are natural logarithms."""

    logprobs: Tensor
    """float (B,)."""
    top_ids: Tensor
    """int64 (B, K)."""
    top_logprobs: Tensor
    """float (B, K); -inf where fewer than K tokens are allowed."""

    def ranks(self) -> list[Rank]:
        """One for each row, on the CPU; waits for the device."""
        rows = zip(
            self.logprobs.tolist(), self.top_ids.tolist(), self.top_logprobs.tolist(), strict=True
        )
        return [
            Rank(own, tuple(pair for pair in zip(ids, logs, strict=True) if pair[1] > -torch.inf))
            for own, ids, logs in rows
        ]


def rank(logits: Tensor, allowed: Tensor, tokens: Tensor, num_top: int) -> Ranking:
    """What the model holds of `tokens` and of the likeliest in their places.

    Probabilities are those among allowed tokens at temperature 1, however a token was drawn.
    Nothing here waits for the device of `logits`.

    Args:
        logits: float (B, V), unnormalised scores; not modified. B may count places of one
            sequence as well as sequences.
        allowed: bool (B, V), or (1, V) for all, on any device; at least one True per row.
        tokens: int64 (B,), on the device of `logits`; where a row has NOT_A_NUMBER, its rank
            means nothing.
        num_top: K, at least 1; no more than V are told.
    """
    allowed = allowed.to(logits.device, non_blocking=True)
    scores = logits.float().masked_fill(~allowed, -torch.inf)  # (B, V)
    total = scores.logsumexp(dim=-1, keepdim=True)  # (B, 1)
    top, ids = scores.topk(min(num_top, scores.shape[-1]), dim=-1)  # (B, K)
    own = scores.gather(-1, tokens.clamp_min(0).unsqueeze(-1))  # (B, 1)
    return Ranking((own - total).squeeze(-1), ids, top - total)


def _drawn(scores: Tensor, allowed: Tensor, temperature: Tensor, uniform: Tensor) -> Tensor:
    """int64 (B,); -1 where rounding put the last sliver of probability on a forbidden token."""
    probs = torch.softmax(scores / temperature.clamp_min(1e-6).unsqueeze(-1), dim=-1)
    summed = probs.cumsum(dim=-1)  # (B, V)
    wanted = (uniform * summed[:, -1]).unsqueeze(-1)  # (B, 1)
    drawn = (summed <= wanted).sum(dim=-1).clamp_max(scores.shape[-1] - 1)  # (B,)
    is_allowed = allowed.expand_as(scores).gather(-1, drawn.unsqueeze(-1)).squeeze(-1)
    return torch.where(is_allowed, drawn, -1)
