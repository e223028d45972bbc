"""A model's folder as a GGUF file: for tests and measurements of tiny and random models.

Needs the package `gguf`, of which the writer alone is used. Families: Llama, Qwen 2 and 3,
DeepSeek V2 and V3.

Source: names and keys are those of the GGUF specification; layouts that differ from
transformers' as llama.cpp reads them (rotary pairs side by side in Llama; latents of
DeepSeek split into keys, transposed, and values; experts in one tensor).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gguf
import torch
from safetensors.torch import load_file
from torch import Tensor

from dsengine.checkpoint import Checkpoint, open_checkpoint

_ARCHITECTURES: Final[Mapping[str, str]] = {
    "llama": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "deepseek_v2": "deepseek2",
    "deepseek_v3": "deepseek2",
}
_NAMES: Final[Mapping[str, str]] = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "self_attn.q_a_proj": "attn_q_a",
    "self_attn.q_a_layernorm": "attn_q_a_norm",
    "self_attn.q_b_proj": "attn_q_b",
    "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa",
    "self_attn.kv_a_layernorm": "attn_kv_a_norm",
    "self_attn.k_b_proj": "attn_k_b",
    "self_attn.v_b_proj": "attn_v_b",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "mlp.gate": "ffn_gate_inp",
    "mlp.gate.e_score_correction": "exp_probs_b",
    "mlp.experts.gate_proj": "ffn_gate_exps",
    "mlp.experts.up_proj": "ffn_up_exps",
    "mlp.experts.down_proj": "ffn_down_exps",
    "mlp.shared_experts.gate_proj": "ffn_gate_shexp",
    "mlp.shared_experts.up_proj": "ffn_up_shexp",
    "mlp.shared_experts.down_proj": "ffn_down_shexp",
}
_LAYER: Final = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)$")
_EXPERT: Final = re.compile(r"(.+\.mlp\.experts)\.(\d+)\.(\w+_proj)\.weight$")
_NORMAL, _CONTROL, _USER_DEFINED, _UNUSED = 1, 3, 4, 5


@dataclass(frozen=True, slots=True)
class GgufOptions:
    pre_tokenizer: str | None = None
    """`tokenizer.ggml.pre`; without one the whole tokenizer.json is written beside it."""
    is_q8_0: bool = False
    """Matrices in 8 bits; float32 else."""


def write_gguf(folder: Path, path: Path, options: GgufOptions = GgufOptions()) -> Path:
    """Write the model of `folder` to `path`.

    Raises:
        KeyError: of no family that is known here.
    """
    checkpoint = open_checkpoint(folder)
    writer = gguf.GGUFWriter(path, _ARCHITECTURES[checkpoint.model_type])
    eight_bits = gguf.GGMLQuantizationType.Q8_0
    kind = gguf.LlamaFileType.MOSTLY_Q8_0 if options.is_q8_0 else gguf.LlamaFileType.ALL_F32
    writer.add_file_type(kind)
    _add_sizes(writer, checkpoint)
    _add_tokenizer(writer, checkpoint, options)
    for name, weight in _tensors(checkpoint):
        numbers = weight.float().contiguous().numpy()
        if options.is_q8_0 and weight.dim() > 1 and weight.shape[-1] % 32 == 0:
            packed = gguf.quants.quantize(numbers, eight_bits)
            writer.add_tensor(name, packed, raw_dtype=eight_bits)
        else:
            writer.add_tensor(name, numbers)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_sizes(writer: Any, checkpoint: Checkpoint) -> None:
    config = checkpoint.config

    def size(name: str) -> int:
        return int(config[name])  # type: ignore[call-overload,no-any-return] # written by us

    writer.add_context_length(size("max_position_embeddings"))
    writer.add_embedding_length(size("hidden_size"))
    writer.add_block_count(size("num_hidden_layers"))
    writer.add_feed_forward_length(size("intermediate_size"))
    writer.add_head_count(size("num_attention_heads"))
    writer.add_vocab_size(size("vocab_size"))
    writer.add_layer_norm_rms_eps(float(str(config["rms_norm_eps"])))
    rotary = config.get("rope_parameters")
    theta = rotary.get("rope_theta") if isinstance(rotary, dict) else config.get("rope_theta")
    writer.add_rope_freq_base(float(str(theta)))
    if "kv_lora_rank" in config:
        _add_latent_sizes(writer, config, size)
        return
    writer.add_head_count_kv(size("num_key_value_heads"))
    head_size = size("hidden_size") // size("num_attention_heads")
    head_size = size("head_dim") if config.get("head_dim") else head_size
    writer.add_key_length(head_size)
    writer.add_value_length(head_size)
    writer.add_rope_dimension_count(head_size)


def _add_latent_sizes(writer: Any, config: Mapping[str, object], size: Any) -> None:
    rotated = size("qk_rope_head_dim")
    writer.add_head_count_kv(1)
    if config.get("q_lora_rank"):
        writer.add_q_lora_rank(size("q_lora_rank"))
    writer.add_kv_lora_rank(size("kv_lora_rank"))
    writer.add_key_length(size("kv_lora_rank") + rotated)
    writer.add_value_length(size("kv_lora_rank"))
    writer.add_key_length_mla(size("qk_nope_head_dim") + rotated)
    writer.add_value_length_mla(size("v_head_dim"))
    writer.add_rope_dimension_count(rotated)
    writer.add_leading_dense_block_count(size("first_k_dense_replace"))
    writer.add_expert_feed_forward_length(size("moe_intermediate_size"))
    writer.add_expert_count(size("n_routed_experts"))
    writer.add_expert_used_count(size("num_experts_per_tok"))
    writer.add_expert_shared_count(size("n_shared_experts"))
    writer.add_expert_weights_scale(float(str(config["routed_scaling_factor"])))
    writer.add_expert_weights_norm(bool(config.get("norm_topk_prob")))
    gates = gguf.ExpertGatingFuncType
    is_v3 = config["model_type"] == "deepseek_v3"
    writer.add_expert_gating_func(gates.SIGMOID if is_v3 else gates.SOFTMAX)


def _add_tokenizer(writer: Any, checkpoint: Checkpoint, options: GgufOptions) -> None:
    definition = json.loads(checkpoint.tokenizer)
    model = definition["model"]
    texts: dict[int, tuple[str, int]] = {
        id_: (token, _NORMAL) for token, id_ in model["vocab"].items()
    }
    for added in definition["added_tokens"]:
        kind = _CONTROL if added["special"] else _USER_DEFINED
        texts[added["id"]] = (added["content"], kind)
    size = int(str(checkpoint.config["vocab_size"]))
    rows = [texts.get(id_, (f"[PAD{id_}]", _UNUSED)) for id_ in range(size)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(options.pre_tokenizer or "gpt-2")
    writer.add_token_list([token for token, _ in rows])
    writer.add_token_types([kind for _, kind in rows])
    writer.add_token_merges([_merge(pair) for pair in model["merges"]])
    if options.pre_tokenizer is None:
        writer.add_string("tokenizer.huggingface.json", checkpoint.tokenizer)
    if checkpoint.chat_template:
        writer.add_chat_template(checkpoint.chat_template)
    ids = {token: id_ for id_, (token, _) in texts.items()}
    begin, end = (checkpoint.tokenizer_config.get(name) for name in ("bos_token", "eos_token"))
    if isinstance(begin, str):
        writer.add_bos_token_id(ids[begin])
    if isinstance(end, str):
        writer.add_eos_token_id(ids[end])
    writer.add_add_bos_token(isinstance(begin, str))


def _merge(pair: str | Sequence[str]) -> str:
    return pair if isinstance(pair, str) else " ".join(pair)


def _tensors(checkpoint: Checkpoint) -> Iterator[tuple[str, Tensor]]:
    """Names and weights as llama.cpp wants them."""
    weights: dict[str, Tensor] = {}
    for path in checkpoint.weights:
        weights |= load_file(path)
    for name, weight in _with_latents_split(checkpoint, _with_stacked_experts(weights)):
        if name == "lm_head.weight" and checkpoint.config.get("tie_word_embeddings"):
            continue
        yield _gguf_name(name), _paired(checkpoint, name, weight)


def _gguf_name(name: str) -> str:
    name = name.replace("e_score_correction_bias", "e_score_correction.bias")
    layer = _LAYER.match(name)
    if layer:
        return f"blk.{layer[1]}.{_NAMES[layer[2]]}.{layer[3]}"
    stem, _, kind = name.rpartition(".")
    return f"{_NAMES[stem]}.{kind}"


def _with_stacked_experts(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Experts of a layer in one tensor, in their order."""
    stacked: dict[str, Tensor] = {}
    experts: dict[str, dict[int, Tensor]] = {}
    for name, weight in weights.items():
        match = _EXPERT.match(name)
        if match:
            experts.setdefault(f"{match[1]}.{match[3]}.weight", {})[int(match[2])] = weight
        elif name.endswith("mlp.experts.gate_up_proj"):
            gate, up = weight.chunk(2, dim=1)
            stem = name.removesuffix("gate_up_proj")
            stacked |= {f"{stem}gate_proj.weight": gate, f"{stem}up_proj.weight": up}
        elif name.endswith("mlp.experts.down_proj"):
            stacked[f"{name}.weight"] = weight
        else:
            stacked[name] = weight
    for name, parts in experts.items():
        stacked[name] = torch.stack([parts[number] for number in sorted(parts)])
    return stacked


def _with_latents_split(
    checkpoint: Checkpoint, weights: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    for name, weight in weights.items():
        if not name.endswith("kv_b_proj.weight"):
            yield name, weight
            continue
        heads, keys = (
            int(str(checkpoint.config[key])) for key in ("num_attention_heads", "qk_nope_head_dim")
        )
        both = weight.reshape(heads, -1, weight.shape[-1])
        yield name.replace("kv_b_proj", "k_b_proj"), both[:, :keys].transpose(1, 2)
        yield name.replace("kv_b_proj", "v_b_proj"), both[:, keys:]


def _paired(checkpoint: Checkpoint, name: str, weight: Tensor) -> Tensor:
    """llama.cpp turns neighbours of Llama's heads, transformers the two halves."""
    match = re.search(r"self_attn\.([qk])_proj\.weight$", name)
    if checkpoint.model_type != "llama" or not match:
        return weight
    key = "num_attention_heads" if match[1] == "q" else "num_key_value_heads"
    heads = int(str(checkpoint.config[key]))
    halves = weight.reshape(heads, 2, -1, weight.shape[-1])
    return halves.transpose(1, 2).reshape(weight.shape)
