"""A checkpoint's weights in the transformers class of its own model type."""

from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING, PretrainedConfig
from transformers.utils import logging as transformers_logging

from dsengine.checkpoint import Checkpoint
from dsengine.device import is_out_of_memory
from dsengine.errors import DeviceError, EngineError, UnsupportedModelError
from dsengine.memory import QUANTIZABLE
from dsengine.torch_runner.attention import SHARED, share_prefixes
from dsengine.torch_runner.loading import fill_module

# Layers whose memory of the past is a key and a value per token; others cannot share a prefix.
_LAYER_TYPES = {"full_attention", "sliding_attention", "chunked_attention"}
_ROOM = 64  # tokens below which a window is of no use
# The loop over experts gives the same numbers in any batch; one product is faster on CUDA.
_EXPERTS: Mapping[str, str] = {"cuda": "grouped_mm"}


class Network:
    """A causal language model on its device, and what its configuration says of it."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: torch.device,
        dtype: torch.dtype,
        weights: str = "full",
    ) -> None:
        """
        Args:
            dtype: of what is computed with, and of keys and values.
            weights: full, or for types of `QUANTIZABLE` int8 or int4.

        Raises:
            UnsupportedModelError: of no known architecture, or weights are missing.
        """
        config = _config(checkpoint)
        self.window = _window(checkpoint, config)
        self.device = device
        self.dtype = dtype
        self.num_layers = int(config.num_hidden_layers)
        self.weights = weights
        self.shares_prefixes = checkpoint.model_type in QUANTIZABLE
        load = _fill if self.shares_prefixes else _load
        self.module: Any = load(checkpoint, config, device, dtype, weights)
        if self.shares_prefixes:
            share_prefixes(self.module)
        # products of groups wait for the device in other numbers than these
        has_experts = self.module._can_set_experts_implementation()
        is_quick = dtype == torch.bfloat16 and weights == "full"
        self.can_capture = device.type == "cuda" and (is_quick or not has_experts)
        self.vocab_size = int(self.module.get_output_embeddings().out_features)
        self.bytes_per_token = _bytes_per_token(config, dtype)


def _config(checkpoint: Checkpoint) -> Any:
    model_type = checkpoint.model_type
    if model_type not in CONFIG_MAPPING or not _is_causal(CONFIG_MAPPING[model_type]):
        raise UnsupportedModelError(
            f"{checkpoint.folder}: model type {model_type!r} is no causal language model of"
            " the installed transformers"
        )
    try:
        config = CONFIG_MAPPING[model_type].from_dict(dict(checkpoint.config))
    except Exception as error:  # noqa: BLE001 - validation raises classes of several libraries
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnsupportedModelError(f"{checkpoint.folder}: config.json: {reason}") from None
    others = set(getattr(config, "layer_types", None) or ()) - _LAYER_TYPES
    if others or config.is_encoder_decoder:
        kind = ", ".join(sorted(others)) or "encoder and decoder"
        raise UnsupportedModelError(f"{checkpoint.folder}: its layers ({kind}) cannot be cached")
    return config


def _is_causal(config_class: type[PretrainedConfig]) -> bool:
    return config_class in MODEL_FOR_CAUSAL_LM_MAPPING


def _window(checkpoint: Checkpoint, config: Any) -> int:
    """Tokens that every layer sees: beyond a sliding window masks would differ by layer."""
    limits = [getattr(config, "max_position_embeddings", None)]
    if getattr(config, "use_sliding_window", True):
        limits.append(getattr(config, "sliding_window", None))
    limits.append(getattr(config, "attention_chunk_size", None))
    window = min((limit for limit in limits if isinstance(limit, int)), default=0)
    if window < _ROOM:
        raise UnsupportedModelError(f"{checkpoint.folder}: its window of {window} is too small")
    return window


def _fill(
    checkpoint: Checkpoint, config: Any, device: torch.device, dtype: torch.dtype, weights: str
) -> Any:
    """A module of a type whose layers are known here: see `loading`."""
    transformers_logging.set_verbosity_error()
    model_class = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    options = _implementations(model_class, device, SHARED)
    try:
        with torch.device("meta"):
            module = model_class._from_config(config, dtype=dtype, **options)
        fill_module(module, checkpoint, device, dtype, weights)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise _unloadable(checkpoint, error) from None
    return module.eval().requires_grad_(False)


def _load(
    checkpoint: Checkpoint, config: Any, device: torch.device, dtype: torch.dtype, _weights: str
) -> Any:
    """A module of any other type, as transformers loads it."""
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    model_class = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    has_sdpa = getattr(model_class, "_supports_sdpa", False)
    options: dict[str, object] = {
        **_implementations(model_class, device, "sdpa" if has_sdpa else "eager"),
        "config": config,
        "dtype": dtype,
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": False,
        "output_loading_info": True,
    }
    try:
        module, loading = model_class.from_pretrained(checkpoint.folder, **options)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        raise _unloadable(checkpoint, error) from None
    wrong = [*loading["missing_keys"], *(key[0] for key in loading["mismatched_keys"])]
    if wrong:
        raise UnsupportedModelError(
            f"{checkpoint.folder}: {len(wrong)} weights are missing or of another shape,"
            f" {sorted(map(str, wrong))[0]} among them"
        )
    return module.to(device).eval().requires_grad_(False)


def _implementations(model_class: Any, device: torch.device, attention: str) -> dict[str, object]:
    options: dict[str, object] = {"attn_implementation": attention}
    if model_class._can_set_experts_implementation():  # transformers before 5.23 refuse it else
        options["experts_implementation"] = _EXPERTS.get(device.type, "eager")
    return options


def _unloadable(checkpoint: Checkpoint, error: Exception) -> EngineError:
    if is_out_of_memory(error):
        return DeviceError(f"{checkpoint.folder}: memory ran out while it was loaded")
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return UnsupportedModelError(f"{checkpoint.folder}: cannot be loaded: {reason}")


def _bytes_per_token(config: Any, dtype: torch.dtype) -> int:
    """Of the key-value cache, all layers."""
    if getattr(config, "kv_lora_rank", None):
        width = config.kv_lora_rank + config.qk_rope_head_dim
    else:
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_dim = getattr(config, "head_dim", None)
        width = 2 * heads * (head_dim or config.hidden_size // config.num_attention_heads)
    return int(config.num_hidden_layers * width * dtype.itemsize)
