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

import psutil

from dsreview import __version__
from dsreview.cache import default_folder
from dsreview.config import Config, user_config_file
from dsreview.errors import ConfigurationError
from dsreview.model_choice import chosen_backend

LOCAL_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "llguidance")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A model to start with. Sizes from its published configuration."""

    name: str
    num_parameters: float
    max_tokens: int

    @property
    def size_bytes(self) -> float:
        """Weights in bf16, and a fifth for the cache and workspace."""
        return self.num_parameters * 2 * 1.2


KNOWN_MODELS = (
    KnownModel("deepseek-ai/deepseek-coder-1.3b-instruct", 1.35e9, 16_384),
    KnownModel("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", 1.78e9, 131_072),
    KnownModel("deepseek-ai/deepseek-coder-6.7b-instruct", 6.74e9, 16_384),
    KnownModel("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", 7.62e9, 131_072),
    KnownModel("deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct", 15.7e9, 163_840),
)


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    is_good: bool
    text: str


def examine(config: Config) -> Iterator[Check]:
    """One line for each thing that a review needs or could use; slow ones last."""
    python = platform.python_version()
    yield Check("python", sys.version_info >= (3, 11), f"{python}, dsreview {__version__}")
    yield _git()
    yield Check("configuration", True, _file(user_config_file()))
    yield Check("cache", True, str(default_folder()))
    missing = [name for name in LOCAL_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        advice = "pip install 'dsreview[local]'"
        yield Check("local models", False, f"{', '.join(missing)} not installed; {advice}")
    else:
        yield Check("local models", True, ", ".join(map(_version, LOCAL_PACKAGES)))
        yield from _devices()
    yield _model(config)
    yield from _known_models()


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


def _devices() -> Iterator[Check]:
    from dsengine import device  # torch: seconds

    for name in ("mps", "cuda", "cpu"):
        if not device.is_present(name):
            yield Check(f"device {name}", False, "not on this machine")
        elif device.computes_right(name):
            free = device.free_memory(name) / 1e9
            yield Check(f"device {name}", True, f"computes as it should; {free:.1f} GB free")
        else:
            yield Check(f"device {name}", False, "present, but its results are wrong: not used")


def _model(config: Config) -> Check:
    try:
        name = chosen_backend(config)
    except ConfigurationError as error:
        return Check("model", False, str(error))
    if name is None:
        text = f'none named: only checks run; put model = "..." into {user_config_file()}'
        return Check("model", False, text)
    where = f" at {config.base_url}" if name == "http" else ""
    return Check("model", True, f"{config.model}{where}, backend {name}")


def _known_models() -> Iterator[Check]:
    free = psutil.virtual_memory().available
    for model in KNOWN_MODELS:
        fits = model.size_bytes <= free
        need, have = f"{model.size_bytes / 1e9:.1f} GB", f"{free / 1e9:.1f} GB free"
        yield Check(
            model.name, fits, f"{need} in bf16 {'fits' if fits else 'does not fit'} ({have})"
        )
