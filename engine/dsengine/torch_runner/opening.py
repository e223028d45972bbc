"""From a checkpoint to a runner on a device that is trusted and has room for it."""

import torch

from dsengine.checkpoint import Checkpoint
from dsengine.device import DTYPES, default_dtype, fixed_memory, free_memory
from dsengine.errors import DeviceError
from dsengine.fitting import choose_weights, planned_demand
from dsengine.runners import Wanted
from dsengine.self_test import trusted_device
from dsengine.torch_runner.network import Network
from dsengine.torch_runner.runner import TorchRunner

_SMALL = 20_000_000  # parameters; threads on such matrices wait for each other, 30x on a busy CPU


def open_torch(checkpoint: Checkpoint, wanted: Wanted) -> TorchRunner:
    """
    Raises:
        UnsupportedModelError: of no known architecture, or weights are missing.
        DeviceError: the device is absent, computes wrongly or is too small.
    """
    if wanted.dtype is not None and wanted.dtype not in DTYPES:
        raise DeviceError(f"dtype {wanted.dtype!r} is none of: {', '.join(DTYPES)}")
    device = trusted_device(wanted, checkpoint.model_type)
    dtype = DTYPES[wanted.dtype] if wanted.dtype else default_dtype(device)
    if device.type == "cpu" and checkpoint.num_parameters < _SMALL:
        torch.set_num_threads(1)
    demand = planned_demand(
        wanted.max_rows, wanted.max_batch_tokens, checkpoint.window, device.type
    )
    numbers, _ = choose_weights(
        checkpoint, wanted.weights, dtype.itemsize, demand,
        free_memory(device), device.type, fixed_memory(device),
    )  # fmt: skip
    return TorchRunner(Network(checkpoint, device, dtype, numbers.weights))
