"""A decode step captured as a CUDA graph: its launches cost one call instead of thousands.

Source: "Accelerating PyTorch with CUDA Graphs", Nguyen et al., PyTorch blog, 2021.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Forward = Callable[[Tensor, Tensor], Tensor]


class StepGraph:
    """One step of B rows, as often as wanted; rows that nobody runs compute nonsense."""

    def __init__(
        self, forward: Forward, num_rows: int, unused_slot: int, device: torch.device
    ) -> None:
        """
        Args:
            forward: ids (B, 1) and slots (B, 1) to logits (B, V); nothing in it may wait
                for the device.
            unused_slot: where rows that nobody runs write.
        """
        self._unused_slot = unused_slot
        self._ids = torch.zeros(num_rows, 1, dtype=torch.long, device=device)
        self._slots = torch.zeros(num_rows, 1, dtype=torch.long, device=device)
        self._forward = forward
        self._graph: torch.cuda.CUDAGraph | None = None
        self._logits: Tensor | None = None

    @torch.inference_mode()
    def __call__(self, tokens: Tensor, slots: Tensor) -> Tensor:
        """Logits (B, V) after `tokens` (at most B,), which stand in `slots`."""
        self._ids[: len(tokens), 0] = tokens
        self._slots[: len(slots), 0] = slots
        self._slots[len(slots) :] = self._unused_slot
        if self._graph is None:
            logits = self._forward(self._ids, self._slots)  # libraries set themselves up here
            self._capture()
            return logits
        self._graph.replay()
        assert self._logits is not None
        return self._logits

    def _capture(self) -> None:
        """Nothing runs while it is captured; the first replay is the next step."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._logits = self._forward(self._ids, self._slots)
        self._graph = graph
