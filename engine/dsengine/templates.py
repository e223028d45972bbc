"""How each family of models writes a conversation.

A repository's own template is a program in its author's hands: it is never run. It is only
searched for the words that tell two families with the same tokens apart.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Control:
    """An added token, placed by its id."""

    token: str


Part = Control | str


@dataclass(frozen=True, slots=True)
class Turn:
    before: tuple[Part, ...]
    after: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Template:
    name: str
    needs: tuple[str, ...]
    """Added tokens that a tokenizer of this family has."""
    hint: str
    """Words that the repository's own template has, if it has one."""
    start: tuple[Part, ...]
    turns: Mapping[str, Turn]
    answer: tuple[Part, ...]
    """Opens the assistant's turn."""
    ends: tuple[str, ...]
    """Added tokens that end an answer, where the tokenizer has them."""
    plain_markers: tuple[str, ...] = ()
    """Role markers that are ordinary words: broken up in untrusted text."""
    is_default: bool = True
    """Taken for its tokens alone where the repository has no template of its own."""


_DEEPSEEK_BOS = "<｜begin▁of▁sentence｜>"
_DEEPSEEK_EOS = "<｜end▁of▁sentence｜>"

_DEEPSEEK_V3 = Template(
    name="deepseek-v3",
    needs=("<｜User｜>", "<｜Assistant｜>"),
    hint="<｜User｜>",
    start=(Control(_DEEPSEEK_BOS),),
    turns={
        "system": Turn((), ()),
        "user": Turn((Control("<｜User｜>"),), ()),
        "assistant": Turn((Control("<｜Assistant｜>"),), (Control(_DEEPSEEK_EOS),)),
    },
    answer=(Control("<｜Assistant｜>"),),
    ends=(_DEEPSEEK_EOS, "<｜User｜>"),
)

# V3.1 and later think only when asked to: their prompts end with one of the two tokens.
_DEEPSEEK_V31 = replace(
    _DEEPSEEK_V3,
    name="deepseek-v3.1",
    needs=(*_DEEPSEEK_V3.needs, "</think>"),
    hint="{{'</think>'}}",
    answer=(Control("<｜Assistant｜>"), Control("</think>")),
    is_default=False,
)

_DEEPSEEK_CODER = Template(
    name="deepseek-coder",
    needs=(_DEEPSEEK_BOS, "<|EOT|>"),
    hint="### Instruction:",
    start=(Control(_DEEPSEEK_BOS),),
    turns={
        "system": Turn((), ("\n",)),
        "user": Turn(("### Instruction:\n",), ("\n",)),
        "assistant": Turn(("### Response:\n",), ("\n", Control("<|EOT|>"), "\n")),
    },
    answer=("### Response:\n",),
    ends=("<|EOT|>", _DEEPSEEK_EOS),
    plain_markers=("### Instruction:", "### Response:"),
)

_DEEPSEEK_V2 = Template(
    name="deepseek-v2",
    needs=(_DEEPSEEK_BOS, _DEEPSEEK_EOS),
    hint="User: ",
    start=(Control(_DEEPSEEK_BOS),),
    turns={
        "system": Turn((), ("\n\n",)),
        "user": Turn(("User: ",), ("\n\n",)),
        "assistant": Turn(("Assistant: ",), (Control(_DEEPSEEK_EOS),)),
    },
    answer=("Assistant:",),
    ends=(_DEEPSEEK_EOS,),
    plain_markers=("\n\nUser:", "\n\nAssistant:"),  # not every class called User
)


def _chatml_turn(role: str) -> Turn:
    return Turn((Control("<|im_start|>"), f"{role}\n"), (Control("<|im_end|>"), "\n"))


_CHATML = Template(
    name="chatml",
    needs=("<|im_start|>", "<|im_end|>"),
    hint="<|im_start|>",
    start=(),
    turns={role: _chatml_turn(role) for role in ("system", "user", "assistant")},
    answer=(Control("<|im_start|>"), "assistant\n"),
    ends=("<|im_end|>", "<|endoftext|>"),
)


def _llama3_turn(role: str) -> Turn:
    opening = (Control("<|start_header_id|>"), role, Control("<|end_header_id|>"), "\n\n")
    return Turn(opening, (Control("<|eot_id|>"),))


_LLAMA3 = Template(
    name="llama-3",
    needs=("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
    hint="<|start_header_id|>",
    start=(Control("<|begin_of_text|>"),),
    turns={role: _llama3_turn(role) for role in ("system", "user", "assistant")},
    answer=_llama3_turn("assistant").before,
    ends=("<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"),
)

# Cheap to tell first: distilled models carry the tokens of their base model too.
TEMPLATES: tuple[Template, ...] = (
    *(_DEEPSEEK_V31, _DEEPSEEK_V3, _DEEPSEEK_CODER, _DEEPSEEK_V2),
    *(_CHATML, _LLAMA3),
)


def choose_template(tokens: Collection[str], repository_template: str, bos: str) -> Template:
    """The first family whose tokens are all there; else plain words.

    Args:
        tokens: contents of the tokenizer's added tokens.
        repository_template: the repository's own template, "" if none; only searched.
        bos: token that opens a text, "" if the model has none; for the fallback alone.
    """
    for template in TEMPLATES:
        has_tokens = all(token in tokens for token in template.needs)
        is_hinted = template.hint in repository_template
        if has_tokens and (is_hinted or (not repository_template and template.is_default)):
            return template
    return _plain(bos)


def _plain(bos: str) -> Template:
    """For models of no known family: base models follow such a text well enough."""
    return Template(
        name="plain",
        needs=(),
        hint="",
        start=(Control(bos),) if bos else (),
        turns={
            "system": Turn((), ("\n\n",)),
            "user": Turn(("### Instruction:\n",), ("\n\n",)),
            "assistant": Turn(("### Response:\n",), ("\n\n",)),
        },
        answer=("### Response:\n",),
        ends=("</s>", "<|endoftext|>", "<eos>"),
        plain_markers=("### Instruction:", "### Response:"),
    )
