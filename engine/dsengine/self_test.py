"""Whether a device computes what the CPU computes: a tiny model runs on both, in float32.

It is of the family of the model that is to be loaded and goes through the real runner: a
prefix, rows of several lengths that enter behind it, steps, a row that leaves, and products
of quantised weights where those are asked for. MPS has been seen to be available and wrong.
"""

import hashlib
import os
import platform
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING

from dsengine.checkpoint import Checkpoint
from dsengine.device import DEVICES, computes_right, is_present
from dsengine.errors import DeviceError
from dsengine.memory import QUANTIZABLE, WEIGHTS
from dsengine.runners import Wanted
from dsengine.torch_runner.network import Network
from dsengine.torch_runner.runner import TorchRunner
from dsengine.weight_files import read_tensors

REVISION: Final = 1
"""Of the test: what an older one has found is tested again."""

_SIZES: Mapping[str, object] = {
    "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2, "vocab_size": 320,
    "num_attention_heads": 4, "max_position_embeddings": 512, "tie_word_embeddings": False,
    "num_experts_per_tok": 2, "moe_intermediate_size": 64, "pad_token_id": None,
}  # fmt: skip
_PLAIN: Mapping[str, object] = {"num_key_value_heads": 2, "num_experts": 4}
_LATENT: Mapping[str, object] = {
    "num_key_value_heads": 4, "q_lora_rank": 64, "kv_lora_rank": 64, "qk_nope_head_dim": 32,
    "qk_rope_head_dim": 16, "v_head_dim": 32, "n_routed_experts": 4, "n_shared_experts": 1,
    "n_group": 1, "topk_group": 1, "first_k_dense_replace": 1,
}  # fmt: skip
_TOLERANCES: Mapping[str, float] = {"full": 1e-3, "int8": 1e-2, "int4": 2e-2}
"""Of the largest logit. A number between two quantised ones may go either way."""
_NUM_PREFIX, _ROW_LENGTHS, _NUM_STEPS = 40, (5, 17, 1), 3


def trusted_device(wanted: Wanted, model_type: str) -> torch.device:
    """As asked for, or the first that is here and passes its test; a CPU is what they are
    compared with.

    Raises:
        DeviceError: it is unknown, absent or computes wrongly.
    """
    if wanted.device not in ("auto", *DEVICES):
        raise DeviceError(f"device {wanted.device!r} is none of: auto, {', '.join(DEVICES)}")
    if wanted.device != "auto" and not is_present(wanted.device):
        raise DeviceError(f"this machine has no {wanted.device}; use --device auto")
    kinds = WEIGHTS if wanted.weights == "auto" else (wanted.weights,)
    for name in filter(is_present, DEVICES) if wanted.device == "auto" else (wanted.device,):
        problem = name != "cpu" and self_test(name, model_type, kinds, wanted.remember_in)
        if not problem:
            return torch.device(name)
        if wanted.device != "auto":
            raise DeviceError(f"{name} computes wrongly: {problem}; use --device cpu")
        warnings.warn(f"{name} is not used, it computes wrongly: {problem}", stacklevel=2)
    raise DeviceError("no device computes right")


def self_test(
    device: str,
    model_type: str,
    kinds: Sequence[str] = ("full",),
    remember_in: Path | None = None,
) -> str:
    """
    Args:
        device: mps, cuda or cpu.
        model_type: of the model that is to run.
        kinds: how its weights may be kept.
        remember_in: folder that remembers devices which were right, by machine and versions.

    Returns:
        Why the device is not to be trusted; empty where it is.
    """
    family = model_type if model_type in QUANTIZABLE else "llama"
    place = remember_in and remember_in / f"{_key(device, family, kinds)}.right"
    if place and place.is_file():
        return ""
    if not computes_right(device):
        return "an attention gives other numbers than on the cpu"
    with tempfile.TemporaryDirectory(prefix="dsengine-") as folder, _one_thread():
        checkpoint = _tiny(Path(folder), family)
        for kind in kinds:
            problem = _compare(checkpoint, torch.device(device), kind)
            if problem:
                return f"{problem} with {kind} weights"
    if place:
        _remember(place)
    return ""


@contextmanager
def _one_thread() -> Iterator[None]:
    """Threads on such small matrices only wait for each other."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)


def _compare(checkpoint: Checkpoint, device: torch.device, kind: str) -> str:
    expected = _logits(checkpoint, torch.device("cpu"), kind)
    try:
        found = _logits(checkpoint, device, kind)
    except (RuntimeError, NotImplementedError) as error:  # as torch raises for a kernel
        return f"{type(error).__name__} in a tiny model"
    largest = max(float(one.abs().max()) for one in expected)
    pairs = zip(expected, found, strict=True)
    away = max(float((one - other).abs().nan_to_num(torch.inf).max()) for one, other in pairs)
    if away <= _TOLERANCES[kind] * largest:
        return ""
    return f"a tiny model gives logits that are {away / largest:.1e} of the largest away"


@torch.inference_mode()
def _logits(checkpoint: Checkpoint, device: torch.device, kind: str) -> list[Tensor]:
    """Of each pass that gives some, on the CPU."""
    runner = TorchRunner(Network(checkpoint, device, torch.float32, kind))

    def ids(start: int, count: int) -> list[int]:
        return [(start + 37 * number) % runner.vocab_size for number in range(count)]

    prefix = runner.compute_prefix(ids(1, _NUM_PREFIX), runner.empty_prefix, lambda: False)
    assert prefix is not None
    batch = runner.start(prefix, len(_ROW_LENGTHS), max(_ROW_LENGTHS) + 2 * _NUM_STEPS + 2)
    rows = [ids(11 * number, length) for number, length in enumerate(_ROW_LENGTHS)]
    entry = runner.enter(batch, rows)
    while (logits := runner.advance(batch, entry)) is None:
        pass
    made = [logits.cpu()]
    for step in range(2 * _NUM_STEPS):
        if step == _NUM_STEPS:
            batch.leave(0)
        tokens = torch.tensor(ids(3 + step, len(batch.num_tokens)), device=batch.device)
        made.append(runner.step(batch, tokens).cpu())
    batch.close()
    return made


def _tiny(folder: Path, family: str) -> Checkpoint:
    config = {**_SIZES, **(_LATENT if "deepseek" in family else _PLAIN)}
    built = CONFIG_MAPPING[family](**config)
    with torch.device("meta"):
        module = MODEL_FOR_CAUSAL_LM_MAPPING[type(built)]._from_config(built)
    randomness = torch.Generator().manual_seed(0)
    weights = {
        name: _random(name, slot.shape, randomness) for name, slot in module.state_dict().items()
    }
    path = folder / "model.safetensors"
    save_file(weights, path)
    return Checkpoint(
        folder=folder,
        config={"model_type": family, **config},
        generation_config={},
        tokenizer="",
        tokenizer_config={},
        chat_template="",
        weights=(path,),
        tensors=read_tensors(path),
    )


def _random(name: str, shape: torch.Size, randomness: torch.Generator) -> Tensor:
    """Products keep the size of what goes through them."""
    drawn = torch.randn(shape, generator=randomness)
    if name.endswith("norm.weight"):
        return 1 + 0.1 * drawn
    return drawn * (shape[-1] ** -0.5 if len(shape) > 1 else 0.1)


def _key(device: str, family: str, kinds: Sequence[str]) -> str:
    """Digest of all that could make another outcome."""
    name = torch.cuda.get_device_name() if device == "cuda" else device
    facts = (
        REVISION, platform.node(), platform.platform(), name, str(torch.version.cuda), family,
        tuple(kinds), torch.__version__, version("transformers"),
    )  # fmt: skip
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _remember(place: Path) -> None:
    """A disk that refuses costs the next start a test, nothing else."""
    with suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.write_text(f"{os.getpid()}\n", encoding="utf-8")
