"""The tools of a review, opened as the settings ask for."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from dsreview.cache import DirectoryCache, NoCache, default_folder
from dsreview.calibration_files import find_calibration
from dsreview.config import Config
from dsreview.model_choice import chosen_backend, open_backend
from dsreview.progress import Progress
from dsreview.prompt import Backend
from dsreview.review import Tools, keep_nothing
from dsreview.sandbox import Sandbox


def open_tools(
    config: Config,
    progress: Progress,
    stack: ExitStack,
    open_model: Callable[[Config], Backend] = open_backend,
    sandbox: Sandbox | None = None,
) -> Tools:
    """Tools that are closed with `stack`; the model is opened by the review, where it needs one.

    Args:
        sandbox: one that is open already, and closed by whoever opened it.

    Raises:
        ConfigurationError: the settings ask for a model and do not say enough.
    """
    store = DirectoryCache(default_folder()) if config.cache else None
    if store is not None:
        stack.callback(store.trim)
    return Tools(
        sandbox=sandbox or stack.enter_context(Sandbox()),
        cache=store or NoCache(),
        open_backend=partial(open_model, config) if chosen_backend(config) else None,
        progress=progress,
        keep_answer=store.keep_for_people if store else keep_nothing,
        find_calibration=find_calibration,
    )
