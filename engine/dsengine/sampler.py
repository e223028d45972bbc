"""Logits in, token ids out. B sequences, V vocabulary size."""

import torch
from torch import Tensor


def sample(logits: Tensor, allowed: Tensor, temperature: Tensor, uniform: Tensor) -> Tensor:
    """Draw one token per sequence among those allowed.

    One uniform number a row decides its token, so a row draws the same in any batch and on
    any device.

    Args:
        logits: float (B, V), unnormalised scores; not modified.
        allowed: bool (B, V); at least one True per row.
        temperature: float (B,), >= 0; 0 takes the most likely allowed token.
        uniform: float (B,), in [0, 1).

    Returns:
        int64 (B,), token ids on the device of `logits`.

    Raises:
        ValueError: a row of `allowed` is all False.

    Source: inversion of the cumulative distribution; Devroye, "Non-Uniform Random Variate
    Generation", 1986, chapter III.
    """
    if not bool(allowed.any(dim=-1).all()):
        raise ValueError("no token is allowed for some sequence")
    scores = logits.float().masked_fill(~allowed, -torch.inf)  # (B, V)
    greedy = scores.argmax(dim=-1)  # (B,)
    if not bool((temperature > 0).any()):
        return greedy
    probs = torch.softmax(scores / temperature.clamp_min(1e-6).unsqueeze(-1), dim=-1)
    summed = probs.cumsum(dim=-1)  # (B, V)
    wanted = (uniform * summed[:, -1]).unsqueeze(-1)  # (B, 1)
    drawn = (summed <= wanted).sum(dim=-1).clamp_max(logits.shape[-1] - 1)  # (B,)
    # Rounding can put the last sliver of probability on a token that is not allowed.
    is_allowed = allowed.gather(-1, drawn.unsqueeze(-1)).squeeze(-1)
    return torch.where((temperature > 0) & is_allowed, drawn, greedy)
