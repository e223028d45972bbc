"""Whether dsengine could load a model, by headers alone."""

from dataclasses import dataclass
from pathlib import Path

from dsreview.errors import BackendError, UsageError

HOW_TO_INSTALL = "local models are not installed; install dsreview with its extra `local`"


@dataclass(frozen=True, slots=True)
class Checked:
    """What the headers say."""

    place: Path
    model_type: str
    num_parameters: int


def check_model(model: str) -> Checked:
    """
    Args:
        model: a folder, or a name of the local cache.

    Raises:
        UsageError: nothing of that name is here, or it is nothing that could be loaded.
        BackendError: what loads models is not installed.
    """
    try:
        from dsengine.checkpoint import open_checkpoint
        from dsengine.errors import EngineError

        opened = open_checkpoint(model)
    except ImportError as error:
        raise BackendError(HOW_TO_INSTALL) from error
    except EngineError as error:
        raise UsageError(str(error)) from error
    return Checked(opened.folder, opened.model_type, opened.num_parameters)
