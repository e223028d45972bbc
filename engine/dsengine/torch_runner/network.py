"""A checkpoint's weights in the transformers class of its own model type."""

from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import CONFIG_MAPPING, MODEL_FOR_CAUSAL_LM_MAPPING, PretrainedConfig
from transformers.utils import logging as transformers_logging

from dsengine.checkpoint import Checkpoint
from dsengine.errors import UnsupportedModelError
from dsengine.torch_runner.attention import SHARED, share_prefixes

# Layers whose memory of the past is a key and a value per token; others cannot share a prefix.
_LAYER_TYPES = {"full_attention", "sliding_attention", "chunked_attention"}
_ROOM = 64  # tokens below which a window is of no use
# Whose attention takes keys and values as the cache gives them; others get copies.
_SHARING = {
    "llama", "mistral", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "deepseek_v2", "deepseek_v3",
}  # fmt: skip
# The loop over experts gives the same numbers in any batch; one product is faster on CUDA.
_EXPERTS: Mapping[str, str] = {"cuda": "grouped_mm"}


class Network:
    """A causal language model on its device, and what its configuration says of it."""

    def __init__(self, checkpoint: Checkpoint, device: torch.device, dtype: torch.dtype) -> None:
        """Raises: UnsupportedModelError: of no known architecture, or weights are missing."""
        config = _config(checkpoint)
        self.window = _window(checkpoint, config)
        self.device = device
        self.dtype = dtype
        self.num_layers = int(config.num_hidden_layers)
        self.shares_prefixes = checkpoint.model_type in _SHARING
        self.module: Any = _load(checkpoint, config, device, dtype, self.shares_prefixes)
        if self.shares_prefixes:
            share_prefixes(self.module)
        # products of groups wait for the device in other numbers than these
        has_experts = any(weight.dim() == 3 for weight in self.module.parameters())
        self.can_capture = device.type == "cuda" and (dtype == torch.bfloat16 or not has_experts)
        self.vocab_size = int(self.module.get_output_embeddings().weight.shape[0])
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


def _load(
    checkpoint: Checkpoint,
    config: Any,
    device: torch.device,
    dtype: torch.dtype,
    shares_prefixes: bool,
) -> Any:
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    options: dict[str, object] = {
        "config": config,
        "dtype": dtype,
        "local_files_only": True,
        "use_safetensors": True,
        "trust_remote_code": False,
        "output_loading_info": True,
    }
    model_class = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
    if model_class._can_set_experts_implementation():  # transformers before 5.23 refuse it else
        options["experts_implementation"] = _EXPERTS.get(device.type, "eager")
    has_sdpa = getattr(model_class, "_supports_sdpa", False)
    plain = "sdpa" if has_sdpa else "eager"
    options["attn_implementation"] = SHARED if shares_prefixes else plain
    try:
        module, loading = model_class.from_pretrained(checkpoint.folder, **options)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnsupportedModelError(f"{checkpoint.folder}: cannot be loaded: {reason}") from None
    wrong = [*loading["missing_keys"], *(key[0] for key in loading["mismatched_keys"])]
    if wrong:
        raise UnsupportedModelError(
            f"{checkpoint.folder}: {len(wrong)} weights are missing or of another shape,"
            f" {sorted(map(str, wrong))[0]} among them"
        )
    return module.to(device).eval().requires_grad_(False)


def _bytes_per_token(config: Any, dtype: torch.dtype) -> int:
    """Of the key-value cache, all layers."""
    if getattr(config, "kv_lora_rank", None):
        width = config.kv_lora_rank + config.qk_rope_head_dim
    else:
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_dim = getattr(config, "head_dim", None)
        width = 2 * heads * (head_dim or config.hidden_size // config.num_attention_heads)
    return int(config.num_hidden_layers * width * dtype.itemsize)
