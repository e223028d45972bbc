"""Which runner runs a checkpoint: one package each, one row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsengine.checkpoint import Checkpoint
from dsengine.errors import DeviceError, UnsupportedModelError

if TYPE_CHECKING:
    from dsengine.runner import AnyRunner  # torch


@dataclass(frozen=True, slots=True)
class Wanted:
    """What whoever loads a model asks for."""

    runner: str = "auto"
    """A row of `RUNNERS`, or auto."""
    device: str = "auto"
    """auto, mps, cuda or cpu."""
    dtype: str | None = None
    """float32, bfloat16 or float16; by device where there is none."""
    max_rows: int = 8
    """Of one batch."""
    max_batch_tokens: int = 65_536
    """Of one batch, padding and answers included."""
    weights: str = "auto"
    """full, int8 or int4; auto takes the most precise that fits."""


def open_runner(checkpoint: Checkpoint, wanted: Wanted) -> "AnyRunner":
    """Load the model.

    Raises:
        UnsupportedModelError: incomplete, damaged or of no kind that the runner knows.
        DeviceError: the device is absent, computes wrongly or is too small.
    """
    if wanted.runner != "auto" and wanted.runner not in RUNNERS:
        raise DeviceError(f"runner {wanted.runner!r} is none of: auto, {', '.join(RUNNERS)}")
    own = "torch" if checkpoint.gguf is None else "llama.cpp"
    name = own if wanted.runner == "auto" else wanted.runner
    if checkpoint.gguf is not None and name != own:
        raise UnsupportedModelError(f"{checkpoint.folder}: is a GGUF file; {own} alone runs it")
    return RUNNERS[name](checkpoint, wanted)


def _open_torch(checkpoint: Checkpoint, wanted: Wanted) -> "AnyRunner":
    from dsengine.torch_runner.opening import open_torch

    return open_torch(checkpoint, wanted)


def _open_llama(checkpoint: Checkpoint, wanted: Wanted) -> "AnyRunner":
    from dsengine.llama_runner.opening import open_llama

    return open_llama(checkpoint, wanted)


def _open_mlx(checkpoint: Checkpoint, wanted: Wanted) -> "AnyRunner":
    try:
        from dsengine.mlx_runner.opening import open_mlx
    except ImportError:
        raise DeviceError("mlx is not installed; install dsreview with its extra `mlx`") from None
    return open_mlx(checkpoint, wanted)


RUNNERS: Mapping[str, Callable[[Checkpoint, Wanted], "AnyRunner"]] = {
    "torch": _open_torch,
    "llama.cpp": _open_llama,
    "mlx": _open_mlx,
}
