"""Which model the settings name, if any: nothing is guessed and nothing downloaded."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from dsreview.backends import BACKENDS, BackendSettings
from dsreview.backends.base import absolute_model
from dsreview.backends.worker import WorkerBackend
from dsreview.config import Config
from dsreview.errors import ConfigurationError
from dsreview.prompt import Backend
from dsreview.resident_choice import open_resident

RESIDENT: Final = "local"
"""The backend that takes seconds to load, so that a server keeps it."""


def chosen_backend(config: Config) -> str | None:
    """The row of `BACKENDS` that the settings ask for; None for a review without a model.

    Raises:
        ConfigurationError: the settings ask for a backend and do not say enough.
    """
    if config.backend == "none":
        return None
    name = config.backend
    if name == "auto":
        name = "http" if config.base_url else "local"
        if config.model == "auto" and name == "local":
            return None
    if config.model == "auto":
        raise ConfigurationError(f"backend {name} needs a model: --model NAME")
    if name == "http" and not config.base_url:
        raise ConfigurationError("backend http needs the server's address: --base-url URL")
    if name == "local" and _is_missing(config.model):
        raise ConfigurationError(f"--model {config.model}: no such folder or file")
    return name


def open_backend(config: Config, environment: Mapping[str, str] = os.environ) -> Backend:
    """Load the model, or connect to its server: the resident one, where it has this model.

    Raises:
        ConfigurationError: no model is named, or its key is not in the environment.
        BackendError: it cannot be loaded or reached.
    """
    return _open(config, environment, lambda name, settings: BACKENDS[name](settings))


def open_worker(config: Config, environment: Mapping[str, str] = os.environ) -> Backend:
    """As `open_backend`; what is loaded is loaded in a process that holds nothing else."""
    return _open(config, environment, WorkerBackend.open)


def _open(
    config: Config,
    environment: Mapping[str, str],
    load: Callable[[str, BackendSettings], Backend],
) -> Backend:
    name = chosen_backend(config)
    if name is None:
        raise ConfigurationError("no model is named: --model NAME")
    settings = _settings(config, _key(config, environment))
    if name == RESIDENT:
        resident = open_resident(name, settings, config.daemon)
        if resident is not None:
            return resident
    return load(name, settings)


def served_settings(config: Config) -> tuple[str, BackendSettings]:
    """What a resident server is started with, for processes in any folder.

    Raises:
        ConfigurationError: no model is named.
    """
    name = chosen_backend(config)
    if name is None:
        raise ConfigurationError("no model is named: --model NAME")
    return name, replace(_settings(config), model=absolute_model(name, config.model))


def _settings(config: Config, key: str = "") -> BackendSettings:
    return BackendSettings(
        model=config.model,
        device=config.device,
        runner=config.runner,
        weights=config.weights,
        batch_size=config.batch_size,
        base_url=config.base_url,
        api_key=key,
        max_tokens=config.window,
    )


def _key(config: Config, environment: Mapping[str, str]) -> str:
    if not config.api_key_env:
        return ""
    key = environment.get(config.api_key_env, "").strip()
    if not key:
        raise ConfigurationError(f"api-key-env: {config.api_key_env} is not set")
    if not (key.isascii() and key.isprintable()):  # or the client would quote it in an error
        raise ConfigurationError(f"api-key-env: {config.api_key_env} holds no key")
    return key


def _is_missing(model: str) -> bool:
    """What begins so is a path to the engine as well; anything else is a name."""
    return model.startswith(("/", ".", "~")) and not Path(model).expanduser().exists()
