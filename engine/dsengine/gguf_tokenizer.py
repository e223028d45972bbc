"""tokenizer.json from the metadata of a GGUF file.

The vocabulary, its merges or scores and the kinds of its tokens are in the file; how text is
cut before is a name (`gguf_splits`). What comes out goes through `dsengine.tokenizer` like
any other, whose twin keeps text from becoming control.

Source: the GGUF specification; merges of scored vocabularies as in "SentencePiece", Kudo and
Richardson, 2018: the pair whose token scores best comes first.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from dsengine.errors import UnsupportedModelError
from dsengine.gguf import GgufHeader
from dsengine.gguf_splits import SPLITS, WHOLE_WORDS_FIRST

Json = dict[str, object]

_MAX_TOKENS: Final = 1 << 20
_MAX_PIECE: Final = 512
"""Characters of a scored token: each is tried at every place."""
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
_SPACE: Final = "▁"

_SPLITS_OF_OLD_FILES: Final[tuple[tuple[frozenset[str], str], ...]] = (
    (frozenset({"<｜begin▁of▁sentence｜>", "<|EOT|>"}), "deepseek-coder"),
    (frozenset({"<|begin_of_text|>", "<|eot_id|>"}), "llama-bpe"),
    (frozenset({"<|im_start|>", "<|endoftext|>"}), "qwen2"),
)
"""Files from before the name was written are told by their control tokens."""


def tokenizer_json(header: GgufHeader) -> str:
    """Text of a tokenizer.json.

    Raises:
        UnsupportedModelError: of a kind that is not known here, or damaged.
    """
    whole = header.text("tokenizer.huggingface.json")
    if whole:
        return whole
    kind = header.text("tokenizer.ggml.model")
    if kind not in _MODELS:
        known = ", ".join(_MODELS)
        raise UnsupportedModelError(f"{header.path}: tokenizer {kind!r} is none of: {known}")
    tokens, kinds = _tokens(header)
    definition = _MODELS[kind](header, tokens, kinds)
    added = [
        {"id": id_, "content": token, "special": kind == _CONTROL, **_FLAGS}
        for id_, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind in (_CONTROL, _USER_DEFINED) and token
    ]
    return json.dumps({"version": "1.0", "added_tokens": added, **definition})


def tokenizer_config(header: GgufHeader) -> Json:
    """What tokenizer_config.json says: tokens that begin and end a text, and all added ones."""
    tokens, kinds = _tokens(header)
    config: Json = {
        f"{name}_token": tokens[id_]
        for name in ("bos", "eos")
        if (id_ := header.integer(f"tokenizer.ggml.{name}_token_id")) is not None
        and 0 <= id_ < len(tokens)
    }
    if not header.flag("tokenizer.ggml.add_bos_token", default=True):
        config.pop("bos_token", None)
    config["added_tokens_decoder"] = {
        str(id_): {"content": token}
        for id_, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind in (_CONTROL, _USER_DEFINED) and token
    }
    return config


def end_ids(header: GgufHeader) -> list[int]:
    """Tokens that end an answer; what no turn ends with is left to the template."""
    names = ("eos", "eot", "eom")
    found = (header.integer(f"tokenizer.ggml.{name}_token_id") for name in names)
    return sorted({id_ for id_ in found if id_ is not None and id_ >= 0})


_FLAGS: Final[Mapping[str, bool]] = {
    "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
}  # fmt: skip


def _tokens(header: GgufHeader) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Texts and kinds, by id."""
    tokens = header.texts("tokenizer.ggml.tokens")
    kinds = header.integers("tokenizer.ggml.token_type") or (_NORMAL,) * len(tokens)
    if not 0 < len(tokens) <= _MAX_TOKENS or len(kinds) != len(tokens):
        raise UnsupportedModelError(
            f"{header.path}: has {len(tokens)} tokens of {len(kinds)} kinds"
        )
    return tokens, kinds


def _vocabulary(tokens: Sequence[str], kinds: Sequence[int]) -> dict[str, int]:
    return {
        token: id_
        for id_, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind in (_NORMAL, _UNKNOWN, _BYTE)
    }


def _bytes_of_words(header: GgufHeader, tokens: Sequence[str], kinds: Sequence[int]) -> Json:
    """Pairs of bytes, merged in the order of a list."""
    name = _split_name(header, tokens, kinds)
    steps: list[Json] = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
        for pattern in SPLITS[name]
    ]
    as_bytes: Json = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
    steps.append({**as_bytes, "use_regex": False})
    merges = [_halves(header, merge) for merge in header.texts("tokenizer.ggml.merges")]
    model = {
        "type": "BPE",
        "vocab": _vocabulary(tokens, kinds),
        "merges": merges,
        "ignore_merges": name in WHOLE_WORDS_FIRST,
    }
    decoder = {**as_bytes, "use_regex": True}
    return {
        "model": model,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": steps},
        "decoder": decoder,
    }


def _split_name(header: GgufHeader, tokens: Sequence[str], kinds: Sequence[int]) -> str:
    name = header.text("tokenizer.ggml.pre")
    if not name or name == "default":
        pairs = zip(tokens, kinds, strict=True)
        added = {token for token, kind in pairs if kind in (_CONTROL, _USER_DEFINED)}
        found = (split for needed, split in _SPLITS_OF_OLD_FILES if needed <= added)
        name = next(found, name)
    if name not in SPLITS:
        known = ", ".join(SPLITS)
        raise UnsupportedModelError(f"{header.path}: pre-tokenizer {name!r} is none of: {known}")
    return name


def _halves(header: GgufHeader, merge: str) -> list[str]:
    """A merge is "left right"; neither half has a space but at its beginning."""
    place = merge.find(" ", 1)
    if place < 0 or place == len(merge) - 1:
        raise UnsupportedModelError(f"{header.path}: {merge!r} is no merge of two tokens")
    return [merge[:place], merge[place + 1 :]]


def _scored_pieces(header: GgufHeader, tokens: Sequence[str], kinds: Sequence[int]) -> Json:
    """Pairs of characters, merged in the order of the scores; bytes for what is unknown."""
    scores = header.metadata.get("tokenizer.ggml.scores", ())
    if not isinstance(scores, tuple) or len(scores) != len(tokens):
        raise UnsupportedModelError(f"{header.path}: has no score for each token")
    vocabulary = _vocabulary(tokens, kinds)
    if max(map(len, vocabulary)) > _MAX_PIECE:
        raise UnsupportedModelError(f"{header.path}: has a token of over {_MAX_PIECE} letters")
    unknown = tokens[kinds.index(_UNKNOWN)] if _UNKNOWN in kinds else None
    ranked = sorted(
        (-float(scores[id_]), id_, place)
        for token, id_ in vocabulary.items()
        if kinds[id_] == _NORMAL
        for place in range(1, len(token))
        if token[:place] in vocabulary and token[place:] in vocabulary
    )
    merges = [[tokens[id_][:place], tokens[id_][place:]] for _, id_, place in ranked]
    model = {
        "type": "BPE",
        "vocab": vocabulary,
        "merges": merges,
        "unk_token": unknown,
        "fuse_unk": True,
        "byte_fallback": True,
    }
    begins_with_space = header.flag("tokenizer.ggml.add_space_prefix", default=True)
    spaces: list[Json] = [{"type": "Prepend", "prepend": _SPACE}] if begins_with_space else []
    spaces.append({"type": "Replace", "pattern": {"String": " "}, "content": _SPACE})
    texts: list[Json] = [
        {"type": "Replace", "pattern": {"String": _SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if begins_with_space:
        texts.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {
        "model": model,
        "normalizer": {"type": "Sequence", "normalizers": spaces},
        "decoder": {"type": "Sequence", "decoders": texts},
    }


_MODELS: Final = {"gpt2": _bytes_of_words, "llama": _scored_pieces}
