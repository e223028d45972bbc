"""Pieces of an answer that is being written never change afterwards."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsengine.checkpoint import open_checkpoint
from dsengine.streaming import TextStream
from dsengine.tokenizer import Tokenizer

TEXTS = st.text(st.sampled_from('aé€𝄞\n {}"\ufffd漢👩‍👩‍👧'), max_size=30)


@pytest.fixture(scope="module")
def tokenizer(random_llama):
    return Tokenizer(open_checkpoint(random_llama))


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_pieces_are_the_beginning_of_the_whole(tokenizer, text):
    """Characters of several tokens wait for their last one."""
    ids = tokenizer.encode(text)
    told = []
    stream = TextStream(tokenizer, 3, lambda number, offset, piece: told.append((offset, piece)))
    so_far = ""
    for end in range(1, len(ids) + 1):
        stream.take(ids[:end])
        so_far = "".join(piece for _, piece in told)
        assert text.startswith(so_far)
    assert text.rstrip("\ufffd") == so_far.rstrip("\ufffd")
    assert [offset for offset, _ in told] == [
        sum(len(piece) for _, piece in told[:number]) for number in range(len(told))
    ]
