"""Which tokens keep an answer inside its JSON schema."""

import json
from collections.abc import Mapping, Sequence

from llguidance import LLMatcher, LLTokenizer
from torch import Tensor

from dsengine.errors import GrammarError

# Models may lay JSON out as they learned it, but not pad it without end.
_FLEXIBLE: Mapping[str, object] = {
    "whitespace_pattern": r"[ \n]{0,24}",
    "whitespace_flexible": True,
}
_LAYOUTS: tuple[Mapping[str, object], ...] = (
    {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "},
    {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"},
)
"""How models write JSON on one line."""
_MAX_COMPILED = 8


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
        ends = sorted(id_ for id_ in end_ids if id_ < vocab_size)
        self._tokenizer = LLTokenizer(definition, n_vocab=vocab_size, eos_token=ends)
        self._compiled: dict[str, Grammar] = {}
        """The latest ones by schema; reviews ask with one or two, over and over."""

    def compile(self, schema: str) -> "Grammar":
        """At its start, and not to be advanced: see `Grammar.fresh`.

        Raises:
            GrammarError: `schema` is no JSON schema that can be a grammar.
        """
        compiled = self._compiled.get(schema)
        if compiled is None:
            compiled = self._compile(schema)
            self._compiled = dict([*self._compiled.items(), (schema, compiled)][-_MAX_COMPILED:])
        return compiled

    def _compile(self, schema: str) -> "Grammar":
        matcher = self._matcher(schema, _FLEXIBLE)
        if matcher.is_error():
            raise GrammarError(f"schema: {matcher.get_error().splitlines()[0]}")
        layouts = [self._matcher(schema, layout) for layout in _LAYOUTS]
        return Grammar(matcher, [one for one in layouts if not one.is_error()], self._tokenizer)

    def _matcher(self, schema: str, layout: Mapping[str, object]) -> LLMatcher:
        return LLMatcher(self._tokenizer, _lark(schema, layout), log_level=0)


def _lark(schema: str, layout: Mapping[str, object]) -> str:
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
    text = json.dumps({**definition, "x-guidance": layout})
    return f'%llguidance {{"no_forcing": true}}\nstart: %json {text}\n'


class Grammar:
    """How far one answer has come in its grammar."""

    def __init__(
        self, matcher: LLMatcher, layouts: Sequence[LLMatcher], tokenizer: LLTokenizer
    ) -> None:
        """
        Args:
            layouts: the same grammar with all white space decided; the likeliest first.
        """
        self._matcher = matcher
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._layouts = list(layouts)
        """Those that the answer may still keep to; the first one is followed."""
        self._num_followed = 0
        """Tokens that the first layout has taken."""

    def fresh(self) -> "Grammar":
        """The same grammar at its start."""
        return Grammar(
            _at_start(self._matcher), [_at_start(one) for one in self._layouts], self._tokenizer
        )

    def fill_allowed(self, masks: Tensor, draft: Sequence[int] = ()) -> None:
        """Write what may come next, and what behind each token of `draft`.

        Args:
            masks: int32 (1 + D, W) on the CPU, one bit a token as in `sampler.Masks`; a row is
                0 where the grammar can go nowhere.
            draft: D tokens that the grammar takes, see `count_valid`.
        """
        # a copy, since a grammar that outgrows its limits on the way stays broken
        walker = self._matcher.deep_copy() if draft else self._matcher
        for place, mask in enumerate(masks):
            if place:
                walker.consume_token(draft[place - 1])
            if walker.is_error():
                mask.zero_()
            else:
                walker.unsafe_compute_mask_ptr(mask.data_ptr(), mask.nbytes)

    def count_valid(self, tokens: Sequence[int]) -> int:
        """How many of `tokens` may follow one after the other."""
        return 0 if self._matcher.is_error() else int(self._matcher.validate_tokens(list(tokens)))

    def forced_tokens(self) -> list[int]:
        """Text that must follow, as the tokenizer writes it.

        White space that the schema leaves open is taken as in the first of the layouts that
        the answer has kept to: what is forced is likely, not certain.
        """
        while self._layouts:
            layout = self._layouts[0]
            unseen = self._tokens[self._num_followed :]
            if not unseen or layout.consume_tokens(unseen):
                self._num_followed = len(self._tokens)
                return list(self._tokenizer.tokenize_bytes(layout.compute_ff_bytes()))
            self._layouts.pop(0)
            self._num_followed = 0
        return list(self._tokenizer.tokenize_bytes(self._matcher.compute_ff_bytes()))

    def accept(self, token: int) -> None:
        self._tokens.append(token)
        self._matcher.consume_token(token)

    @property
    def is_complete(self) -> bool:
        """Nothing but the end may follow."""
        return bool(self._matcher.is_stopped() and not self._matcher.is_error())

    @property
    def is_broken(self) -> bool:
        """The grammar became too complex for its limits."""
        return bool(self._matcher.is_error())


def _at_start(matcher: LLMatcher) -> LLMatcher:
    fresh = matcher.deep_copy()
    fresh.reset()
    return fresh
