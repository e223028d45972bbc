"""What a model and its batches will take of a device's memory, from the headers alone.

Nothing is loaded for it, torch included. The network is read off the shapes of its tensors,
since configurations leave out what their model type has by default.

T tokens of a pass, B rows, P tokens of their prefix, S own slots of each row.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from dsengine.checkpoint import Checkpoint
from dsengine.weight_files import StoredTensor

WEIGHTS = ("full", "int8", "int4")
"""How weights can be kept, from the most precise."""
QUANTIZABLE = frozenset(
    {"llama", "mistral", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe", "deepseek_v2", "deepseek_v3"}
)
"""Model types whose weights can be kept in fewer bits."""
GROUP = 32
"""Numbers of a row that share one scale at 4 bits."""
SLOT_BLOCK = 128
"""Slots of a row come in blocks of so many."""
PASS_TOKENS: Mapping[str, int] = {"cpu": 512, "mps": 512, "cuda": 8_192}
"""Tokens that go through the network at once; bounds its memory and the wait for a deadline."""

_LAYER = re.compile(r"\blayers\.(\d+)\.")
_NEVER_LOADED = re.compile(r"rotary_emb\.inv_freq$|masked_bias$|attn\.bias$")
_PRODUCT = re.compile(r"(_proj|_with_mqa|\.experts\.\d+\.w[123])\.weight$")
_STACK = re.compile(r"\.experts\.(gate_up|down)_proj$")
_EXPANDED = "kv_b_proj.weight"  # attention reads it in parts, so it is kept as it is
_HEAD = "lm_head.weight"
_SCALE_BYTES_8, _SCALE_BYTES_4 = 4, 2


@dataclass(frozen=True, slots=True)
class Numbers:
    """How what is loaded is kept."""

    weights: str
    """One of `WEIGHTS`."""
    itemsize: int
    """Bytes of a number that is not quantised, and of keys and values."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A batch that is to run."""

    num_rows: int
    num_prefix: int
    """Tokens that all rows share."""
    num_slots: int
    """Tokens of each row behind them, its answer included."""
    device: str
    """mps, cuda or cpu."""

    @property
    def max_pass_tokens(self) -> int:
        return PASS_TOKENS[self.device]


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes on the device."""

    weight_bytes: int
    cache_bytes: int
    """Keys and values of the prefix and of all rows."""
    workspace_bytes: int
    """What the largest pass needs beside them, and libraries of the device."""

    @property
    def total_bytes(self) -> int:
        return self.weight_bytes + self.cache_bytes + self.workspace_bytes


def plan_memory(
    checkpoint: Checkpoint, numbers: Numbers, demand: Demand, fixed_bytes: int = 0
) -> MemoryPlan:
    """
    Args:
        fixed_bytes: what the device's libraries take whatever runs.
    """
    tensors = loaded_tensors(checkpoint)
    shape = _shape(checkpoint, tensors)
    slots = -(-(demand.num_slots + 1) // SLOT_BLOCK) * SLOT_BLOCK
    cached = demand.num_prefix + demand.num_rows * slots
    return MemoryPlan(
        weight_bytes=sum(stored_bytes(tensor, numbers) for tensor in tensors),
        cache_bytes=cached * shape.cache_width * numbers.itemsize,
        workspace_bytes=_workspace(shape, numbers, demand, slots) + fixed_bytes,
    )


def loaded_tensors(checkpoint: Checkpoint) -> tuple[StoredTensor, ...]:
    """Without layers behind the last one, a head that is the embedding, and old buffers."""
    num_layers = _count(checkpoint, "num_hidden_layers")
    is_tied = checkpoint.config.get("tie_word_embeddings") is True

    def is_loaded(name: str) -> bool:
        layer = _LAYER.search(name)
        if layer and num_layers and int(layer[1]) >= num_layers:
            return False
        return not (_NEVER_LOADED.search(name) or (is_tied and name == _HEAD))

    return tuple(tensor for tensor in checkpoint.tensors if is_loaded(tensor.name))


def bits_of(name: str, shape: Sequence[int], weights: str) -> int | None:
    """8 or 4, or None for a tensor that is kept full.

    Embeddings, the head, norms, routers and biases stay full: small, or every token of an
    answer depends on them. Rows that no group divides take 8 bits.
    """
    is_product = _PRODUCT.search(name) and len(shape) == 2 and not name.endswith(_EXPANDED)
    if weights == "full" or not (is_product or (_STACK.search(name) and len(shape) == 3)):
        return None
    return 4 if weights == "int4" and shape[-1] % GROUP == 0 else 8


def stored_bytes(tensor: StoredTensor, numbers: Numbers) -> int:
    """In memory, scales included."""
    count = tensor.num_elements
    bits = bits_of(tensor.name, tensor.shape, numbers.weights)
    if bits is None:
        return count * numbers.itemsize
    if bits == 4:
        return count // 2 + count // GROUP * _SCALE_BYTES_4
    return count + count // max(1, tensor.shape[-1]) * _SCALE_BYTES_8


def bytes_per_token(checkpoint: Checkpoint, itemsize: int) -> int:
    """Of the key-value cache, all layers."""
    return _shape(checkpoint, loaded_tensors(checkpoint)).cache_width * itemsize


@dataclass(frozen=True, slots=True)
class _Shape:
    """Of a network; widths are numbers a token."""

    hidden: int
    inner: int
    """Of the widest layer between two products, its three parts together."""
    query: int
    """Of all heads."""
    num_heads: int
    cache_width: int
    """All layers."""
    layer_cache_width: int
    vocab: int
    largest_product: int
    """Numbers of the largest matrix that could be quantised."""
    has_latents: bool


def _shape(checkpoint: Checkpoint, tensors: Sequence[StoredTensor]) -> _Shape:
    hidden = _width(tensors, "embed_tokens.weight", 1) or _count(checkpoint, "hidden_size")
    latents = _widths(tensors, "kv_a_proj_with_mqa.weight")
    cached = [*latents, *_widths(tensors, "k_proj.weight"), *_widths(tensors, "v_proj.weight")]
    query = max(_width(tensors, "q_proj.weight"), _width(tensors, "q_b_proj.weight")) or hidden
    num_layers = max(1, _count(checkpoint, "num_hidden_layers"))
    cache_width = sum(cached) or 2 * hidden * num_layers
    experts = max(_widths(tensors, r"experts\.0\.(gate|w1)\S*"), default=0)
    dense = _width(tensors, r"mlp\.(gate|up|gate_up)_proj.weight")
    chosen = max(1, _count(checkpoint, "num_experts_per_tok")) if experts else 1
    return _Shape(
        hidden=hidden,
        inner=3 * max(dense, experts * chosen),
        query=query,
        num_heads=max(1, _count(checkpoint, "num_attention_heads")),
        cache_width=cache_width,
        layer_cache_width=-(-cache_width // num_layers),
        vocab=_width(tensors, "embed_tokens.weight") or _count(checkpoint, "vocab_size"),
        largest_product=max(
            (tensor.num_elements for tensor in tensors if _PRODUCT.search(tensor.name)), default=0
        ),
        has_latents=bool(latents),
    )


def _workspace(shape: _Shape, numbers: Numbers, demand: Demand, slots: int) -> int:
    """Of the largest pass: over the prefix, or over prompts that come in behind it."""
    prefix, rows, most = demand.num_prefix, demand.num_rows, demand.max_pass_tokens
    alone = _pass_bytes(shape, numbers, demand.device, 1, min(prefix, most), prefix)
    # the prefix is computed in slots of its own and then copied out of them
    twice = prefix * shape.cache_width * numbers.itemsize
    later = rows * slots * shape.cache_width * numbers.itemsize
    tokens = max(1, min(most // rows, demand.num_slots))
    together = _pass_bytes(shape, numbers, demand.device, rows, tokens, prefix + slots)
    return max(alone + max(0, twice - later), together)


def _pass_bytes(
    shape: _Shape, numbers: Numbers, device: str, rows: int, tokens: int, visible: int
) -> int:
    """One layer of a pass of `rows` times `tokens`, and the logits behind it.

    What is alive at once, by `torch_runner.attention`: with latents the scores, their
    halves, softmax and weights; else on a GPU the prefix beside the slots of each row.
    """
    size, count = numbers.itemsize, rows * tokens
    layer = count * (4 * shape.hidden + shape.inner) * size
    if shape.has_latents:
        softmax = 4 + (size if size < 4 else 0)
        scores = rows * shape.num_heads * tokens * visible * (2 * size + softmax)
        attention = scores + 6 * count * shape.num_heads * shape.layer_cache_width * size
    else:
        copies = rows * visible * (2 * shape.query + shape.layer_cache_width) * size
        attention = count * 3 * shape.query * size + (copies if device != "cpu" else 0)
    mask = 2 * count * visible * size
    logits = rows * shape.vocab * (size + 3 * 4)
    scratch = shape.largest_product * size if numbers.weights != "full" else 0
    return max(layer, attention, logits) + count * 2 * shape.hidden * size + mask + scratch


def _widths(tensors: Iterable[StoredTensor], pattern: str, dimension: int = 0) -> list[int]:
    """Lengths of the tensors whose name ends so."""
    ending = re.compile(rf"(?:^|\.){pattern}$")
    return [t.shape[dimension] for t in tensors if len(t.shape) == 2 and ending.search(t.name)]


def _width(tensors: Iterable[StoredTensor], pattern: str, dimension: int = 0) -> int:
    return max(chain(_widths(tensors, pattern, dimension), (0,)))


def _count(checkpoint: Checkpoint, key: str) -> int:
    return checkpoint.count(key) or 0
