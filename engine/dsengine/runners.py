"""Which runner runs a checkpoint: one package each, one row here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dsengine.checkpoint import Checkpoint
from dsengine.errors import DeviceError
from dsengine.runner import AnyRunner


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


def open_runner(checkpoint: Checkpoint, wanted: Wanted) -> AnyRunner:
    """Load the model.

    Raises:
        UnsupportedModelError: incomplete, damaged or of no kind that the runner knows.
        DeviceError: the device is absent, computes wrongly or is too small.
    """
    if wanted.runner != "auto" and wanted.runner not in RUNNERS:
        raise DeviceError(f"runner {wanted.runner!r} is none of: auto, {', '.join(RUNNERS)}")
    name = "torch" if wanted.runner == "auto" else wanted.runner
    return RUNNERS[name](checkpoint, wanted)


def _open_torch(checkpoint: Checkpoint, wanted: Wanted) -> AnyRunner:
    from dsengine.torch_runner.opening import open_torch

    return open_torch(checkpoint, wanted.device, wanted.dtype)


RUNNERS: Mapping[str, Callable[[Checkpoint, Wanted], AnyRunner]] = {"torch": _open_torch}
