import psutil
import pytest
import torch

from dsengine.device import (
    computes_right,
    default_dtype,
    free_memory,
    is_out_of_memory,
    is_present,
)
from dsengine.runners import Wanted
from dsengine.self_test import trusted_device


def test_auto_takes_a_device_that_computes_right():
    device = trusted_device(Wanted(), "llama").type
    assert is_present(device)
    assert computes_right(device)


def test_free_memory_is_a_part_of_all():
    assert 0 < free_memory(torch.device("cpu")) <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("x"), True),
        (MemoryError(), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error, expected):
    assert is_out_of_memory(error) is expected


def test_a_cpu_computes_in_float32_and_may_be_named():
    assert default_dtype("cpu") is default_dtype(torch.device("cpu")) is torch.float32
