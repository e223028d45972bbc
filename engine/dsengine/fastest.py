"""Which of several runners is fastest here for a kind of model: measured once, remembered.

Only a Mac with Apple's own chip has a choice: its GPU is reached by MLX and by torch, and
which is faster depends on both libraries' versions.
"""

import hashlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dsengine.checkpoint import Checkpoint, open_checkpoint
from dsengine.errors import EngineError

if TYPE_CHECKING:
    from dsengine.runner import AnyRunner
    from dsengine.runners import Wanted

Openers = Mapping[str, "Callable[[Checkpoint, Wanted], AnyRunner]"]

TORCH: Final = "torch"
MLX: Final = "mlx"
_SIZES: Mapping[str, object] = {
    "hidden_size": 768,
    "intermediate_size": 2_048,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "num_key_value_heads": 4,
}
"""Of the model that is timed: large enough that weights are read, small enough to be quick."""
_NUM_ROWS: Final = 4
_NUM_PROMPT: Final = 128
_NUM_STEPS: Final = 12
_PACKAGES: Final = ("mlx", "mlx-lm", "torch", "transformers")


@dataclass(frozen=True, slots=True)
class Measured:
    model_type: str
    tokens_per_s: Mapping[str, float]
    """Of each runner; 0 where it failed."""


def runners_to_try(checkpoint: Checkpoint, wanted: "Wanted") -> tuple[str, ...]:
    """Those that are installed and could be fast here; the likeliest first."""
    if is_packed_for_mlx(checkpoint):
        return (MLX,)
    is_apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    is_on_gpu = wanted.device in ("auto", "mps")
    if not (is_apple and is_on_gpu and find_spec("mlx_lm")):
        return (TORCH,)
    from dsengine.mlx_runner.network import SUPPORTED

    return (MLX, TORCH) if checkpoint.model_type in SUPPORTED else (TORCH,)


def is_packed_for_mlx(checkpoint: Checkpoint) -> bool:
    """Its weights are quantised in MLX's own format."""
    return isinstance(checkpoint.config.get("quantization"), dict)


def fastest_first(
    names: Sequence[str],
    model_type: str,
    wanted: "Wanted",
    openers: Openers,
    memory: Path | None,
) -> tuple[str, ...]:
    """
    Args:
        memory: folder that remembers what was measured; None takes `names` as they stand.
    """
    if len(names) < 2 or memory is None:
        return tuple(names)
    place = memory / f"{_key(names, model_type, wanted)}.json"
    known = recall(place)
    rates = known.tokens_per_s if known else {}
    if set(rates) != set(names):
        rates = measure(names, model_type, wanted, openers)
        _remember(place, Measured(model_type, rates))
    return tuple(sorted(names, key=lambda name: -rates[name]))


def measure(
    names: Sequence[str], model_type: str, wanted: "Wanted", openers: Openers
) -> dict[str, float]:
    """Tokens a second of each, prefill and decode of a small batch; 0 where it fails."""
    from dsengine.testing import write_model

    with tempfile.TemporaryDirectory(prefix="dsengine-") as folder:
        write_model(Path(folder), model_type, ["measured once"], changes=_changes(model_type))
        checkpoint = open_checkpoint(folder)
        return {
            name: _rate(openers[name], checkpoint, replace(wanted, runner=name)) for name in names
        }


def recall(place: Path) -> Measured | None:
    """None where nothing sound was remembered."""
    try:
        table = json.loads(place.read_bytes())
        rates = {name: float(rate) for name, rate in table["tokens_per_s"].items()}
        return Measured(str(table["model_type"]), rates)
    except (OSError, ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None


def all_measured(memory: Path) -> tuple[Measured, ...]:
    """What was measured on this machine, also with other versions."""
    found = map(recall, sorted(memory.glob("*.json")))
    return tuple(one for one in found if one is not None)


def _changes(model_type: str) -> Mapping[str, object]:
    """Heads of latents have sizes of their own."""
    return {**_SIZES, "num_key_value_heads": 12} if "deepseek" in model_type else _SIZES


def _rate(
    opener: "Callable[[Checkpoint, Wanted], AnyRunner]", checkpoint: Checkpoint, wanted: "Wanted"
) -> float:
    try:
        runner = opener(checkpoint, wanted)
        _decode(runner)  # kernels are made
        started = time.perf_counter()
        num_tokens = _decode(runner)
        return num_tokens / (time.perf_counter() - started)
    except (EngineError, RuntimeError, NotImplementedError):  # as libraries raise for a kernel
        return 0.0


def _decode(runner: "AnyRunner") -> int:
    """Tokens that went through."""
    import torch

    ids = [number % runner.vocab_size for number in range(_NUM_PROMPT)]
    prefix = runner.compute_prefix(ids, runner.empty_prefix, lambda: False)
    batch = runner.start(prefix, _NUM_ROWS, _NUM_PROMPT + _NUM_STEPS)
    entry = runner.enter(batch, [ids] * _NUM_ROWS)
    while (logits := runner.advance(batch, entry)) is None:
        pass
    for _ in range(_NUM_STEPS):
        tokens: torch.Tensor = logits.argmax(dim=-1)  # waits for the device, as sampling does
        logits = runner.step(batch, tokens)
    logits.sum().item()
    batch.close()
    return _NUM_PROMPT + _NUM_ROWS * (_NUM_PROMPT + _NUM_STEPS)


def _key(names: Sequence[str], model_type: str, wanted: "Wanted") -> str:
    """Digest of the machine, the libraries and what is asked for."""
    facts = (
        platform.node(), platform.machine(), platform.platform(), tuple(names), model_type,
        wanted.device, wanted.dtype, tuple(map(_version, _PACKAGES)),
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _remember(place: Path, measured: Measured) -> None:
    """A disk that refuses costs the next start a measurement, nothing else."""
    beside = place.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.write_text(json.dumps(asdict(measured)), encoding="utf-8")
        beside.replace(place)
