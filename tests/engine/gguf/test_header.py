"""A GGUF file comes from somebody else: what it claims is held against what it is."""

import random
import struct
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dsengine.checkpoint import digest, open_checkpoint
from dsengine.errors import EngineError, ModelNotFoundError, UnsupportedModelError
from dsengine.gguf import read_facts, read_header
from dsengine.gguf_checkpoint import find_gguf
from dsengine.gguf_model import read_model
from dsengine.gguf_types import FILE_TYPES, TENSOR_TYPES

gguf = pytest.importorskip("gguf", reason="needs the package gguf")
from dsengine.testing_gguf import write_gguf  # noqa: E402

relaxed = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.fixture(scope="module")
def model(random_folder, tmp_path_factory):
    return write_gguf(random_folder("llama"), tmp_path_factory.mktemp("model") / "model.gguf")


@pytest.fixture
def spoiled(model, tmp_path):
    """Writes other octets under the same name."""

    def write(octets):
        path = tmp_path / "model.gguf"
        path.write_bytes(octets)
        return path

    return write


def refusal(path):
    with pytest.raises(UnsupportedModelError) as caught:
        open_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_tables_are_those_of_the_format():
    kinds = gguf.GGMLQuantizationType
    for number, row in TENSOR_TYPES.items():
        assert row == (kinds(number).name, *gguf.GGML_QUANT_SIZES[kinds(number)])
    for number, name in FILE_TYPES.items():
        assert gguf.LlamaFileType(number).name in {f"MOSTLY_{name}", f"ALL_{name}"}


def test_a_header_is_read_as_its_writer_meant_it(model):
    header = read_header(model)
    reader = gguf.GGUFReader(model)
    assert header.architecture == "llama"
    assert {tensor.name: tensor.start for tensor in header.tensors} == {
        tensor.name: tensor.data_offset for tensor in reader.tensors
    }
    for key in ("llama.block_count", "tokenizer.ggml.tokens", "tokenizer.ggml.merges"):
        assert header.metadata[key] == (
            tuple(value) if isinstance(value := reader.get_field(key).contents(), list) else value
        )
    assert read_facts(model).metadata.items() <= header.metadata.items()
    assert read_facts(model).integer("general.file_type") == 0


def test_sizes_are_those_of_the_model(model, random_folder):
    whole = open_checkpoint(random_folder("llama"))
    sizes = read_model(model)
    assert sizes.window == whole.window
    assert sizes.num_layers == 2
    assert sizes.weight_bytes == 4 * whole.num_parameters
    assert sizes.values_per_token == 2 * 2 * 2 * 24
    assert sizes.file_type == "F32"
    assert open_checkpoint(model).num_parameters == whole.num_parameters


def test_a_file_cut_anywhere_is_refused(model, spoiled):
    octets = model.read_bytes()
    source = random.Random(0)
    places = [*range(60), *(source.randrange(len(octets)) for _ in range(60)), len(octets) - 1]
    for place in places:
        path = spoiled(octets[:place])
        if place < 4:
            with pytest.raises(ModelNotFoundError):
                open_checkpoint(path)
        else:
            refusal(path)


@pytest.mark.parametrize(
    ("place", "number", "reason"),
    [
        (4, struct.pack("<I", 1), "version 1, known are"),
        (4, struct.pack(">I", 3), "version 50331648"),
        (8, struct.pack("<Q", 1 << 60), "claims 1152921504606846976 tensors"),
        (16, struct.pack("<Q", 1 << 60), "and 1152921504606846976 keys"),
        (24, struct.pack("<Q", 1 << 62), "has a text of"),
        (24, struct.pack("<Q", 60_000_000), "has a text of"),
    ],
)
def test_an_absurd_number_is_named(model, spoiled, place, number, reason):
    octets = bytearray(model.read_bytes())
    octets[place : place + len(number)] = number
    assert reason in refusal(spoiled(octets))


def array_length_at(octets, key):
    """Place of the length of an array."""
    return octets.index(key.encode()) + len(key) + 8


@pytest.mark.parametrize("length", [1 << 63, 1 << 40, 4_000_000])
def test_an_array_that_the_file_is_too_short_for_takes_no_memory(model, spoiled, length):
    octets = bytearray(model.read_bytes())
    place = array_length_at(octets, "tokenizer.ggml.token_type")
    octets[place : place + 8] = struct.pack("<Q", length)
    started = time.monotonic()
    refusal(spoiled(octets))
    assert time.monotonic() - started < 1


def write_keys(path, **pairs):
    """A file of these keys, and of one tensor."""
    writer = gguf.GGUFWriter(path, pairs.pop("architecture", "llama"))
    for key, value in pairs.items():
        name = key.replace("__", ".")
        kind = gguf.GGUFValueType.get_type(value) if not isinstance(value, int) else None
        writer.add_key_value(name, value, kind or gguf.GGUFValueType.UINT32)
    import numpy as np

    writer.add_tensor("token_embd.weight", np.zeros((10, 8), dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


SOUND = {
    "llama__block_count": 2,
    "llama__context_length": 512,
    "llama__embedding_length": 8,
    "llama__attention__head_count": 2,
}


def test_the_least_file_is_sound(tmp_path):
    sizes = read_model(write_keys(tmp_path / "model.gguf", **SOUND))
    assert (sizes.num_layers, sizes.window, sizes.vocab_size) == (2, 512, 10)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"llama__block_count": 0}, "llama.block_count is 0; 1 to"),
        ({"llama__block_count": 100_000}, "llama.block_count is 100000; 1 to"),
        ({"llama__context_length": 0}, "llama.context_length is 0"),
        ({"llama__attention__head_count": 0}, "has attention heads"),
        ({"llama__attention__head_count": "two"}, "is no list of integers"),
        ({"llama__embedding_length": "wide"}, "is no integer"),
        ({"general__type": "adapter"}, "a language model is needed"),
        ({"architecture": "../../etc"}, "a language model is needed"),
        ({"architecture": "clip"}, "clip.block_count is 0"),
    ],
)
def test_a_model_without_sense_is_refused(tmp_path, changes, reason):
    path = write_keys(tmp_path / "model.gguf", **{**SOUND, **changes})
    assert reason in refusal(path)


def test_a_tensor_may_not_lie_where_another_one_does(model, spoiled):
    octets = bytearray(model.read_bytes())
    name = b"blk.0.attn_norm.weight"
    place = octets.index(name) + len(name) + 4 + 8 + 4
    octets[place : place + 8] = bytes(8)
    assert "not at" in refusal(spoiled(octets))


@settings(max_examples=150, **relaxed)
@given(data=st.data())
def test_a_damaged_header_is_read_or_refused(model, tmp_path_factory, data):
    octets = bytearray(model.read_bytes())
    header = read_header(model).data_start
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, header - 1))
        octets[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(octets)
    try:
        open_checkpoint(path)
    except EngineError as error:
        told = str(error)
    else:
        told = ""
    assert "\n" not in told


def test_a_part_that_is_missing_is_named(model, tmp_path):
    path = tmp_path / "big-00001-of-00003.gguf"
    path.write_bytes(model.read_bytes())
    (tmp_path / "big-00003-of-00003.gguf").write_bytes(b"")
    assert "lacks its part big-00002-of-00003.gguf" in refusal(path)


def test_any_part_but_the_first_is_refused(model, tmp_path):
    path = tmp_path / "big-00002-of-00003.gguf"
    path.write_bytes(model.read_bytes())
    assert "name the first one" in refusal(path)


def test_a_folder_with_one_model_means_it(model, tmp_path):
    (tmp_path / "some.gguf").write_bytes(model.read_bytes())
    (tmp_path / "mmproj-some.gguf").write_bytes(model.read_bytes())
    assert find_gguf(tmp_path) == tmp_path / "some.gguf"
    (tmp_path / "other.gguf").write_bytes(model.read_bytes())
    with pytest.raises(ModelNotFoundError, match=r"name one of: other\.gguf, some\.gguf"):
        find_gguf(tmp_path)


def test_a_bare_name_is_never_a_file_here(model, tmp_path, monkeypatch):
    (tmp_path / "model.gguf").write_bytes(model.read_bytes())
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelNotFoundError):
        open_checkpoint("model.gguf")
    assert open_checkpoint("./model.gguf").gguf is not None


def test_a_digest_tells_two_models_apart(model, spoiled):
    octets = bytearray(model.read_bytes())
    same = digest(open_checkpoint(spoiled(octets)))
    assert same == digest(open_checkpoint(model))
    octets[-1] ^= 1
    assert digest(open_checkpoint(spoiled(octets))) != same


def test_a_digest_of_a_large_file_reads_little(model, spoiled, monkeypatch):
    monkeypatch.setattr("dsengine.checkpoint._FULL_DIGEST_BYTES", 0)
    monkeypatch.setattr("dsengine.checkpoint._SAMPLE_BYTES", 1_000)
    octets = bytearray(model.read_bytes())
    known = digest(open_checkpoint(spoiled(octets)))
    place = octets.index(b"llama.rope.freq_base") + len("llama.rope.freq_base") + 6
    octets[place] ^= 1
    assert digest(open_checkpoint(spoiled(octets))) != known
