"""Text to token ids and back, so that text can never become a control token.

Added tokens (`<|im_end|>`, `<｜User｜>`) are found in any text by the usual tokenizer, even
where it is asked to split special ones: DeepSeek's roles are not marked special. Hence all
text goes through a twin: the same vocabulary and merges, no added tokens, no
post-processor. Control tokens are placed by id, by the template alone.
"""

import json
import re
from collections.abc import Iterator, Sequence

from tokenizers import Tokenizer as HubTokenizer

from dsengine.checkpoint import Checkpoint
from dsengine.errors import UnsupportedModelError
from dsengine.message import Conversation, Message
from dsengine.templates import Control, Part, choose_template

_THINKING = ("<think>", "</think>")


class Tokenizer:
    """Encodes prompts for one model."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Raises: UnsupportedModelError: text could become a control token, or the tokenizer
        is of no kind known here.
        """
        self._source = str(checkpoint.folder)
        definition = self._parse(checkpoint)
        added = _added_tokens(definition, checkpoint)
        self.definition = _marked_special(definition, added)
        """tokenizer.json in which every added token is special."""
        self._twin = self._build(_without_added_tokens(definition, set(added)))
        unknown = _unknown_tokens(definition)
        self.token_ids = {token: id_ for token, id_ in added.items() if token not in unknown}
        """Added tokens by their text."""
        self.control_ids = frozenset(self.token_ids.values())
        self.vocab_size = max([*added.values(), *self._twin.get_vocab().values()]) + 1
        self.text_ids = frozenset(self._twin.get_vocab().values()) - self.control_ids
        bos = _token_text(checkpoint.tokenizer_config.get("bos_token"))
        bos = bos if bos in self.token_ids else ""
        self.template = choose_template(self.token_ids, checkpoint.chat_template, bos)
        self._marker_breaks = _marker_breaks(self.template.plain_markers)
        self.end_ids = self._end_ids(checkpoint)
        self._check_itself()
        self._letter = self.encode("a")

    @property
    def thinking_ids(self) -> tuple[int, int] | None:
        """Ids of `<think>` and `</think>`, if this model has them."""
        if all(token in self.token_ids for token in _THINKING):
            return self.token_ids[_THINKING[0]], self.token_ids[_THINKING[1]]
        return None

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; none is a control token.

        Raises:
            UnsupportedModelError: the tokenizer made one all the same.
        """
        valid = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
        ids: list[int] = self._twin.encode(valid, add_special_tokens=False).ids
        if not self.control_ids.isdisjoint(ids):
            raise UnsupportedModelError(f"{self._source}: its tokenizer makes control of text")
        return ids

    def encode_prompt(self, conversation: Conversation) -> list[int]:
        """Ids of a whole conversation, up to where the assistant is to answer."""
        ids: list[int] = []
        run = ""
        for part in self._parts(conversation):
            if isinstance(part, str) and part:
                run += part
                continue
            if run:
                ids += self.encode(run)
                run = ""
            if isinstance(part, Control):
                ids.append(self.token_ids[part.token])
        return ids + self.encode(run) if run else ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of ids; control tokens are left out."""
        text: str = self._twin.decode(
            [id_ for id_ in ids if id_ not in self.control_ids], skip_special_tokens=False
        )
        return text

    def token_text(self, id_: int) -> str:
        """Text that a token adds in the middle of a text; empty for a control token.

        Of a token that holds a part of a character only, what stands for broken text.
        """
        before = self._twin.decode(self._letter, skip_special_tokens=False)
        return self.decode([*self._letter, id_]).removeprefix(before)

    def _parts(self, conversation: Conversation) -> Iterator[Part]:
        """Text and control tokens in order; an empty text ends a run of text."""
        yield from self.template.start
        for message in conversation:
            turn = self.template.turns[message.role]
            yield from turn.before
            yield from self._content(message)
            yield from turn.after
        yield from self.template.answer

    def _content(self, message: Message) -> Iterator[str]:
        for piece in message.pieces:
            if piece.is_trusted or self._marker_breaks is None:
                yield piece.text
                continue
            for number, stretch in enumerate(self._marker_breaks.split(piece.text)):
                if number:
                    yield ""  # other tokens than those of the marker
                yield stretch

    def _parse(self, checkpoint: Checkpoint) -> dict[str, object]:
        try:
            definition = json.loads(checkpoint.tokenizer)
        except (ValueError, RecursionError):
            definition = None
        if not isinstance(definition, dict) or not isinstance(definition.get("model"), dict):
            raise UnsupportedModelError(f"{self._source}: tokenizer.json is damaged")
        return definition

    def _build(self, definition: dict[str, object]) -> HubTokenizer:
        try:
            return HubTokenizer.from_str(json.dumps(definition))
        except Exception as error:  # noqa: BLE001 - the library raises bare Exception
            reason = str(error).splitlines()[0]
            raise UnsupportedModelError(f"{self._source}: tokenizer.json: {reason}") from None

    def _end_ids(self, checkpoint: Checkpoint) -> frozenset[int]:
        ends = {self.token_ids[end] for end in self.template.ends if end in self.token_ids}
        for configuration in (checkpoint.generation_config, checkpoint.config):
            value = configuration.get("eos_token_id")
            ends |= set(_ids(value))
        eos = _token_text(checkpoint.tokenizer_config.get("eos_token"))
        ends |= {self.token_ids[eos]} if eos in self.token_ids else set()
        if not ends:
            raise UnsupportedModelError(f"{self._source}: no token ends its answers")
        return frozenset(ends)

    def _check_itself(self) -> None:
        """Every added token and the usual disguises, as text."""
        for token in self.token_ids:
            for text in _disguises(token):
                self.encode(text)


def _ids(value: object) -> Iterator[int]:
    """`eos_token_id` is a number, a list of numbers, or null."""
    for id_ in value if isinstance(value, list) else [value]:
        if isinstance(id_, int) and not isinstance(id_, bool) and id_ >= 0:
            yield id_


def _token_text(value: object) -> str:
    """`bos_token` is a string, or an object that has it as `content`."""
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else ""


def _disguises(token: str) -> Iterator[str]:
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in token)
    narrow = token.replace("｜", "|").replace("▁", " ")
    yield from (token, wide, narrow, narrow.replace("|", "｜"))
    yield from (f" {token} ", f"x{token}y", f"{token}{token}", f"\n{token}\n", " ".join(token))
    yield from (token.upper(), token[:1] + "\u200b" + token[1:], token[0] + token)


def _added_tokens(definition: dict[str, object], checkpoint: Checkpoint) -> dict[str, int]:
    """Texts and ids of added tokens, of tokenizer.json and of tokenizer_config.json."""
    added: dict[str, int] = {}
    listed = definition.get("added_tokens")
    for token in listed if isinstance(listed, list) else []:
        if isinstance(token, dict) and isinstance(token.get("content"), str) and token["content"]:
            added[token["content"]] = int(token.get("id", -1))
    decoder = checkpoint.tokenizer_config.get("added_tokens_decoder")
    for id_, token in (decoder if isinstance(decoder, dict) else {}).items():
        content = _token_text(token)
        if content and str(id_).isdecimal():
            added.setdefault(content, int(id_))
    if any(id_ < 0 for id_ in added.values()):
        raise UnsupportedModelError(f"{checkpoint.folder}: an added token has no id")
    return added


def _marked_special(definition: dict[str, object], added: dict[str, int]) -> str:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    tokens = [
        {"id": id_, "content": token, "special": True, **flags}
        for token, id_ in sorted(added.items(), key=lambda entry: entry[1])
    ]
    return json.dumps({**definition, "added_tokens": tokens, "truncation": None, "padding": None})


def _unknown_tokens(definition: dict[str, object]) -> set[str]:
    """What stands for text that the vocabulary lacks: harmless, and text does become it."""
    model = definition["model"]
    assert isinstance(model, dict)
    unknown = {model["unk_token"]} if isinstance(model.get("unk_token"), str) else set()
    if isinstance(model.get("unk_id"), int) and isinstance(model.get("vocab"), list):
        unknown.add(model["vocab"][model["unk_id"]][0])
    return unknown


def _without_added_tokens(definition: dict[str, object], added: set[str]) -> dict[str, object]:
    """The twin. A vocabulary that holds `</s>` as an ordinary entry has it renamed and never
    merges to it.
    """
    model = definition["model"]
    assert isinstance(model, dict)
    model = {**model}
    renamed = added - _unknown_tokens(definition)
    if isinstance(model.get("vocab"), dict):
        model["vocab"] = {_renamed(token, renamed): id_ for token, id_ in model["vocab"].items()}
    elif isinstance(model.get("vocab"), list):
        model["vocab"] = [[_renamed(token, renamed), score] for token, score in model["vocab"]]
    if isinstance(model.get("merges"), list):
        model["merges"] = [
            merge for merge in model["merges"] if renamed.isdisjoint(_merged_tokens(merge))
        ]
    bare: dict[str, object] = {"added_tokens": [], "post_processor": None}
    return {**definition, **bare, "truncation": None, "padding": None, "model": model}


def _renamed(token: str, renamed: set[str]) -> str:
    return f"\0control\0{token}" if token in renamed else token


def _merged_tokens(merge: object) -> set[str]:
    """Both parts and what they become; written "a b" or ["a", "b"]."""
    parts = merge.split(" ", 1) if isinstance(merge, str) else merge
    return {*parts, "".join(parts)} if isinstance(parts, list) else set()


def _marker_breaks(markers: Sequence[str]) -> re.Pattern[str] | None:
    """Matches the empty place in the middle of each marker."""
    halves = [(marker[: len(marker) - 3], marker[len(marker) - 3 :]) for marker in markers]
    places = [f"(?<={re.escape(left)})(?={re.escape(right)})" for left, right in halves]
    return re.compile("|".join(places)) if places else None
