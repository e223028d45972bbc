"""What there is to choose from: the catalogue, and models that are on the disk already."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dsreview.models.catalogue import (
    CATALOGUE,
    TABLE,
    KnownModel,
    Room,
    precision_that_fits,
    recommended,
)
from dsreview.models.hub_cache import CachedModel


@dataclass(frozen=True, slots=True)
class Fit:
    device: str
    precision: str
    """The most precise one that fits; "" for none."""


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    name: str
    revision: str
    licence: str
    num_parameters: int
    num_active: int
    window: int
    memory_bytes: dict[str, int]
    """Of a usual batch, by precision."""
    fits: tuple[Fit, ...]
    is_installed: bool
    is_used: bool
    is_recommended: bool


@dataclass(frozen=True, slots=True)
class FoundModel:
    """On the disk, and not of the catalogue."""

    name: str
    """As `--model` takes it."""
    source: str
    """Whose it is: the Hugging Face cache, Ollama or LM Studio."""
    size_bytes: int
    is_whole: bool
    is_used: bool
    kind: str = "safetensors"


@dataclass(frozen=True, slots=True)
class Listing:
    used: str
    """What the settings name; auto for none."""
    cache: Path
    rooms: tuple[Room, ...]
    catalogue: tuple[CatalogueRow, ...]
    others: tuple[FoundModel, ...]

    def as_json(self) -> dict[str, object]:
        return {"schema_version": 1, **asdict(self), "cache": str(self.cache)}


def survey(used: str, cache: Path, cached: Sequence[CachedModel], rooms: Sequence[Room]) -> Listing:
    """
    Args:
        rooms: of the devices that can be trusted, the one that is taken by itself first.
    """
    whole = {model.name for model in cached if model.is_whole}
    first = recommended(rooms[0]) if rooms else None
    known = {model.name for model in CATALOGUE}
    return Listing(
        used=used,
        cache=cache,
        rooms=tuple(rooms),
        catalogue=tuple(
            _row(model, rooms, model.name in whole, model.name == used, model is first)
            for model in CATALOGUE
        ),
        others=tuple(
            FoundModel(
                model.name, "Hugging Face cache", model.size_bytes, model.is_whole,
                model.name == used,
            )
            for model in cached
            if not (model.name in known and model.is_whole)
        ),
    )  # fmt: skip


def _row(
    model: KnownModel,
    rooms: Sequence[Room],
    is_installed: bool,
    is_used: bool,
    is_recommended: bool,
) -> CatalogueRow:
    return CatalogueRow(
        name=model.name,
        revision=model.revision,
        licence=model.licence,
        num_parameters=model.num_parameters,
        num_active=model.num_active,
        window=model.window,
        memory_bytes={each.name: model.memory_bytes(each) for each in TABLE},
        fits=tuple(_fit(model, room) for room in rooms),
        is_installed=is_installed,
        is_used=is_used,
        is_recommended=is_recommended,
    )


def _fit(model: KnownModel, room: Room) -> Fit:
    precision = precision_that_fits(model, room)
    return Fit(room.device, precision.name if precision else "")
