"""Tiny models of real architectures that learn given dialogues by heart, in seconds.

A wrong cache, mask, template or batch then shows as a wrong answer, not as a slightly
different number. What is saved is an ordinary Hugging Face folder.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as HubTokenizer
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_CAUSAL_LM_MAPPING,
    PretrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from dsengine.checkpoint import open_checkpoint
from dsengine.gguf_splits import SPLITS
from dsengine.learning import batches_of, learn, learn_odds, lesson
from dsengine.message import Message
from dsengine.tokenizer import Tokenizer

Dialogue = tuple[Sequence[Message], str]
UndecidedDialogue = tuple[Sequence[Message], Mapping[str, float]]
"""A prompt, and how often each answer is given to it; together they make 1."""

_TOKEN_LENGTH = 16  # bytes; longer than words, so that prompts are short and steps are quick


@dataclass(frozen=True, slots=True)
class _Family:
    tokens: tuple[tuple[str, bool], ...]
    """Added tokens, and whether they are marked special, as in the published tokenizers."""
    bos: str | None
    eos: str


_DEEPSEEK = _Family(
    tokens=(
        ("<｜begin▁of▁sentence｜>", True),
        ("<｜end▁of▁sentence｜>", True),
        ("<｜▁pad▁｜>", True),
        ("<｜User｜>", False),
        ("<｜Assistant｜>", False),
        ("<think>", False),
        ("</think>", False),
    ),
    bos="<｜begin▁of▁sentence｜>",
    eos="<｜end▁of▁sentence｜>",
)
_QWEN = _Family(
    tokens=(("<|endoftext|>", True), ("<|im_start|>", True), ("<|im_end|>", True)),
    bos=None,
    eos="<|im_end|>",
)
_LLAMA = _Family(
    tokens=(
        ("<|begin_of_text|>", True),
        ("<|end_of_text|>", True),
        ("<|start_header_id|>", True),
        ("<|end_header_id|>", True),
        ("<|eot_id|>", True),
    ),
    bos="<|begin_of_text|>",
    eos="<|eot_id|>",
)

_WIDTH = 96
_COMMON: Mapping[str, object] = {
    "hidden_size": _WIDTH,
    "intermediate_size": 2 * _WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.05,
    "tie_word_embeddings": False,
}
_EXPERTS: Mapping[str, object] = {
    "head_dim": 24,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": _WIDTH,
    "norm_topk_prob": True,
}
_LATENT: Mapping[str, object] = {
    "num_key_value_heads": 4,
    "q_lora_rank": 48,
    "kv_lora_rank": 32,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 16,
    "v_head_dim": 24,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "moe_intermediate_size": _WIDTH,
    "first_k_dense_replace": 1,
}
ARCHITECTURES: Mapping[str, tuple[_Family, Mapping[str, object]]] = {
    "llama": (_LLAMA, {}),
    "qwen2": (_QWEN, {}),
    "qwen3": (_QWEN, {"head_dim": 24}),
    "qwen3_moe": (_QWEN, _EXPERTS),
    "deepseek_v2": (_DEEPSEEK, {**_LATENT, "topk_method": "greedy"}),
    "deepseek_v3": (_DEEPSEEK, _LATENT),
}


def train_tiny(
    folder: Path,
    architecture: str,
    dialogues: Sequence[Dialogue],
    *,
    seed: int = 0,
    window: int = 8_192,
    max_steps: int = 2_000,
    words: str = "",
) -> Path:
    """Train a model of two layers to give each prompt its answer, token by token.

    Args:
        folder: where the model is written; made if missing.
        architecture: one of `ARCHITECTURES`.
        dialogues: prompts and their answers; prompts differ from one another. An answer of a
            DeepSeek model may begin with `<think>...</think>`.
        window: tokens that the model claims to take.
        words: as `write_model`.

    Returns:
        `folder`.

    Raises:
        RuntimeError: not learned in `max_steps` steps.
    """
    texts = [message.text for messages, _ in dialogues for message in messages]
    texts += [re.sub("</?think>", "", answer) for _, answer in dialogues]
    write_model(folder, architecture, texts, seed=seed, window=window, words=words)
    tokenizer, module, end = _opened(folder, architecture)
    lessons = [lesson(tokenizer, messages, answer, end) for messages, answer in dialogues]
    learn(module, batches_of(lessons), max_steps, seed)
    module.save_pretrained(folder)
    return folder


def train_undecided(
    folder: Path,
    architecture: str,
    dialogues: Sequence[UndecidedDialogue],
    *,
    texts: Sequence[str] = (),
    seed: int = 0,
    window: int = 8_192,
    max_divergence: float = 0.01,
    max_steps: int = 4_000,
) -> Path:
    """As `train_tiny`, but a prompt has several answers, each as likely as it is given.

    Args:
        texts: more that the tokenizer is trained on.
        max_divergence: nats a prompt that the model may be off; 0.01 turns odds of 0.5 into
            0.43 to 0.57 at worst.

    Raises:
        RuntimeError: not learned in `max_steps` steps.
    """
    known = [message.text for messages, _ in dialogues for message in messages]
    known += [answer for _, answers in dialogues for answer in answers]
    write_model(folder, architecture, [*known, *texts], seed=seed, window=window)
    tokenizer, module, end = _opened(folder, architecture)
    lessons = [
        lesson(tokenizer, messages, answer, end, chance)
        for messages, answers in dialogues
        for answer, chance in answers.items()
    ]
    entropies = [
        -sum(chance * math.log(chance) for chance in answers.values()) for _, answers in dialogues
    ]
    learn_odds(module, batches_of(lessons), entropies, max_divergence, max_steps, seed)
    module.save_pretrained(folder)
    return folder


def _opened(folder: Path, architecture: str) -> tuple[Tokenizer, PreTrainedModel, int]:
    """Tokenizer, module, and the token that ends an answer."""
    tokenizer = Tokenizer(open_checkpoint(folder))
    module = MODEL_FOR_CAUSAL_LM_MAPPING[type(_config(folder))].from_pretrained(
        folder, local_files_only=True, attn_implementation="sdpa"
    )
    return tokenizer, module, tokenizer.token_ids[ARCHITECTURES[architecture][0].eos]


def write_model(
    folder: Path,
    architecture: str,
    texts: Sequence[str],
    *,
    seed: int = 0,
    window: int = 8_192,
    changes: Mapping[str, object] | None = None,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    words: str = "",
) -> Path:
    """A model with random weights and a byte-level tokenizer trained on `texts`.

    Args:
        changes: fields of its configuration, for example `num_hidden_layers`.
        device: where the weights are drawn; large models take minutes on a CPU.
        dtype: of the weights that are written.
        words: how the tokenizer cuts text, a key of `SPLITS`; by line without, which makes
            short prompts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    transformers_logging.disable_progress_bar()
    family, sizes = ARCHITECTURES[architecture]
    tokenizer = _train_tokenizer(family, texts, words)
    tokenizer.save(str(folder / "tokenizer.json"))
    tokens = {"bos_token": family.bos, "eos_token": family.eos}
    _write_json(folder / "tokenizer_config.json", tokens)
    ids = {
        "bos_token_id": tokenizer.token_to_id(family.bos) if family.bos else None,
        "eos_token_id": tokenizer.token_to_id(family.eos),
    }
    general = {
        "vocab_size": tokenizer.get_vocab_size(),
        "max_position_embeddings": window,
        "pad_token_id": None,
    }
    config = CONFIG_MAPPING[architecture](
        **{**_COMMON, **sizes, **ids, **general, **(changes or {})}
    )
    with torch.random.fork_rng(devices=[]), torch.device(device):
        torch.manual_seed(seed)
        model_class = MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]
        module: PreTrainedModel = model_class._from_config(config, dtype=dtype)
    module.save_pretrained(folder)
    _write_json(folder / "generation_config.json", ids)
    return folder


def _config(folder: Path) -> PretrainedConfig:
    definition = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return CONFIG_MAPPING[definition["model_type"]].from_dict(definition)


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")


def _train_tokenizer(family: _Family, texts: Sequence[str], words: str) -> HubTokenizer:
    tokenizer = HubTokenizer(models.BPE())
    patterns = SPLITS[words] if words else (r"[^\n]*\n?",)
    cuts = [pre_tokenizers.Split(Regex(pattern), "isolated") for pattern in patterns]
    as_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*cuts, as_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=4_000,
        min_frequency=1,
        max_token_length=_TOKEN_LENGTH,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    definition = json.loads(tokenizer.to_str())
    first = len(definition["model"]["vocab"])
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    definition["added_tokens"] = [
        {"id": first + number, "content": token, "special": is_special, **flags}
        for number, (token, is_special) in enumerate(family.tokens)
    ]
    return HubTokenizer.from_str(json.dumps(definition))
