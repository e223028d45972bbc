"""What is llama.cpp's alone: its cells, its files and its silence."""

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from dsengine import Engine, Message, Piece
from dsengine.checkpoint import open_checkpoint
from dsengine.errors import DeviceError, UnsupportedModelError
from dsengine.runners import Wanted, open_runner

pytest.importorskip("llama_cpp", reason="needs the extra gguf")
pytest.importorskip("gguf", reason="needs the package gguf")
from dsengine.llama_runner import library
from dsengine.llama_runner.cells import Cells
from dsengine.testing_gguf import GgufOptions, write_gguf

WANTED = Wanted("llama.cpp", "cpu", "float32")


@pytest.fixture(scope="module")
def path(random_folder, tmp_path_factory) -> Path:
    return write_gguf(random_folder("llama"), tmp_path_factory.mktemp("model") / "model.gguf")


@pytest.fixture(scope="module")
def trained_path(trained_llama, tmp_path_factory) -> Path:
    return write_gguf(trained_llama.folder, tmp_path_factory.mktemp("trained") / "model.gguf")


@pytest.fixture(scope="module")
def weights(path):
    return library.Weights(open_checkpoint(path).gguf, on_gpu=False)


@pytest.fixture
def cells(weights):
    def make(max_cells):
        return Cells(
            lambda count: library.Context(
                weights, count, num_threads=1, is_exact=True, on_gpu=False
            ),
            max_cells,
        )

    return make


def texts(completions):
    return [completion.text for completion in completions]


def decode(cells, sequence, ids, first=0):
    count = len(ids)
    return cells.context.decode(
        ids, range(first, first + count), [sequence] * count, [True] * count
    ).copy()


def test_a_prefix_costs_its_rows_no_cells(cells):
    """Sixty rows that share 400 tokens fit 512 cells."""
    owned = cells(512)
    prefix = owned.take()
    decode(owned, prefix, list(range(400)))
    kept = owned.keep(prefix, 400)
    alone = None
    for _ in range(60):
        row = owned.take()
        owned.context.copy(kept.sequence, row, 400)
        logits = decode(owned, row, [7], 400)
        alone = logits if alone is None else alone
        assert abs(logits - alone).max() < 1e-4


def test_cells_that_are_all_taken_are_an_error_that_changes_nothing(cells):
    owned = cells(512)
    first, second = owned.take(), owned.take()
    decode(owned, first, list(range(300)))
    before = decode(owned, first, [9], 300)
    with pytest.raises(MemoryError, match="out of memory: 512 cells are taken"):
        decode(owned, second, list(range(300)))
    owned.context.remove(first, 300)
    assert (decode(owned, first, [9], 300) == before).all()


def test_a_context_that_grows_takes_along_what_is_kept(cells):
    owned = cells(20_000)
    small = owned.context.num_cells
    ids = list(range(500))
    sequence = owned.take()
    decode(owned, sequence, ids)
    row = owned.take()
    owned.context.copy(sequence, row, 500)
    before = decode(owned, row, [7], 500)
    owned.give_back(row)
    kept = owned.keep(sequence, 500)
    owned.reserve(10_000)
    assert owned.context.num_cells > small
    row = owned.take()
    owned.context.copy(kept.sequence, row, 500)
    assert (decode(owned, row, [7], 500) == before).all()


def test_a_context_does_not_grow_under_rows_that_run(cells):
    owned = cells(20_000)
    small = owned.context.num_cells
    row = owned.take()
    owned.reserve(10_000)
    assert owned.context.num_cells == small
    owned.give_back(row)
    owned.reserve(100_000)
    assert small < owned.context.num_cells < 20_000 + 256


def test_sequences_that_nobody_refers_to_are_free_again(cells):
    owned = cells(4_096)
    for _ in range(3 * library.MAX_SEQUENCES):
        sequence = owned.take()
        decode(owned, sequence, [1, 2, 3])
        owned.keep(sequence, 3)
        gc.collect(0)
    taken = [owned.take() for _ in range(library.MAX_SEQUENCES)]
    assert len(set(taken)) == library.MAX_SEQUENCES
    with pytest.raises(MemoryError, match="256 sequences are taken"):
        owned.take()


def test_an_engine_without_cells_for_all_rows_answers_all(trained_path, prompts, answers, schema):
    """Others hold cells that the plan counted on."""
    engine = Engine(trained_path, device="cpu")
    runner = engine._scheduler._runner
    weights = runner._cells.context._weights
    few = Cells(
        lambda _: library.Context(weights, 512, num_threads=1, is_exact=True, on_gpu=False), 512
    )
    other = few.take()
    decode(few, other, [1] * 150)
    runner._cells = few
    completions = engine.generate(prompts, max_new_tokens=200, grammar=schema)
    assert texts(completions) == answers
    assert engine.stats.batches_halved > 0


def test_weights_in_eight_bits_give_the_same_answers(
    trained_llama, prompts, answers, schema, tmp_path
):
    path = write_gguf(trained_llama.folder, tmp_path / "q8.gguf", GgufOptions(is_q8_0=True))
    engine = Engine(path, device="cpu")
    assert engine.dtype == "q8_0"
    assert texts(engine.generate(prompts, max_new_tokens=200, grammar=schema)) == answers
    assert path.stat().st_size < 0.6 * sum(
        file.stat().st_size for file in trained_llama.folder.glob("*.safetensors")
    )


def test_sixteen_bits_of_keys_and_values_are_near_thirty_two(path):
    """Within a thousandth of what logits span."""
    import torch

    logits = []
    for dtype in ("float32", None):
        runner = open_runner(open_checkpoint(path), Wanted("llama.cpp", "cpu", dtype))
        batch = runner.start(runner.empty_prefix, 1, 400)
        entry = runner.enter(batch, [list(range(300))])
        logits.append(runner.advance(batch, entry))
        batch.close()
    span = (logits[0].max() - logits[0].min()).item()
    difference = (logits[0] - logits[1]).abs().max().item()
    assert 0 < difference < 2e-3 * span
    torch.testing.assert_close(*logits, atol=2e-3 * span, rtol=0)


def test_identity_tells_files_and_numbers_apart(path, trained_path):
    identities = {
        Engine(one, device="cpu", dtype=dtype).identity
        for one in (path, trained_path)
        for dtype in ("float32", None)
    }
    assert len(identities) == 4


def test_nothing_is_said_on_the_terminal(path, tmp_path, capfd):
    """Not by a load, a pass, a grown context or a refused file."""
    engine = Engine(path, device="cpu")
    long = [Message("user", (Piece("a" * 4_200),))]
    engine.generate([long] * 2, max_new_tokens=3)
    assert engine._scheduler._runner._cells.context.num_cells > 4_200
    with pytest.raises(UnsupportedModelError, match=r"llama\.cpp: "):
        Engine(write_bad(path, tmp_path), device="cpu")
    assert capfd.readouterr() == ("", "")


def write_bad(path, folder):
    """Sound for what reads headers; a tensor that llama.cpp wants has another name."""
    bad = folder / "bad.gguf"
    bad.write_bytes(path.read_bytes().replace(b"blk.1.ffn_up.weight", b"blk.1.ffn_ab.weight"))
    return bad


def test_what_llama_cpp_refuses_is_one_line_with_its_reason(path, tmp_path):
    with pytest.raises(UnsupportedModelError) as caught:
        Engine(write_bad(path, tmp_path), device="cpu")
    assert "blk.1.ffn_up.weight" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_architecture_that_llama_cpp_does_not_know_is_refused(path, tmp_path):
    odd = tmp_path / "odd.gguf"
    odd.write_bytes(path.read_bytes().replace(b"llama", b"xlama"))
    with pytest.raises(UnsupportedModelError, match="unknown model architecture: 'xlama'"):
        open_runner(open_checkpoint(odd), WANTED)


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded(path, monkeypatch):
    monkeypatch.setattr("dsengine.llama_runner.opening._free_bytes", lambda _: 60 << 20)
    with pytest.raises(DeviceError, match=r"needs 0\.1 GB, cpu has 0\.1 GB free"):
        Engine(path, device="cpu")


def test_a_device_that_was_not_built_in_is_refused(path):
    if library.has_gpu():
        pytest.skip("it was built in")
    for device in ("cuda", "mps"):
        with pytest.raises(DeviceError, match=f"without {device} here; use --device cpu"):
            Engine(path, device=device)
    assert Engine(path, device="auto").device == "cpu"


def test_torch_does_not_take_a_file_nor_llama_cpp_a_folder(path, random_folder):
    with pytest.raises(UnsupportedModelError, match=r"llama\.cpp runs GGUF files alone"):
        Engine(random_folder("llama"), runner="llama.cpp")
    with pytest.raises(UnsupportedModelError, match="is a GGUF file"):
        Engine(path, runner="torch")


def test_parts_of_a_model_are_loaded_together(path, tmp_path):
    """Split by llama.cpp's own tool where it is there; here by hand, tensors last."""
    import gguf

    whole = gguf.GGUFReader(path)
    names = [tensor.name for tensor in whole.tensors]
    parts = [tmp_path / f"m-0000{number}-of-00002.gguf" for number in (1, 2)]
    for number, part in enumerate(parts):
        writer = gguf.GGUFWriter(part, "llama")
        for key, field in whole.fields.items():
            if number == 0 and not key.startswith("GGUF.") and key != "general.architecture":
                kind = field.types[0]
                inner = field.types[1] if len(field.types) > 1 else None
                writer.add_key_value(key, field.contents(), kind, sub_type=inner)
        writer.add_uint16("split.no", number)
        writer.add_uint16("split.count", 2)
        writer.add_int32("split.tensors.count", len(names))
        for tensor in whole.tensors:
            if (names.index(tensor.name) >= len(names) // 2) == bool(number):
                writer.add_tensor(tensor.name, tensor.data.copy())
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    asked = [[Message("user", (Piece("return values"),))]]
    made = [
        Engine(one, device="cpu").generate(asked, max_new_tokens=8)[0].token_ids
        for one in (path, parts[0])
    ]
    assert made[0] == made[1]


SURVIVORS = """
import random, sys
from pathlib import Path
from dsengine.checkpoint import open_checkpoint
from dsengine.errors import EngineError
from dsengine.gguf import read_header
from dsengine.runners import Wanted, open_runner
octets = Path(sys.argv[1]).read_bytes()
size = read_header(Path(sys.argv[1])).data_start
first, count = int(sys.argv[3]), int(sys.argv[4])
loaded = refused = 0
for seed in range(first, first + count):
    source = random.Random(seed)
    spoiled = bytearray(octets)
    names = [b"llama.", b"blk.", b"general."]
    for _ in range(source.randint(1, 3)):
        at = octets.find(source.choice(names), source.randrange(size))
        is_near = 0 <= at < size - 64 and source.random() < 0.5
        place = at + source.randrange(64) if is_near else source.randrange(size)
        spoiled[place] = source.randrange(256)
    path = Path(sys.argv[2])
    path.write_bytes(spoiled)
    print(seed, file=sys.stderr, flush=True)
    try:
        runner = open_runner(open_checkpoint(path), Wanted("llama.cpp", "cpu"))
        batch = runner.start(runner.empty_prefix, 1, 40)
        runner.advance(batch, runner.enter(batch, [[1, 2, 3]]))
        loaded += 1
    except (EngineError, MemoryError):
        refused += 1
print(loaded, refused)
"""


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_damaged_files_do_not_end_the_process(path, tmp_path):
    """Those that pass the check of the header, at least: 600 of them, one process for each 200."""
    loaded = refused = 0
    for first in range(0, 600, 200):
        done = subprocess.run(
            [sys.executable, "-c", SURVIVORS, path, tmp_path / "m.gguf", str(first), "200"],
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr[-600:]
        one, other = map(int, done.stdout.split())
        loaded, refused = loaded + one, refused + other
    print(f"{loaded} loaded, {refused} refused")
    assert min(loaded, refused) > 50
