"""From a GGUF file to a runner on a device that has room for it."""

import os

import torch

from dsengine.checkpoint import Checkpoint
from dsengine.device import free_memory, is_present
from dsengine.errors import DeviceError, UnsupportedModelError
from dsengine.fitting import available_memory
from dsengine.llama_runner import library
from dsengine.llama_runner.cells import Cells
from dsengine.llama_runner.runner import LlamaFacts, LlamaRunner
from dsengine.llama_runner.staging import Staging
from dsengine.runners import Wanted

_SMALL = 20_000_000  # parameters; threads on such matrices wait for each other
_LEAST_CELLS = 512
_WORKSPACE_BYTES = 64 << 20
_SHARE_OF_BATCHES = 4 / 5
"""Of all cells; the others are for prefixes that are kept."""


def open_llama(checkpoint: Checkpoint, wanted: Wanted) -> LlamaRunner:
    """Weights stay as the file has them; `dtype` is that of keys, values and attention:
    float32 is exact and slower, any other or none means 16 bits.

    Raises:
        UnsupportedModelError: no GGUF file, or one that llama.cpp does not take.
        DeviceError: the device is absent or too small.
    """
    model = checkpoint.gguf
    if model is None:
        raise UnsupportedModelError(f"{checkpoint.folder}: llama.cpp runs GGUF files alone")
    on_gpu = _is_on_gpu(wanted.device)
    is_exact = wanted.dtype == "float32"
    bytes_per_token = model.values_per_token * (4 if is_exact else 2)
    name = _device_name(wanted.device) if on_gpu else "cpu"
    free = _free_bytes(name) - model.weight_bytes - _WORKSPACE_BYTES
    max_cells = min(free // bytes_per_token // 2, int(wanted.max_batch_tokens / _SHARE_OF_BATCHES))
    if max_cells < _LEAST_CELLS:
        needed = model.weight_bytes + _WORKSPACE_BYTES + 2 * _LEAST_CELLS * bytes_per_token
        raise DeviceError(
            f"model needs {needed / 1e9:.1f} GB, {name} has {_free_bytes(name) / 1e9:.1f} GB free;"
            " choose a smaller one, or one in fewer bits"
        )
    weights = library.Weights(model, on_gpu=on_gpu)
    if weights.vocab_size != model.vocab_size:
        raise UnsupportedModelError(f"{checkpoint.folder}: llama.cpp sees another vocabulary")
    num_threads = _num_threads(checkpoint.num_parameters)

    def make(num_cells: int) -> library.Context:
        return library.Context(
            weights, num_cells, num_threads=num_threads, is_exact=is_exact, on_gpu=on_gpu
        )

    facts = LlamaFacts(
        device_name=name,
        dtype_name=model.file_type.lower(),
        window=model.window,
        vocab_size=model.vocab_size,
        bytes_per_token=bytes_per_token,
        versions=(*library.versions(), f"cache of {32 if is_exact else 16} bits"),
    )
    usable = int(max_cells * _SHARE_OF_BATCHES) * bytes_per_token * 2
    return LlamaRunner(Cells(make, max_cells), Staging(make), facts, lambda: usable)


def _is_on_gpu(device: str) -> bool:
    if device == "cpu":
        return False
    if library.has_gpu():
        return True
    if device != "auto":
        raise DeviceError(f"llama.cpp was built without {device} here; use --device cpu")
    return False


def _device_name(device: str) -> str:
    if device != "auto":
        return device
    return "mps" if os.uname().sysname == "Darwin" else "cuda"


def _free_bytes(name: str) -> int:
    """Of main memory where torch does not know the GPU that llama.cpp was compiled for."""
    return free_memory(name) if is_present(name) else available_memory()


def _num_threads(num_parameters: int) -> int:
    """As torch has it, so that one setting (OMP_NUM_THREADS) is enough for both."""
    return 1 if num_parameters < _SMALL else torch.get_num_threads()
