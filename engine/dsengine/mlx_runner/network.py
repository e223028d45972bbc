"""A checkpoint's weights in mlx-lm's class of its model type.

Only the class is taken from there: neither its loader, which can import a file that a model
names, nor its tokenizer.
"""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import mlx.core as mx
from mlx.nn.layers.quantized import quantize
from mlx.utils import tree_flatten

from dsengine.checkpoint import Checkpoint
from dsengine.errors import UnsupportedModelError

SUPPORTED: Final = frozenset({"llama", "qwen2", "qwen3", "qwen3_moe", "deepseek_v2", "deepseek_v3"})
"""Model types whose attention was held against transformers'."""
_ROPES: Final = frozenset({"default", "linear", "llama3", "yarn"})
_ROOM = 64  # tokens below which a window is of no use
_BITS: Mapping[str, int] = {"int8": 8, "int4": 4}
_GROUPS: Final = (64, 32)
"""Numbers that share a scale and an offset; the first that divides a row."""
_EXPANDED: Final = "kv_b_proj"
_DTYPES: Mapping[str, mx.Dtype] = {
    "float32": mx.float32,
    "bfloat16": mx.bfloat16,
    "float16": mx.float16,
}


class Network:
    """A causal language model on MLX's default device."""

    def __init__(self, checkpoint: Checkpoint, dtype_name: str, weights: str = "full") -> None:
        """
        Args:
            weights: full, int8 or int4; full leaves what is packed already as it is.

        Raises:
            UnsupportedModelError: of a kind that torch alone runs, or damaged.
        """
        config = translated(checkpoint)
        self.window = _window(checkpoint)
        self.dtype_name = _quantised_name(config) or (dtype_name if weights == "full" else weights)
        try:
            module = importlib.import_module(f"mlx_lm.models.{checkpoint.model_type}")
            self.module: Any = module.Model(module.ModelArgs.from_dict(config))
            _load(self.module, checkpoint, config, _DTYPES[dtype_name])
            if weights != "full":
                _pack(self.module, _BITS[weights])
            _read(self.module)
        except (ValueError, TypeError, KeyError, RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UnsupportedModelError(
                f"{checkpoint.folder}: mlx cannot load it: {reason}; use --runner torch"
            ) from None
        self.num_layers = len(self.module.layers)
        self.is_tied = bool(config["tie_word_embeddings"])
        self.vocab_size = int(self._head(mx.zeros((1, int(config["hidden_size"])))).shape[-1])

    def hidden(self, ids: mx.array, caches: Sequence[object]) -> mx.array:
        """(B, Q) to (B, Q, D), behind the last norm."""
        states: mx.array = self.module.model(ids, cache=list(caches))
        return states

    def logits(self, hidden: mx.array) -> mx.array:
        """(..., D) to float32 (..., V)."""
        return self._head(hidden).astype(mx.float32)

    def _head(self, hidden: mx.array) -> mx.array:
        has_own = "lm_head" in self.module
        head = self.module.lm_head if has_own else self.module.model.embed_tokens.as_linear
        scores: mx.array = head(hidden)
        return scores


def translated(checkpoint: Checkpoint) -> dict[str, Any]:
    """The configuration as mlx-lm reads it, without what its classes would take otherwise.

    Raises:
        UnsupportedModelError: torch alone runs such a model.
    """
    config = dict(checkpoint.config)
    model_type = checkpoint.model_type
    if model_type not in SUPPORTED:
        raise _unsupported(checkpoint, f"model type {model_type!r}")
    rope = config.pop("rope_parameters", None)
    if isinstance(rope, dict):  # as transformers writes it from version 5 on
        rope = dict(rope)
        config["rope_theta"] = rope.pop("rope_theta", config.get("rope_theta", 10_000.0))
        config["rope_scaling"] = rope
    scaling = config.get("rope_scaling")
    kind = "default"
    if isinstance(scaling, dict):
        kind = str(scaling.get("rope_type") or scaling.get("type") or "default")
    if kind not in _ROPES:
        raise _unsupported(checkpoint, f"rope of type {kind!r}")
    if kind == "default":
        # version 2 of DeepSeek is only known with a factor; one is none
        config["rope_scaling"] = {"factor": 1.0} if model_type == "deepseek_v2" else None
    if model_type == "deepseek_v2" and config.get("norm_topk_prob"):
        raise _unsupported(checkpoint, "experts whose weights sum to one")
    for key in ("layer_types", "sliding_window", "use_sliding_window"):
        config.pop(key, None)  # within `_window` every layer sees all tokens
    has_head = any(tensor.name == "lm_head.weight" for tensor in checkpoint.tensors)
    config["tie_word_embeddings"] = config.get("tie_word_embeddings", not has_head)
    return {key: value for key, value in config.items() if value is not None or key in _NULLABLE}


_NULLABLE: Final = frozenset({"rope_scaling", "q_lora_rank", "n_shared_experts"})
"""None means something else there than not being told."""


def _window(checkpoint: Checkpoint) -> int:
    """Tokens that every layer sees."""
    limits = [checkpoint.window]
    if checkpoint.config.get("use_sliding_window", True):
        limits.append(checkpoint.count("sliding_window") or checkpoint.window)
    if min(limits) < _ROOM:
        raise UnsupportedModelError(
            f"{checkpoint.folder}: its window of {min(limits)} is too small"
        )
    return min(limits)


def _quantised_name(config: Mapping[str, Any]) -> str:
    """int4 for a folder of MLX's own quantised format; "" for plain weights."""
    quantization = config.get("quantization")
    return f"int{quantization['bits']}" if isinstance(quantization, dict) else ""


def _load(module: Any, checkpoint: Checkpoint, config: Mapping[str, Any], dtype: mx.Dtype) -> None:
    """Nothing is read yet: MLX reads a tensor when it is needed."""
    weights: dict[str, mx.array] = {}
    for path in checkpoint.weights:
        loaded = mx.load(str(path))
        assert isinstance(loaded, dict)  # as of every safetensors file
        weights.update(loaded)
    weights = module.sanitize(weights)
    quantization = config.get("quantization")
    if isinstance(quantization, dict):
        quantize(
            module,
            group_size=int(quantization["group_size"]),
            bits=int(quantization["bits"]),
            class_predicate=lambda path, part: (
                hasattr(part, "to_quantized") and f"{path}.scales" in weights
            ),
        )
    module.load_weights(list(_cast(weights, dtype).items()), strict=True)


def _pack(module: Any, bits: int) -> None:
    """Keep products in fewer bits; embeddings, head, routers and latents stay as they are."""

    def packing(path: str, part: Any) -> bool | dict[str, int]:
        name = path.rpartition(".")[2]
        is_product = name.endswith(("_proj", "_with_mqa")) and name != _EXPANDED
        if not is_product or not hasattr(part, "to_quantized"):
            return False
        fitting = [group for group in _GROUPS if part.weight.shape[-1] % group == 0]
        return {"group_size": fitting[0], "bits": bits} if fitting else False

    quantize(module, class_predicate=packing)


def _read(module: Any) -> None:
    """One tensor after the other, so that no two are there in full and packed at once."""
    module.eval()
    parameters: Any = tree_flatten(module.parameters())
    for _, value in parameters:
        mx.eval(value)


def _cast(weights: Mapping[str, mx.array], dtype: mx.Dtype) -> dict[str, mx.array]:
    """What counts is kept in `dtype`; packed weights are no floating numbers."""
    return {
        name: value.astype(dtype) if mx.issubdtype(value.dtype, mx.floating) else value
        for name, value in weights.items()
    }


def _unsupported(checkpoint: Checkpoint, what: str) -> UnsupportedModelError:
    return UnsupportedModelError(
        f"{checkpoint.folder}: {what} is not run by mlx; use --runner torch"
    )
