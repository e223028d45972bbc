"""llama.cpp's C interface, as far as it is used here; the only importer of llama_cpp.

What the library says goes to no terminal: warnings are dropped, and the last error is kept
for whoever asks why something failed.
"""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from dsengine.errors import DeviceError, UnsupportedModelError
from dsengine.gguf_model import GgufModel

try:
    import llama_cpp as lib
except (ImportError, RuntimeError, OSError) as error:  # its shared library may be unloadable
    raise UnsupportedModelError(
        "GGUF files need llama-cpp-python; install dsreview with its extra `gguf`"
    ) from error

MAX_SEQUENCES: Final = 256
"""That one context holds, in any build."""
PASS_TOKENS: Final = 512
"""Of one pass; more at once were measured no faster (bench/RESULTS.md)."""

_ERROR_LEVEL: Final = 4
_NO_FLASH, _FLASH = 0, 1
_NO_SLOT: Final = 1
_F32, _F16 = 0, 1  # types of keys and values


def _drop(level: int, text: bytes, _: object) -> None:
    """Where the library's words go otherwise: a terminal that belongs to somebody else."""


_SILENCE: Final = lib.llama_log_callback(_drop)
lib.llama_log_set(_SILENCE, ctypes.c_void_p(0))
lib.llama_backend_init()


@contextmanager
def _heard() -> Iterator[list[str]]:
    """Errors that the library reports meanwhile."""
    errors: list[str] = []

    def keep(level: int, text: bytes, _: object) -> None:
        if level == _ERROR_LEVEL:
            errors.append(text.decode("utf-8", "replace").strip())

    callback = lib.llama_log_callback(keep)
    lib.llama_log_set(callback, ctypes.c_void_p(0))
    try:
        yield errors
    finally:
        lib.llama_log_set(_SILENCE, ctypes.c_void_p(0))


def versions() -> tuple[str, ...]:
    return (f"llama_cpp_python {version('llama_cpp_python')}",)


def has_gpu() -> bool:
    """The library was built for one, and this machine has it."""
    return bool(lib.llama_supports_gpu_offload())


class Weights:
    """A loaded model."""

    def __init__(self, model: GgufModel, *, on_gpu: bool) -> None:
        """Raises: UnsupportedModelError: llama.cpp does not take it."""
        parameters = lib.llama_model_default_params()
        parameters.n_gpu_layers = -1 if on_gpu else 0
        # its own tokenizer is of no use here, and one parser less reads what strangers wrote
        overrides = _overrides(model)
        parameters.kv_overrides = overrides
        paths = [str(path).encode() for path in model.paths]
        array = (ctypes.c_char_p * len(paths))(*paths)
        with _heard() as errors:
            pointer = lib.llama_model_load_from_splits(array, len(paths), parameters)
        if not pointer:
            raise UnsupportedModelError(f"{model.paths[0]}: llama.cpp: {_first(errors)}")
        finalize(self, lib.llama_model_free, pointer).atexit = False
        self.pointer = pointer
        self.vocab_size = int(lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(pointer)))
        if not _is_plain(pointer):
            raise UnsupportedModelError(
                f"{model.paths[0]}: {model.architecture} keeps no keys and values of its tokens"
            )


def _is_plain(pointer: Any) -> bool:
    return not (
        lib.llama_model_is_recurrent(pointer)
        or lib.llama_model_is_hybrid(pointer)
        or lib.llama_model_is_diffusion(pointer)
        or lib.llama_model_has_encoder(pointer)
    )


def _overrides(model: GgufModel) -> Any:
    kind = lib.llama_model_kv_override
    entries = (kind * 3)()
    entries[0].tag = lib.LLAMA_KV_OVERRIDE_TYPE_STR
    entries[0].key = b"tokenizer.ggml.model"
    entries[0].value.val_str = b"no_vocab"
    entries[1].tag = lib.LLAMA_KV_OVERRIDE_TYPE_INT
    entries[1].key = f"{model.architecture}.vocab_size".encode()
    entries[1].value.val_i64 = model.vocab_size
    return entries  # the last one, of zeros, ends the list


def _first(errors: Sequence[str]) -> str:
    """What went wrong; later ones say who gave up because of it."""
    text = next((error for error in errors if error), "gives no reason")
    return text.splitlines()[0]


class Context:
    """Cells for keys and values, each of any number of sequences, and the passes over them."""

    def __init__(
        self, weights: Weights, num_cells: int, *, num_threads: int, is_exact: bool, on_gpu: bool
    ) -> None:
        """
        Args:
            is_exact: keys and values are kept in 32 bits instead of 16, and attended so.

        Raises:
            MemoryError: there is not enough for so many cells.
        """
        parameters = lib.llama_context_default_params()
        parameters.n_ctx = num_cells
        parameters.n_batch = parameters.n_ubatch = PASS_TOKENS
        parameters.n_seq_max = MAX_SEQUENCES
        parameters.n_threads = parameters.n_threads_batch = num_threads
        # it rounds to 16 bits what it multiplies
        parameters.flash_attn_type = _NO_FLASH if is_exact else _FLASH
        parameters.type_k = parameters.type_v = _F32 if is_exact else _F16
        parameters.offload_kqv = on_gpu
        parameters.kv_unified = True
        parameters.swa_full = True  # or cells of a sequence could not be taken back
        parameters.no_perf = True
        with _heard() as errors:
            self.pointer = lib.llama_init_from_model(weights.pointer, parameters)
        if not self.pointer:
            raise MemoryError(f"out of memory: {num_cells} cells: {_first(errors)}")
        self._weights = weights  # outlives this
        self.num_cells = int(lib.llama_n_ctx(self.pointer))
        self._memory = lib.llama_get_memory(self.pointer)
        self._batch = _Batch()
        self._closing = finalize(self, lib.llama_free, self.pointer)
        self._closing.atexit = False

    def close(self) -> None:
        self._closing()

    def copy(self, source: int, target: int, num_tokens: int) -> None:
        """Let sequence `target` begin with the cells of `source`; nothing moves."""
        if num_tokens:
            lib.llama_memory_seq_cp(self._memory, source, target, 0, num_tokens)

    def remove(self, sequence: int, first: int = 0, stop: int = -1) -> None:
        """Take `sequence` out of its cells from position `first` on, or up to `stop`."""
        lib.llama_memory_seq_rm(self._memory, sequence, first, stop)

    def save(self, sequence: int) -> Any:
        """Keys and values of one sequence, as bytes."""
        size = lib.llama_state_seq_get_size(self.pointer, sequence)
        octets = (ctypes.c_uint8 * size)()
        lib.llama_state_seq_get_data(self.pointer, octets, size, sequence)
        return octets

    def restore(self, sequence: int, octets: Any) -> None:
        """Raises: MemoryError: there are not enough cells."""
        if not lib.llama_state_seq_set_data(self.pointer, octets, len(octets), sequence):
            raise MemoryError("out of memory: no free cells for what was saved")

    def decode(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[int],
        wanted: Sequence[bool],
    ) -> NDArray[np.float32]:
        """One pass over up to `PASS_TOKENS` tokens.

        Args:
            sequences: of each token, to which it is appended.
            wanted: whether the logits after a token are asked for.

        Returns:
            float32 (N, V), of the N tokens that asked, in their order; the next pass
            overwrites them.

        Raises:
            MemoryError: there are not enough free cells; nothing changed.
            DeviceError: the pass failed.
        """
        code = lib.llama_decode(self.pointer, self._batch.fill(ids, positions, sequences, wanted))
        if code == _NO_SLOT:
            raise MemoryError(f"out of memory: {self.num_cells} cells are taken")
        if code:
            raise DeviceError(f"llama.cpp failed with code {code}")
        shape = (sum(wanted), self._weights.vocab_size)
        if not shape[0]:
            return np.empty(shape, dtype=np.float32)
        return np.ctypeslib.as_array(lib.llama_get_logits(self.pointer), shape)


class _Batch:
    """The library's arrays of a pass, as numpy sees them."""

    def __init__(self) -> None:
        self._ids = np.zeros(PASS_TOKENS, dtype=np.int32)
        self._positions = np.zeros(PASS_TOKENS, dtype=np.int32)
        self._counts = np.ones(PASS_TOKENS, dtype=np.int32)
        self._sequences = np.zeros(PASS_TOKENS, dtype=np.int32)
        # the library wants a list of sequences for each token: here they are of length one
        first, size = self._sequences.ctypes.data, self._sequences.itemsize
        self._lists = np.arange(PASS_TOKENS, dtype=np.uint64) * size + first
        self._wanted = np.zeros(PASS_TOKENS, dtype=np.int8)
        self._batch = lib.llama_batch()
        self._batch.embd = None
        for name, numbers in (
            ("token", self._ids),
            ("pos", self._positions),
            ("n_seq_id", self._counts),
            ("seq_id", self._lists),
            ("logits", self._wanted),
        ):
            kind = dict(lib.llama_batch._fields_)[name]
            setattr(self._batch, name, ctypes.cast(numbers.ctypes.data, kind))

    def fill(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        sequences: Sequence[int],
        wanted: Sequence[bool],
    ) -> Any:
        count = len(ids)
        self._ids[:count] = ids
        self._positions[:count] = positions
        self._sequences[:count] = sequences
        self._wanted[:count] = wanted
        self._batch.n_tokens = count
        return self._batch
