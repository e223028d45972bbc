"""`dsreview bench --calibrate`: a model's confidence, fitted to a result and kept for reviews."""

from pathlib import Path

import typer

from dsreview.benchmark.calibration import fit_result
from dsreview.benchmark.results import read_result
from dsreview.calibration_files import keep_calibration
from dsreview.sanitize import terminal_safe


def calibrate_and_keep(path: Path) -> None:
    """Fit, keep, and print what it is worth on findings that were held out.

    Raises:
        UsageError: the result cannot be read, or holds too few findings of a model; or the map
            cannot be written.
    """
    for fitted in fit_result(read_result(path)):
        place = keep_calibration(fitted)
        key = fitted.key
        lines = (
            f"{key.model}, prompt {key.prompt_revision}: confidence from {key.basis.value}"
            + (f" of {key.votes}" if key.votes > 1 else ""),
            f"  findings: {fitted.num_findings:,}, {fitted.method}",
            f"  expected calibration error: {fitted.error_before:.3f} as it came, "
            f"{fitted.error_after:.3f} calibrated (held out, by item)",
            f"  kept: {place}",
        )
        for line in lines:
            typer.echo(terminal_safe(line))
