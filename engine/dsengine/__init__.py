"""Local inference for causal language models, with answers that are JSON by construction.

Nothing here ever opens a connection: the switches below are read by the libraries when
they are imported, so they stand before everything else. torch is loaded with `Engine`,
not before.
"""

import os
from typing import TYPE_CHECKING

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["USE_HUB_KERNELS"] = "NO"  # code from a hub, chosen by a model's configuration
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")  # slow is better than an error

from dsengine.completion import Alternative, Completion, EngineStats, StopReason, TokenChoice
from dsengine.errors import EngineError
from dsengine.message import Message, Piece

if TYPE_CHECKING:
    from dsengine.engine import Engine

__all__ = [
    "Alternative",
    "Completion",
    "Engine",
    "EngineError",
    "EngineStats",
    "Message",
    "Piece",
    "StopReason",
    "TokenChoice",
]


def __getattr__(name: str) -> object:
    if name == "Engine":
        from dsengine.engine import Engine

        return Engine
    raise AttributeError(f"module 'dsengine' has no attribute {name!r}")
