"""Which family a tokenizer belongs to; the prompts themselves are goldens of the tokenizer."""

import pytest

from dsengine.checkpoint import find_folder
from dsengine.errors import ModelNotFoundError
from dsengine.templates import Control, choose_template

R1 = {
    *("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
    *("<think>", "</think>"),
}
R1_TEXT = "{{'<｜User｜>' + content}}{% set content = content.split('</think>')[-1] %}"
V31_TEXT = "{{'<｜User｜>'}}{%- if not thinking %}{{'</think>'}}{%- endif %}"
CODER = {"<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<|EOT|>"}
QWEN = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}
LLAMA = {"<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}


@pytest.mark.parametrize(
    ("tokens", "text", "name"),
    [
        (R1, R1_TEXT, "deepseek-v3"),
        (R1, "", "deepseek-v3"),
        (R1, V31_TEXT, "deepseek-v3.1"),
        (R1 | QWEN, R1_TEXT, "deepseek-v3"),
        (CODER, "### Instruction:", "deepseek-coder"),
        (CODER - {"<|EOT|>"}, "{{ 'User: ' + content }}", "deepseek-v2"),
        (QWEN, "<|im_start|>", "chatml"),
        (LLAMA, "<|start_header_id|>", "llama-3"),
        ({"<s>"}, "[INST]", "plain"),
    ],
)
def test_a_family_is_known_by_its_tokens_and_words(tokens, text, name):
    assert choose_template(tokens, text, "").name == name


def test_a_model_that_thinks_when_asked_is_told_not_to():
    assert choose_template(R1, V31_TEXT, "").answer == (
        Control("<｜Assistant｜>"),
        Control("</think>"),
    )


def test_a_name_never_means_a_folder_of_the_current_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deepseek-ai" / "planted").mkdir(parents=True)
    with pytest.raises(ModelNotFoundError, match=r"a folder is \./deepseek-ai/planted"):
        find_folder("deepseek-ai/planted")
    assert find_folder("./deepseek-ai/planted") == (tmp_path / "deepseek-ai" / "planted").resolve()


def test_a_folder_that_is_not_there_is_named():
    with pytest.raises(ModelNotFoundError, match="/no/such/model: no such folder"):
        find_folder("/no/such/model")
