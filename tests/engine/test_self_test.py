"""A device that computes wrongly is caught, whichever operation it gets wrong."""

import json
import subprocess
import sys
import time

import pytest

from dsengine.memory import QUANTIZABLE, WEIGHTS
from dsengine.self_test import self_test

WRONG = (
    ("functional", "silu", "llama", "full"),
    ("functional", "rms_norm", "qwen3", "full"),
    ("functional", "embedding", "qwen2", "int8"),
    ("tensor", "__matmul__", "deepseek_v3", "int8"),
    ("tensor", "__rshift__", "deepseek_v2", "int4"),
    ("tensor", "argsort", "qwen3_moe", "int4"),
)
"""Where an operation is found, its name, and what runs it."""

# A kernel that is right while the reference is computed and wrong on what follows.
BROKEN = """
import json
import sys
import torch
from dsengine.self_test import self_test

PLACES = {"functional": torch.nn.functional, "tensor": torch.Tensor}


class Kernel:
    def __init__(self, place, name):
        self.owner, self.name, self.count = PLACES[place], name, 0
        self.right = getattr(self.owner, name)

    def run(self, wrong_from):
        self.count = 0

        def call(*arguments, **options):
            self.count += 1
            made = self.right(*arguments, **options)
            if self.count <= wrong_from:
                return made
            return made.flip(0) if made.dtype is torch.int64 else made * 1.02

        setattr(self.owner, self.name, call)


for place, name, family, weights in json.loads(sys.argv[1]):
    kernel = Kernel(place, name)
    kernel.run(wrong_from=10**9)
    assert self_test("cpu", family, (weights,)) == "", name
    assert kernel.count, name
    kernel.run(wrong_from=kernel.count // 2)
    print(name, self_test("cpu", family, (weights,)))
    setattr(kernel.owner, kernel.name, kernel.right)
"""


@pytest.mark.parametrize("family", sorted(QUANTIZABLE))
def test_a_device_that_computes_right_passes_in_time(family):
    started = time.process_time()
    assert self_test("cpu", family, WEIGHTS) == ""
    assert time.process_time() - started < 4  # the first one also imports the family


@pytest.mark.parametrize(
    "kernels", [WRONG[:1], pytest.param(WRONG[1:], marks=pytest.mark.slow)], ids=["one", "others"]
)
def test_a_wrong_kernel_is_caught(kernels):
    command = [sys.executable, "-c", BROKEN, json.dumps(kernels)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    for line, (_, name, _, weights) in zip(ran.stdout.splitlines(), kernels, strict=True):
        assert line.startswith(f"{name} a tiny model gives logits that are ")
        assert line.endswith(f"with {weights} weights")


def test_what_passed_is_remembered_for_its_family_and_weights(tmp_path):
    assert self_test("cpu", "llama", ("full",), tmp_path) == ""
    assert self_test("cpu", "llama", ("full",), tmp_path) == ""
    assert len(list(tmp_path.iterdir())) == 1
    self_test("cpu", "qwen3", ("full",), tmp_path)
    self_test("cpu", "llama", ("int8",), tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path):
    (tmp_path / "file").write_text("")
    assert self_test("cpu", "llama", ("full",), tmp_path / "file" / "below") == ""
