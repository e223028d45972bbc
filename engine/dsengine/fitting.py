"""Whether a model fits a device, and what would where it does not."""

import platform
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import psutil

from dsengine.checkpoint import Checkpoint, open_checkpoint
from dsengine.errors import DeviceError, ModelNotFoundError, UnsupportedModelError
from dsengine.memory import (
    QUANTIZABLE,
    WEIGHTS,
    Demand,
    MemoryPlan,
    Numbers,
    plan_memory,
)
from dsengine.runners import Wanted

PLANNED_PREFIX = 2_048
"""Tokens that the prompts of a review are planned to share: instructions and rules."""
PLANNED_SLOTS = 1_024
"""Tokens of a context and its answer."""
_ITEMSIZES: Mapping[str, int] = {"float32": 4, "bfloat16": 2, "float16": 2}
_ACCELERATORS = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""What a driver of a GPU makes on Linux."""


def planned_demand(num_rows: int, max_batch_tokens: int, window: int, device: str) -> Demand:
    """The batch that must fit before a model is loaded.

    Args:
        window: tokens that the model takes.
        device: mps, cuda or cpu.
    """
    return Demand(
        num_rows=num_rows,
        num_prefix=min(PLANNED_PREFIX, window),
        num_slots=max(1, min(PLANNED_SLOTS, window, max_batch_tokens // num_rows)),
        device=device,
    )


def choose_weights(
    checkpoint: Checkpoint,
    wanted: str,
    itemsize: int,
    demand: Demand,
    free_bytes: int,
    device: str,
    fixed_bytes: int = 0,
) -> tuple[Numbers, MemoryPlan]:
    """How the weights are kept: as wanted, or by themselves full, else int8, else int4.

    Args:
        wanted: auto, or one of `WEIGHTS`.
        device: its name, for the message.

    Raises:
        DeviceError: they do not fit; the message says what takes the memory and what would.
    """
    if wanted not in ("auto", *WEIGHTS):
        raise DeviceError(f"weights {wanted!r} is none of: auto, {', '.join(WEIGHTS)}")
    can_quantize = checkpoint.model_type in QUANTIZABLE
    if not can_quantize and wanted not in ("auto", "full"):
        raise DeviceError(
            f"model type {checkpoint.model_type!r} cannot be kept as {wanted}; use --weights full"
        )
    kinds = WEIGHTS if wanted == "auto" else (wanted,)
    for kind in kinds if can_quantize else ("full",):
        numbers = Numbers(kind, itemsize)
        plan = plan_memory(checkpoint, numbers, demand, fixed_bytes)
        if plan.total_bytes <= free_bytes:
            return numbers, plan
    shown = numbers if wanted != "auto" else Numbers("full", itemsize)
    plan = plan_memory(checkpoint, shown, demand, fixed_bytes)
    others = _what_fits(checkpoint, shown, demand, free_bytes, fixed_bytes)
    raise DeviceError(
        f"model needs {_gb(plan.total_bytes)} GB at {8 * itemsize} bits"
        f"{'' if shown.weights == 'full' else f' and {shown.weights} weights'}"
        f" (weights {_gb(plan.weight_bytes)}, cache of {demand.num_rows} rows"
        f" {_gb(plan.cache_bytes)}, workspace {_gb(plan.workspace_bytes)}), {device} has"
        f" {_gb(free_bytes)} GB free; would fit: {', or '.join(others)}"
    )


def refuse_hopeless(model: str | Path, wanted: Wanted) -> None:
    """Refuse what only a CPU could run and cannot, before torch is loaded, which is slow.

    What is wrong with a model otherwise is left to whoever loads it.

    Raises:
        DeviceError: as `choose_weights`.
    """
    if wanted.runner not in ("auto", "torch") or wanted.device not in ("auto", "cpu"):
        return
    if wanted.device == "auto" and _may_have_accelerator():
        return
    try:
        checkpoint = open_checkpoint(model)
    except (ModelNotFoundError, UnsupportedModelError):
        return
    if checkpoint.gguf is not None:
        return
    demand = planned_demand(wanted.max_rows, wanted.max_batch_tokens, checkpoint.window, "cpu")
    itemsize = _ITEMSIZES.get(wanted.dtype or "float32", _ITEMSIZES["float32"])
    choose_weights(checkpoint, wanted.weights, itemsize, demand, available_memory(), "cpu")


def available_memory() -> int:
    """Bytes of main memory that programs could take now."""
    return int(psutil.virtual_memory().available)


def _may_have_accelerator() -> bool:
    """False is certain; True is worth the seconds that torch takes to find out."""
    return platform.system() != "Linux" or any(Path(name).exists() for name in _ACCELERATORS)


def _what_fits(
    checkpoint: Checkpoint, numbers: Numbers, demand: Demand, free_bytes: int, fixed_bytes: int
) -> Iterator[str]:
    def total(kind: str, num_rows: int) -> int:
        fewer = replace(demand, num_rows=num_rows)
        return plan_memory(
            checkpoint, replace(numbers, weights=kind), fewer, fixed_bytes
        ).total_bytes

    kinds = WEIGHTS[WEIGHTS.index(numbers.weights) :]
    most_rows = 0
    for kind in kinds if checkpoint.model_type in QUANTIZABLE else kinds[:1]:
        sizes = {rows: total(kind, rows) for rows in range(1, demand.num_rows + 1)}
        fitting = max((rows for rows, size in sizes.items() if size <= free_bytes), default=0)
        if fitting > most_rows:
            most_rows = fitting
            weights = f"--weights {kind}" if kind != numbers.weights else ""
            rows = f"--batch-size {fitting}" if fitting < demand.num_rows else ""
            options = " ".join(option for option in (weights, rows) if option)
            yield f"{options} ({_gb(sizes[fitting])} GB)"
    plan = plan_memory(checkpoint, numbers, demand, fixed_bytes)
    left = max(0, free_bytes - plan.cache_bytes - plan.workspace_bytes)
    most = left / max(1, plan.weight_bytes) * checkpoint.num_parameters
    yield f"a model of at most {most / 1e9:.2g} billion parameters"


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f}"
