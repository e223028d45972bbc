"""Prefixes are found by what they hold, and the oldest make room."""

import torch

from dsengine.prefixes import PrefixStore
from dsengine.torch_runner.cache import EMPTY_PREFIX, Prefix, States


def prefix(*ids):
    numbers = torch.tensor(ids, dtype=torch.float32).view(1, 1, -1, 1)
    return Prefix(ids, (States(numbers, -numbers),))


SIZE = prefix(1, 2, 3).size_bytes


def test_the_longest_known_beginning_is_found():
    store = PrefixStore(EMPTY_PREFIX, 10 * SIZE)
    store.keep(prefix(1, 2, 3))
    store.keep(prefix(1, 5, 6))
    found = store.longest([1, 5, 9, 9])
    assert found.ids == (1, 5)
    assert found.layers[0].keys.flatten().tolist() == [1, 5]
    assert found.layers[0].values.flatten().tolist() == [-1, -5]
    assert store.longest([7]) == EMPTY_PREFIX


def test_the_one_used_least_recently_makes_room():
    store = PrefixStore(EMPTY_PREFIX, 2 * SIZE)
    store.keep(prefix(1, 2, 3))
    store.keep(prefix(4, 5, 6))
    store.longest([1, 2, 3])
    store.keep(prefix(7, 8, 9))
    assert store.longest([1, 2, 3]).ids == (1, 2, 3)
    assert store.longest([4, 5, 6]) == EMPTY_PREFIX
    assert store.longest([7, 8, 9]).ids == (7, 8, 9)


def test_the_latest_is_kept_even_where_it_alone_is_too_large():
    store = PrefixStore(EMPTY_PREFIX, 1)
    store.keep(prefix(1, 2, 3))
    store.keep(prefix(4, 5, 6))
    assert store.longest([1, 2, 3]) == EMPTY_PREFIX
    assert store.longest([4, 5, 6]).ids == (4, 5, 6)


def test_one_that_is_the_beginning_of_another_is_not_kept_twice():
    store = PrefixStore(EMPTY_PREFIX, 2 * SIZE)
    store.keep(prefix(1, 2))
    store.keep(prefix(1, 2, 3))
    store.keep(prefix(4, 5, 6))
    assert store.longest([1, 2, 3]).ids == (1, 2, 3)
