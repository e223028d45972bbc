"""GGUF files that other programs keep on this machine: read, never changed."""

from collections.abc import Sequence
from dataclasses import replace

from dsengine.gguf_stores import stored_models
from dsreview.models.listing import FoundModel, Listing


def with_stored(listing: Listing) -> Listing:
    """The listing with what Ollama, LM Studio and the hub's cache have as GGUF files.

    A repository of GGUF files is listed by its files, not as a model that is not whole.
    """
    stored = tuple(
        FoundModel(
            name=model.name,
            source=model.source,
            size_bytes=model.size_bytes,
            is_whole=True,
            is_used=model.name == listing.used,
            kind=f"GGUF {model.architecture} {model.quantisation}".rstrip(),
        )
        for model in stored_models()
    )
    others = tuple(one for one in listing.others if one.is_whole or not _is_of(one, stored))
    return replace(listing, others=(*others, *stored))


def _is_of(model: FoundModel, stored: Sequence[FoundModel]) -> bool:
    return any(one.name.startswith(f"huggingface:{model.name}/") for one in stored)
