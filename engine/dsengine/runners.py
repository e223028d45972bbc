"""Which runner runs a checkpoint: one package each, one row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dsengine.checkpoint import Checkpoint
from dsengine.errors import DeviceError, UnsupportedModelError
from dsengine.fastest import fastest_first, is_packed_for_mlx, runners_to_try

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
    remember_in: Path | None = None
    """Folder that remembers which devices passed their test; None tests at each load."""


def open_runner(checkpoint: Checkpoint, wanted: Wanted, memory: Path | None = None) -> "AnyRunner":
    """Load the model.

    Args:
        memory: folder that remembers which runner was measured to be the fastest; None
            measures nothing.

    Raises:
        UnsupportedModelError: incomplete, damaged or of no kind that the runner knows.
        DeviceError: the device is absent, computes wrongly or is too small.
    """
    if wanted.runner != "auto" and wanted.runner not in RUNNERS:
        raise DeviceError(f"runner {wanted.runner!r} is none of: auto, {', '.join(RUNNERS)}")
    *others, last = _chosen(checkpoint, wanted, memory)
    for name in others:
        try:
            return RUNNERS[name](checkpoint, wanted)
        except (UnsupportedModelError, DeviceError):
            continue  # the next one may take it, or says why none does
    return RUNNERS[last](checkpoint, wanted)


def _chosen(checkpoint: Checkpoint, wanted: Wanted, memory: Path | None) -> tuple[str, ...]:
    """At least one row of `RUNNERS`, the best first."""
    own = ("llama.cpp",) if checkpoint.gguf is not None else runners_to_try(checkpoint, wanted)
    if wanted.runner == "auto":
        return fastest_first(own, checkpoint.model_type, wanted, RUNNERS, memory)
    is_bound = checkpoint.gguf is not None or is_packed_for_mlx(checkpoint)
    if is_bound and wanted.runner not in own:
        kind = "a GGUF file" if checkpoint.gguf is not None else "quantised for mlx"
        raise UnsupportedModelError(f"{checkpoint.folder}: is {kind}; {own[0]} alone runs it")
    return (wanted.runner,)


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
