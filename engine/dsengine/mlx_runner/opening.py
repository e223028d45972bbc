"""From a checkpoint to MLX on a device that is trusted and has room for it."""

from importlib.metadata import version

import mlx.core as mx
import psutil

from dsengine.checkpoint import Checkpoint
from dsengine.errors import DeviceError
from dsengine.fastest import is_packed_for_mlx
from dsengine.fitting import choose_weights, planned_demand
from dsengine.mlx_runner.network import Network
from dsengine.mlx_runner.runner import Facts, MlxRunner
from dsengine.mlx_runner.states import EMPTY_PREFIX, LayerStates, Place
from dsengine.runners import Wanted

_DTYPES = ("float32", "bfloat16", "float16")
_TOLERANCE = 1e-3
_WORKSPACE = 1.1
"""Of weights and what is around them, over the weights."""


def open_mlx(checkpoint: Checkpoint, wanted: Wanted) -> MlxRunner:
    """
    Raises:
        UnsupportedModelError: of a kind that torch alone runs, or damaged.
        DeviceError: the device is absent, computes wrongly or is too small.
    """
    name = _choose_device(wanted.device)
    dtype = wanted.dtype or ("bfloat16" if name == "metal" else "float32")
    if dtype not in _DTYPES:
        raise DeviceError(f"dtype {dtype!r} is none of: {', '.join(_DTYPES)}")
    weights = _weights_that_fit(checkpoint, wanted, name, dtype)
    with mx.stream(mx.gpu if name == "metal" else mx.cpu):
        network = Network(checkpoint, dtype, weights)
        size = _bytes_per_token(network)
    versions = tuple(f"{package} {version(package)}" for package in ("mlx", "mlx-lm"))
    return MlxRunner(network, Facts(name, size, versions), lambda: free_memory(name))


def free_memory(device_name: str) -> int:
    """Bytes that a model could take now; a Mac's GPU shares the main memory."""
    available = int(psutil.virtual_memory().available)
    if device_name == "cpu":
        return available
    most = int(mx.device_info()["max_recommended_working_set_size"])
    return max(0, min(available, most - mx.get_active_memory()))


def computes_right() -> bool:
    """A masked attention, a rotation and a norm on the GPU agree with the CPU in float32."""
    return bool(mx.allclose(_probe(mx.gpu), _probe(mx.cpu), atol=_TOLERANCE))


def _probe(device: mx.DeviceType) -> mx.array:
    with mx.stream(mx.cpu):
        states = mx.random.normal((2, 4, 33, 32), key=mx.random.key(0))
        mx.eval(states)
    with mx.stream(device):
        turned = mx.fast.rope(
            states, 32, traditional=False, base=1e4, scale=1.0, offset=mx.array([3, 40])
        )
        mask = mx.arange(33)[:, None] >= mx.arange(33)
        seen = mx.fast.scaled_dot_product_attention(turned, turned, states, scale=0.2, mask=mask)
        answer = mx.fast.rms_norm(seen, mx.ones(32), 1e-6)
        mx.eval(answer)
    return answer


def _choose_device(wanted: str) -> str:
    if wanted not in ("auto", "mps", "cpu"):
        raise DeviceError(f"mlx has no device {wanted!r} here; use mps, cpu or --runner torch")
    has_metal = mx.metal.is_available()
    if wanted == "mps" and not has_metal:
        raise DeviceError("this machine has no Metal; use --device cpu")
    if wanted == "cpu" or not has_metal:
        return "cpu"
    if computes_right():
        return "metal"
    if wanted == "mps":
        raise DeviceError("metal computes other numbers than the cpu; use --device cpu")
    return "cpu"


def _weights_that_fit(checkpoint: Checkpoint, wanted: Wanted, name: str, dtype: str) -> str:
    """full, int8 or int4.

    Raises:
        DeviceError: too large, before anything is loaded.
    """
    free = free_memory(name)
    if is_packed_for_mlx(checkpoint):
        stored = sum(tensor.num_bytes for tensor in checkpoint.tensors)
        if wanted.weights not in ("auto", "full"):
            raise DeviceError(f"{checkpoint.folder}: is quantised already; use --weights auto")
        if stored * _WORKSPACE > free:
            raise DeviceError(
                f"model needs {stored * _WORKSPACE / 1e9:.1f} GB, {name} has {free / 1e9:.1f} GB"
                " free; choose a smaller one"
            )
        return "full"
    window, place = checkpoint.window, "mps" if name == "metal" else "cpu"
    demand = planned_demand(wanted.max_rows, wanted.max_batch_tokens, window, place)
    size = 4 if dtype == "float32" else 2
    numbers, _ = choose_weights(checkpoint, wanted.weights, size, demand, free, name)
    return numbers.weights


def _bytes_per_token(network: Network) -> int:
    """Of the key-value cache, all layers: measured on one token."""
    layers = [LayerStates(None, 1, 1) for _ in range(network.num_layers)]
    for layer in layers:
        layer.begin(Place(range(1), mx.zeros((1, 1), dtype=mx.int32), 1, len(EMPTY_PREFIX.ids)))
    mx.eval(network.hidden(mx.zeros((1, 1), dtype=mx.int32), layers))
    return sum(buffer.nbytes for layer in layers for buffer in layer.own)
