"""What is installed, which device works, and which model would fit."""

import importlib.metadata
import importlib.util
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dsreview import __version__
from dsreview.cache import RUNNERS_FOLDER, default_folder
from dsreview.config import Config, user_config_file
from dsreview.errors import ConfigurationError
from dsreview.model_choice import chosen_backend
from dsreview.models.catalogue import CATALOGUE, Room, precision_that_fits

LOCAL_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "llguidance")


@dataclass(frozen=True, slots=True)
class Device:
    """Where a model could run."""

    name: str
    is_trusted: bool
    """It is there, and computes what the CPU computes."""
    text: str
    free_bytes: int = 0
    bytes_a_parameter: int = 4
    """As dsengine loads weights there by itself: 4 is fp32, 2 is bf16 or fp16."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    is_good: bool
    text: str


def examine(config: Config, problem: str = "") -> Iterator[Check]:
    """One line for each thing that a review needs or could use; slow ones last.

    Args:
        problem: what is wrong with the user's settings, where they could not be read.
    """
    python = platform.python_version()
    yield Check("python", sys.version_info >= (3, 11), f"{python}, dsreview {__version__}")
    yield _git()
    yield Check("configuration", not problem, problem or _file(user_config_file()))
    yield Check("cache", True, str(default_folder()))
    missing = [name for name in LOCAL_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        advice = "install dsreview with its extra `local`"
        yield Check("local models", False, f"{', '.join(missing)} not installed; {advice}")
        yield _model(config)
        return
    yield Check("local models", True, ", ".join(map(_version, LOCAL_PACKAGES)))
    yield Check("runners", True, _runners())
    devices = _devices()
    for device in devices:
        yield Check(device.name, device.is_trusted, device.text)
    yield _model(config)
    trusted = [device for device in devices if device.is_trusted]
    if trusted:
        yield from _known_models(_room(trusted[0]))


def _git() -> Check:
    path = shutil.which("git")
    if path is None:
        return Check("git", False, "not found on PATH; install git 2.30 or newer")
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    return Check("git", answer.returncode == 0, f"{answer.stdout.strip()} at {path}")


def _file(path: Path) -> str:
    return str(path) if path.is_file() else f"{path} (none yet: defaults are used)"


def _version(package: str) -> str:
    return f"{package} {importlib.metadata.version(package)}"


def _runners() -> str:
    """What runs models here, and how fast each was where they were compared."""
    from dsengine.fastest import all_measured

    packages = {"torch": "torch", "llama.cpp": "llama_cpp", "mlx": "mlx_lm"}
    here = [name for name, package in packages.items() if importlib.util.find_spec(package)]
    told = [", ".join(here)]
    for measured in all_measured(default_folder() / RUNNERS_FOLDER):
        rates = sorted(measured.tokens_per_s.items(), key=lambda item: -item[1])
        each = ", ".join(f"{name} {rate:.0f}" for name, rate in rates)
        told.append(f"{measured.model_type}: {each} tokens/s")
    return "; ".join(told)


def _devices() -> list[Device]:
    """In the order in which `--device auto` tries them."""
    from dsengine import device  # torch: seconds

    found = []
    for name in ("mps", "cuda", "cpu"):
        if not device.is_present(name):
            found.append(Device(name, False, "not on this machine"))
        elif problem := _problem(name):
            found.append(Device(name, False, f"computes wrongly, so it is not used: {problem}"))
        else:
            free = device.free_memory(name)
            size = device.default_dtype(name).itemsize
            text = f"computes as it should; {free / 1e9:.1f} GB free"
            found.append(Device(name, True, text, free, size))
    return found


def _problem(device: str) -> str:
    """Of a plain network or one of latents and experts, however weights are kept."""
    from dsengine.memory import WEIGHTS
    from dsengine.self_test import self_test

    if device == "cpu":
        return ""
    found = (self_test(device, kind, WEIGHTS) for kind in ("llama", "deepseek_v3"))
    return next(filter(None, found), "")


def _model(config: Config) -> Check:
    try:
        name = chosen_backend(config)
        if name is None:
            text = f'none named: only checks run; put model = "..." into {user_config_file()}'
            return Check("model", False, text)
    except ConfigurationError as error:
        return Check("model", False, str(error))
    where = f" at {config.base_url}" if name == "http" else ""
    return Check("model", True, f"{config.model}{where}, backend {name}")


def rooms() -> tuple[Room, ...]:
    """Where a model could run, the device that is taken by itself first; none without torch."""
    if any(importlib.util.find_spec(name) is None for name in LOCAL_PACKAGES):
        return ()
    return tuple(map(_room, (device for device in _devices() if device.is_trusted)))


def _room(device: Device) -> Room:
    return Room(device.name, device.free_bytes, device.bytes_a_parameter)


def _known_models(room: Room) -> Iterator[Check]:
    """What could be run there now."""
    for model in CATALOGUE:
        precision = precision_that_fits(model, room)
        needed = precision or room.precisions[-1]
        verdict = "fits" if precision else "does not fit"
        need = f"{model.memory_bytes(needed) / 1e9:.1f} GB as {needed.name} on {room.device}"
        yield Check(verdict, precision is not None, f"{model.name} ({need})")
