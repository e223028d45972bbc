import pytest

from dsreview.models.catalogue import (
    CATALOGUE,
    TABLE,
    Room,
    find,
    precision_that_fits,
    recommended,
)


def test_every_row_is_pinned_to_a_commit():
    for model in CATALOGUE:
        assert len(model.revision) == 40
        assert set(model.revision) <= set("0123456789abcdef")
    assert len({model.revision for model in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.short_name)
def test_sizes_hang_together(model):
    assert model.num_embedded < model.num_parameters
    assert model.num_active <= model.num_parameters
    sizes = [model.memory_bytes(precision) for precision in TABLE]
    assert sizes == sorted(sizes, reverse=True)
    assert model.weight_bytes(TABLE[0]) == 2 * model.num_parameters


@pytest.mark.parametrize(
    "name",
    [
        "Qwen/Qwen2.5-Coder-7B-Instruct",
        "qwen2.5-coder-7b-instruct",
        "qwen/qwen2.5-CODER-7b-instruct",
    ],
)
def test_a_row_is_found_by_either_name(name):
    assert find(name).name == "Qwen/Qwen2.5-Coder-7B-Instruct"


def test_what_is_no_row_is_not_found():
    assert find("qwen2.5") is None


def test_the_most_precise_that_fits_is_taken():
    model = CATALOGUE[0]
    for precision in TABLE:
        needed = model.memory_bytes(precision)
        assert precision_that_fits(model, Room("mps", needed, 2)) == precision
    assert precision_that_fits(model, Room("mps", needed - 1, 2)) is None


def test_a_mac_of_16_gb_gets_a_model_for_code_and_a_cpu_a_small_one():
    assert recommended(Room("mps", 10_000_000_000, 2)).name == "Qwen/Qwen2.5-Coder-7B-Instruct"
    slow = recommended(Room("cpu", 500_000_000_000, 4))
    assert slow.num_active < 2e9
    assert recommended(Room("mps", 500_000_000, 2)) is None
