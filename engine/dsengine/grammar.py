"""Which tokens keep an answer inside its JSON schema."""

import json

import torch
from llguidance import LLMatcher, LLTokenizer
from torch import Tensor

from dsengine.errors import GrammarError

# Models may lay JSON out as they learned it, but not pad it without end.
_WHITESPACE = r"[ \n]{0,24}"


class GrammarCompiler:
    """Schemas to grammars, over one model's tokens."""

    def __init__(self, definition: str, vocab_size: int, end_ids: frozenset[int]) -> None:
        """
        Args:
            definition: tokenizer.json with every added token special: no text of an answer
                may use them.
            vocab_size: width of the model's logits.
            end_ids: tokens that end an answer.
        """
        self._vocab_size = vocab_size
        ends = sorted(id_ for id_ in end_ids if id_ < vocab_size)
        self._tokenizer = LLTokenizer(definition, n_vocab=vocab_size, eos_token=ends)

    def compile(self, schema: str) -> "Grammar":
        """Raises: GrammarError: `schema` is no JSON schema that can be a grammar."""
        matcher = LLMatcher(self._tokenizer, _lark(schema), log_level=0)
        if matcher.is_error():
            raise GrammarError(f"schema: {matcher.get_error().splitlines()[0]}")
        return Grammar(matcher, self._vocab_size)


def _lark(schema: str) -> str:
    """The schema as a grammar without forced tokens.

    Where only one text may follow, the library allows that text's own tokens alone; a model
    that was about to write it in other tokens then loses its thread.
    """
    try:
        definition = json.loads(schema)
    except (ValueError, RecursionError) as error:
        raise GrammarError(f"schema: is not JSON: {error}") from None
    if not isinstance(definition, dict):
        raise GrammarError("schema: is not a JSON object")
    options = {"whitespace_pattern": _WHITESPACE, "whitespace_flexible": True}
    text = json.dumps({**definition, "x-guidance": options})
    return f'%llguidance {{"no_forcing": true}}\nstart: %json {text}\n'


class Grammar:
    """How far one answer has come in its grammar."""

    def __init__(self, matcher: LLMatcher, vocab_size: int) -> None:
        self._matcher = matcher
        self._vocab_size = vocab_size

    def fresh(self) -> "Grammar":
        """The same grammar at its start."""
        matcher = self._matcher.deep_copy()
        matcher.reset()
        return Grammar(matcher, self._vocab_size)

    def allowed(self) -> Tensor:
        """bool (V,) on the CPU; all False where the grammar can go nowhere."""
        allowed = torch.zeros(self._vocab_size, dtype=torch.bool)
        if self._matcher.is_error():
            return allowed
        octets = torch.frombuffer(bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8)
        bits = (octets.unsqueeze(-1) >> torch.arange(8, dtype=torch.uint8)) & 1  # (V / 8, 8)
        flat = bits.flatten()[: self._vocab_size].bool()
        allowed[: flat.shape[0]] = flat
        return allowed

    def accept(self, token: int) -> None:
        self._matcher.consume_token(token)

    @property
    def is_complete(self) -> bool:
        """Nothing but the end may follow."""
        return bool(self._matcher.is_stopped() and not self._matcher.is_error())

    @property
    def is_broken(self) -> bool:
        """The grammar became too complex for its limits."""
        return bool(self._matcher.is_error())
