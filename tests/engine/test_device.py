import psutil
import pytest
import torch

from dsengine.checkpoint import estimate_memory, open_checkpoint
from dsengine.device import (
    choose_device,
    computes_right,
    default_dtype,
    free_memory,
    is_out_of_memory,
    is_present,
    require_memory,
)
from dsengine.errors import DeviceError


def test_auto_takes_a_device_that_computes_right():
    device = choose_device("auto").type
    assert is_present(device)
    assert computes_right(device)


def test_an_estimate_is_the_weights_and_a_little_more(random_llama):
    network_bytes = 4 * open_checkpoint(random_llama).num_parameters
    assert network_bytes <= estimate_memory(random_llama, "float32") <= 1.2 * network_bytes
    halved = estimate_memory(random_llama, "bfloat16")
    assert abs(2 * halved - estimate_memory(random_llama, "float32")) <= 2


def test_a_model_that_does_not_fit_is_refused_with_both_sizes():
    cpu = torch.device("cpu")
    assert 0 < free_memory(cpu) <= psutil.virtual_memory().total
    require_memory(1, cpu)
    with pytest.raises(DeviceError, match=r"model needs 1000000\.0 GB, cpu has \d+\.\d GB free"):
        require_memory(10**15, cpu)


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
