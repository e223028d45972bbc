"""Models to start with: what their publishers say of them, and what they would take here.

Every fact stands in the model's `config.json` and card at the pinned revision. Any other
model works as well, by folder or by name.
"""

from dataclasses import dataclass
from typing import Final

BATCH_TOKENS: Final = 2_048 + 8 * 1_152
"""Of a usual batch: a shared prefix, and eight contexts with their answers."""
WORKSPACE_BYTES: Final = 400_000_000
"""Of the widest pass of the largest model here, about."""
MAX_ACTIVE_ON_CPU: Final = 2e9
"""Parameters a token beyond which a review on a CPU takes longer than people wait."""


@dataclass(frozen=True, slots=True)
class Precision:
    """How a model is kept in memory."""

    name: str
    bits: float
    """Of a weight, its share of a scale included."""
    itemsize: int
    """Bytes of a number that is never quantised: embeddings, keys and values."""


TABLE: Final = (Precision("bf16", 16, 2), Precision("int8", 8.1, 2), Precision("int4", 4.5, 2))
"""From the most precise."""
_WIDE: Final = (Precision("fp32", 32, 4), Precision("int8", 8.1, 4), Precision("int4", 4.5, 4))
"""The same where the device computes in float32."""


@dataclass(frozen=True, slots=True)
class Room:
    """Memory that a model could take now."""

    device: str
    free_bytes: int
    itemsize: int
    """Bytes of the numbers in which it computes."""

    @property
    def precisions(self) -> tuple[Precision, ...]:
        return _WIDE if self.itemsize == _WIDE[0].itemsize else TABLE


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One row of the catalogue."""

    name: str
    """As the hub has it, `owner/name`."""
    revision: str
    """Commit that `pull` takes where no other is named."""
    licence: str
    num_parameters: int
    num_active: int
    """Parameters that one token goes through; fewer where experts are chosen."""
    num_embedded: int
    """Parameters of the embedding and the head: never quantised."""
    cache_width: int
    """Numbers that one token leaves in the key-value cache, all layers."""
    window: int
    """Tokens of a prompt and its answer."""

    @property
    def short_name(self) -> str:
        return self.name.partition("/")[2]

    def weight_bytes(self, precision: Precision) -> int:
        inner = self.num_parameters - self.num_embedded
        return int(inner * precision.bits / 8) + self.num_embedded * precision.itemsize

    def memory_bytes(self, precision: Precision) -> int:
        """Of weights, the cache of a usual batch and the work around them; within a tenth."""
        cache = BATCH_TOKENS * self.cache_width * precision.itemsize
        return self.weight_bytes(precision) + cache + WORKSPACE_BYTES


def find(name: str) -> KnownModel | None:
    """The row of that name, with or without its owner, however it is capitalised."""
    wanted = name.lower()
    matching = (row for row in CATALOGUE if wanted in (row.name.lower(), row.short_name.lower()))
    return next(matching, None)


def precision_that_fits(model: KnownModel, room: Room) -> Precision | None:
    """The most precise one; None where even the least does not fit."""
    fitting = (each for each in room.precisions if model.memory_bytes(each) <= room.free_bytes)
    return next(fitting, None)


def recommended(room: Room) -> KnownModel | None:
    """The first row that fits, and answers in good time where only a CPU computes."""
    for model in CATALOGUE:
        is_fast = room.device != "cpu" or model.num_active <= MAX_ACTIVE_ON_CPU
        if is_fast and precision_that_fits(model, room) is not None:
            return model
    return None


_DEEPSEEK = "DeepSeek Model License (use restrictions)"
_QWEN_3B = "Qwen Research License (non-commercial)"

CATALOGUE: Final = (
    KnownModel(
        name="Qwen/Qwen3-Coder-30B-A3B-Instruct",
        revision="b2cff646eb4bb1d68355c01b18ae02e7cf42d120",
        licence="Apache-2.0",
        num_parameters=30_532_122_624,
        num_active=3_300_000_000,
        num_embedded=2 * 151_936 * 2_048,
        cache_width=48 * 2 * 4 * 128,
        window=262_144,
    ),
    KnownModel(
        name="Qwen/Qwen2.5-Coder-14B-Instruct",
        revision="aedcc2d42b622764e023cf882b6652e646b95671",
        licence="Apache-2.0",
        num_parameters=14_770_033_664,
        num_active=14_770_033_664,
        num_embedded=2 * 152_064 * 5_120,
        cache_width=48 * 2 * 8 * 128,
        window=32_768,
    ),
    KnownModel(
        name="deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct",
        revision="e434a23f91ba5b4923cf6c9d9a238eb4a08e3a11",
        licence=_DEEPSEEK,
        num_parameters=15_706_484_224,
        num_active=2_400_000_000,
        num_embedded=2 * 102_400 * 2_048,
        cache_width=27 * (512 + 64),
        window=163_840,
    ),
    KnownModel(
        name="Qwen/Qwen2.5-Coder-7B-Instruct",
        revision="c03e6d358207e414f1eca0bb1891e29f1db0e242",
        licence="Apache-2.0",
        num_parameters=7_615_616_512,
        num_active=7_615_616_512,
        num_embedded=2 * 152_064 * 3_584,
        cache_width=28 * 2 * 4 * 128,
        window=32_768,
    ),
    KnownModel(
        name="deepseek-ai/deepseek-coder-6.7b-instruct",
        revision="e5d64addd26a6a1db0f9b863abf6ee3141936807",
        licence=_DEEPSEEK,
        num_parameters=6_740_512_768,
        num_active=6_740_512_768,
        num_embedded=2 * 32_256 * 4_096,
        cache_width=32 * 2 * 32 * 128,
        window=16_384,
    ),
    KnownModel(
        name="Qwen/Qwen2.5-Coder-3B-Instruct",
        revision="488639f1ff808d1d3d0ba301aef8c11461451ec5",
        licence=_QWEN_3B,
        num_parameters=3_085_938_688,
        num_active=3_085_938_688,
        num_embedded=151_936 * 2_048,
        cache_width=36 * 2 * 2 * 128,
        window=32_768,
    ),
    KnownModel(
        name="Qwen/Qwen2.5-Coder-1.5B-Instruct",
        revision="2e1fd397ee46e1388853d2af2c993145b0f1098a",
        licence="Apache-2.0",
        num_parameters=1_543_714_304,
        num_active=1_543_714_304,
        num_embedded=151_936 * 1_536,
        cache_width=28 * 2 * 2 * 128,
        window=32_768,
    ),
    KnownModel(
        name="deepseek-ai/deepseek-coder-1.3b-instruct",
        revision="e063262dac8366fc1f28a4da0ff3c50ea66259ca",
        licence=_DEEPSEEK,
        num_parameters=1_346_471_936,
        num_active=1_346_471_936,
        num_embedded=2 * 32_256 * 2_048,
        cache_width=24 * 2 * 16 * 128,
        window=16_384,
    ),
    KnownModel(
        name="Qwen/Qwen2.5-Coder-0.5B-Instruct",
        revision="ea3f2471cf1b1f0db85067f1ef93848e38e88c25",
        licence="Apache-2.0",
        num_parameters=494_032_768,
        num_active=494_032_768,
        num_embedded=151_936 * 896,
        cache_width=24 * 2 * 2 * 64,
        window=32_768,
    ),
    KnownModel(
        name="deepseek-ai/DeepSeek-R1-Distill-Qwen-14B",
        revision="1df8507178afcc1bef68cd8c393f61a886323761",
        licence="MIT",
        num_parameters=14_770_033_664,
        num_active=14_770_033_664,
        num_embedded=2 * 152_064 * 5_120,
        cache_width=48 * 2 * 8 * 128,
        window=131_072,
    ),
    KnownModel(
        name="deepseek-ai/DeepSeek-R1-Distill-Qwen-7B",
        revision="916b56a44061fd5cd7d6a8fb632557ed4f724f60",
        licence="MIT",
        num_parameters=7_615_616_512,
        num_active=7_615_616_512,
        num_embedded=2 * 152_064 * 3_584,
        cache_width=28 * 2 * 4 * 128,
        window=131_072,
    ),
    KnownModel(
        name="deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
        revision="ad9f0ae0864d7fbcd1cd905e3c6c5b069cc8b562",
        licence="MIT",
        num_parameters=1_777_088_000,
        num_active=1_777_088_000,
        num_embedded=2 * 151_936 * 1_536,
        cache_width=28 * 2 * 2 * 128,
        window=131_072,
    ),
)
"""The first that fits is the one to start with: models for code before models that think
before each answer, then by size."""
