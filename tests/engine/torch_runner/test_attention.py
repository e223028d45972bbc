"""Attention over a shared prefix and own slots is the plain softmax over both."""

import pytest
import torch

from dsengine.torch_runner.attention import attend
from dsengine.torch_runner.cache import States

SHAPES = [  # rows, heads, key heads, queries, prefix, own slots, key size, value size
    (5, 4, 2, 1, 70, 130, 24, 24),
    (3, 4, 4, 1, 0, 64, 64, 64),
    (17, 8, 2, 1, 129, 70, 128, 128),
    (2, 4, 1, 1, 33, 128, 48, 32),
    (2, 4, 2, 3, 40, 20, 16, 16),
    (2, 4, 2, 40, 40, 64, 16, 16),
    (1, 16, 1, 20, 50, 64, 320, 256),
]


def example(shape, device="cpu", dtype=torch.float32):
    rows, heads, key_heads, queries, num_prefix, num_own, key_size, value_size = shape
    torch.manual_seed(0)
    query = torch.randn(rows, heads, queries, key_size)
    size = key_size + value_size
    own = States.side_by_side(
        torch.randn(rows, key_heads, num_own + 3, size)[:, :, :num_own], key_size
    )
    prefix = (
        States.side_by_side(torch.randn(1, key_heads, num_prefix, size), key_size)
        if num_prefix
        else None
    )
    first = torch.randint(0, num_own - queries + 1, (rows, 1))
    slots = first + torch.arange(queries)
    return query, prefix, own, slots


def mask_of(slots, num_own):
    return torch.where(torch.arange(num_own) > slots[:, None, :, None], -1e30, 0.0)


def plain(query, prefix, own, mask, scaling):
    rows, heads = query.shape[:2]
    keys, values = own.keys, own.values
    if prefix is not None:
        keys = torch.cat([prefix.keys.expand(rows, -1, -1, -1), keys], dim=2)
        values = torch.cat([prefix.values.expand(rows, -1, -1, -1), values], dim=2)
        mask = torch.nn.functional.pad(mask, (prefix.keys.shape[2], 0))
    groups = heads // keys.shape[1]
    keys, values = keys.repeat_interleave(groups, 1), values.repeat_interleave(groups, 1)
    scores = query @ keys.transpose(2, 3) * scaling + mask
    return torch.softmax(scores, dim=-1) @ values


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_both_parts_are_weighed_together(shape):
    query, prefix, own, slots = example(shape)
    mask = mask_of(slots, own.keys.shape[2])
    found = attend(query, prefix, own, mask, 0.2)
    torch.testing.assert_close(found, plain(query, prefix, own, mask, 0.2), atol=1e-5, rtol=1e-5)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape[3] == 1], ids=str)
def test_the_kernel_for_one_token_does_the_same(shape):
    from dsengine.torch_runner.decode_kernel import attend_step

    query, prefix, own, slots = example(shape)
    expected = plain(query, prefix, own, mask_of(slots, own.keys.shape[2]), 0.2)
    query, slots = query.cuda(), slots.cuda()
    own = States.side_by_side(own.joined.cuda(), own.keys.shape[-1])
    prefix = prefix and States.side_by_side(prefix.joined.cuda(), prefix.keys.shape[-1])
    found = attend_step(query, prefix, own, slots, 0.2)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=1e-5)
