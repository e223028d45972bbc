"""The maps that were fitted, a file each, in the user's data folder."""

import hashlib
import os
from pathlib import Path

import msgspec

from dsreview.calibration import CalibrationKey, CalibrationMap
from dsreview.durable import replace_durably
from dsreview.errors import UsageError

FOLDER_VARIABLE = "DSREVIEW_DATA_DIR"


def calibration_folder() -> Path:
    """`DSREVIEW_DATA_DIR` moves it."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named) / "calibration"
    import platformdirs  # 4 ms that a review without a model need not pay

    return Path(platformdirs.user_data_dir("dsreview")) / "calibration"


def find_calibration(key: CalibrationKey) -> CalibrationMap | None:
    """The map for `key`; None where there is none that can be read."""
    try:
        fitted = msgspec.json.decode(_place(key).read_bytes(), type=CalibrationMap)
    except (OSError, ValueError):  # also of msgspec, and of a map that falls
        return None
    return fitted if fitted.key == key else None


def keep_calibration(fitted: CalibrationMap) -> Path:
    """Where it is found again from now on.

    Raises:
        UsageError: it cannot be written.
    """
    path = _place(fitted.key)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_durably(path, msgspec.json.format(msgspec.json.encode(fitted), indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    return path


def _place(key: CalibrationKey) -> Path:
    name = hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:20]
    return calibration_folder() / f"{name}.json"
