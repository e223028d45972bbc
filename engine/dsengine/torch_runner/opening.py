"""From a checkpoint to a runner on a device that is trusted and has room for it."""

import torch

from dsengine.checkpoint import Checkpoint, estimate_memory
from dsengine.device import DTYPES, choose_device, default_dtype, require_memory
from dsengine.errors import DeviceError
from dsengine.torch_runner.network import Network
from dsengine.torch_runner.runner import TorchRunner

_SMALL = 20_000_000  # parameters; threads on such matrices wait for each other, 30x on a busy CPU


def open_torch(checkpoint: Checkpoint, device: str, dtype: str | None) -> TorchRunner:
    """
    Args:
        device: auto, mps, cuda or cpu.
        dtype: float32, bfloat16 or float16; None chooses by device.

    Raises:
        UnsupportedModelError: of no known architecture, or weights are missing.
        DeviceError: the device is absent, computes wrongly or is too small.
    """
    if dtype is not None and dtype not in DTYPES:
        raise DeviceError(f"dtype {dtype!r} is none of: {', '.join(DTYPES)}")
    chosen = choose_device(device)
    numbers = DTYPES[dtype] if dtype else default_dtype(chosen)
    if chosen.type == "cpu" and checkpoint.num_parameters < _SMALL:
        torch.set_num_threads(1)
    name = str(numbers).removeprefix("torch.")
    require_memory(estimate_memory(checkpoint.folder, name), chosen)
    return TorchRunner(Network(checkpoint, chosen, numbers))
