"""Logits in, token ids out. B sequences, V vocabulary size."""

from dataclasses import dataclass

import torch
from torch import Tensor

NOT_A_NUMBER = -1
"""In place of a token where the device computed no numbers."""


_WORD = 32
"""Tokens of one number of a packed mask, the first one in its lowest bit."""


class Masks:
    """What may stand in each place of a pass: packed on the CPU, unpacked on the device."""

    def __init__(self, device: torch.device, vocab_size: int) -> None:
        self._device = device
        self._vocab_size = vocab_size
        self._packed = torch.empty(0, num_words(vocab_size), dtype=torch.int32)
        self._shifts = torch.arange(_WORD, dtype=torch.int32, device=device)

    def packed(self, num_places: int) -> Tensor:
        """int32 (N, W) on the CPU, to be filled; valid until the next call."""
        if len(self._packed) < num_places:
            is_pinned = self._device.type == "cuda"
            shape = (2 * num_places, self._packed.shape[1])
            self._packed = torch.empty(shape, dtype=torch.int32, pin_memory=is_pinned)
        return self._packed[:num_places]

    def unpacked(self, num_places: int) -> Tensor:
        """bool (N, V) on the device, of what was filled; nothing waits for the device."""
        words = self._packed[:num_places].to(self._device, non_blocking=True)
        bits = (words.unsqueeze(-1) >> self._shifts) & 1  # (N, W, 32)
        return bits.bool().flatten(1)[:, : self._vocab_size]


def num_words(vocab_size: int) -> int:
    """Of a packed mask."""
    return -(-vocab_size // _WORD)


def pack(mask: Tensor) -> Tensor:
    """bool (V,) on the CPU to int32 (W,)."""
    padded = torch.zeros(num_words(len(mask)) * _WORD, dtype=torch.int64)
    padded[: len(mask)] = mask
    words = (padded.view(-1, _WORD) << torch.arange(_WORD)).sum(dim=-1)
    return (words - ((words >> (_WORD - 1)) << _WORD)).int()


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
