"""Which device computes, in which numbers, and whether it computes right."""

from collections.abc import Mapping

import torch

from dsengine.fitting import available_memory

DEVICES = ("mps", "cuda", "cpu")
DTYPES: Mapping[str, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
_TOLERANCE = 1e-3
_FIXED_BYTES: Mapping[str, int] = {"cuda": 160 << 20, "mps": 200 << 20, "cpu": 128 << 20}


def is_present(name: str) -> bool:
    if name == "mps":
        return torch.backends.mps.is_available()
    return name == "cpu" or torch.cuda.is_available()


def computes_right(name: str) -> bool:
    """A masked attention, a normalisation and a gather agree with the CPU in float32."""
    if name == "cpu":
        return True
    try:
        answer = _probe(torch.device(name))
    except (RuntimeError, NotImplementedError):  # what torch raises where a kernel is missing
        return False
    return bool(torch.allclose(answer, _probe(torch.device("cpu")), atol=_TOLERANCE))


def _probe(device: torch.device) -> torch.Tensor:
    randomness = torch.Generator().manual_seed(0)
    states = torch.randn(2, 4, 65, 32, generator=randomness).to(device)
    weight = torch.randn(32, 48, generator=randomness).to(device)
    mask = torch.ones(65, 65, dtype=torch.bool).tril().to(device)
    attended = torch.nn.functional.scaled_dot_product_attention(
        states, states, states, attn_mask=mask
    )
    grown = torch.cat([attended, states], dim=-2)[..., 30:90, :] @ weight
    scaled = torch.nn.functional.silu(grown) * torch.rsqrt(grown.pow(2).mean(-1, True) + 1e-6)
    picked = scaled.cumsum(-1).gather(-1, scaled.argsort(-1))
    return picked.float().cpu()


def default_dtype(device: torch.device | str) -> torch.dtype:
    """float32 on a CPU: bfloat16 was measured slower there in a batch (bench/RESULTS.md)."""
    device = torch.device(device)
    if device.type == "cpu":
        return torch.float32
    if device.type == "cuda" and not torch.cuda.is_bf16_supported():
        return torch.float16
    return torch.bfloat16


def free_memory(device: torch.device | str) -> int:
    """Bytes that a model could take on `device` now; a Mac's GPU shares the main memory."""
    device = torch.device(device)
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free)
    available = available_memory()
    if device.type == "mps":
        used = torch.mps.driver_allocated_memory()
        return min(available, int(torch.mps.recommended_max_memory() - used))
    return available


def fixed_memory(device: torch.device | str) -> int:
    """Bytes that the device's libraries will take once something runs on it."""
    return _FIXED_BYTES.get(torch.device(device).type, 0)


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a class for it; MPS and the CPU's allocator only have words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = ("out of memory", "can't allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def release_memory(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
