"""What a run of a benchmark came to: an outcome for each review, and nothing computed from them.

A result holds no times, so that a second run writes the same bytes; they stand in a file of
their own beside it. Figures are computed from outcomes (`scores`), never stored.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import msgspec

from dsreview.benchmark.items import Kind
from dsreview.durable import replace_durably
from dsreview.errors import UsageError
from dsreview.finding import Basis

SCHEMA_VERSION = 1

T = TypeVar("T")


class Side(StrEnum):
    """Which way a change was reviewed."""

    BUG = "bug"
    """It brings the bug in."""
    FIX = "fix"
    """The same change back: its own fix."""
    BENIGN = "benign"


@dataclass(frozen=True, slots=True)
class SuggestionOutcome:
    """A suggestion that was published."""

    proof: str
    """The value of `finding.Proof`."""
    repair_round: int
    equals_fix: bool
    """Applied, it gives the text before the bug, but for white space at the ends of lines."""
    passes_test: bool | None = None
    """Of the item's own test; None where it was not run or there is none."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, as far as it can be judged."""

    rule: str
    severity: str
    start: int
    stop: int
    """Lines of the new file, half-open."""
    confidence: float
    """As reported: calibrated where the model has a map."""
    raw_confidence: float
    """Before the map."""
    origin: str
    hits_bug: bool
    """It stands on a line of the bug; False on any other side."""
    message: str
    suggestion: SuggestionOutcome | None = None
    basis: str = Basis.STATED.value
    """What the confidence rests on: the value of `finding.Basis`."""


@dataclass(frozen=True, slots=True)
class RefusedOne:
    """A suggestion or finding that the gates kept back."""

    rule: str
    reason: str
    """The constraint or gate."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One review of one item."""

    item: str
    side: Side
    language: str
    kind: Kind
    """Of the item, also on the side of its fix."""
    neutral: bool
    status: str
    """The value of `report.Status`; only `complete` counts as silence."""
    gaps: tuple[str, ...] = ()
    """Why not all of it was reviewed."""
    findings: tuple[Found, ...] = ()
    refused: tuple[RefusedOne, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    repair_rounds: int = 0

    @property
    def is_flagged(self) -> bool:
        return bool(self.findings)

    @property
    def is_silent(self) -> bool:
        """Reviewed whole, and nothing found."""
        return not self.findings and self.status == "complete"


@dataclass(frozen=True, slots=True)
class Time:
    """What one review took, in wall seconds; of a batch, until all of it was there."""

    item: str
    side: Side
    seconds: float
    model_seconds: float


@dataclass(frozen=True, slots=True)
class SetFacts:
    name: str
    sha256: str
    """Of the items that were run: `items.digest`."""
    num_items: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What ran. Holds no address and no path of the machine."""

    version: str
    """Of dsreview."""
    backend: str
    model: str
    model_identity: str
    """Digest of all that shapes an answer; empty without a model."""
    device: str
    prompt_revision: str
    settings: dict[str, str]
    """The fields of `Config` that shape a review."""
    run_tests: bool
    counts_are_estimated: bool


@dataclass(frozen=True, slots=True)
class BenchResult:
    schema_version: int
    set: SetFacts
    run: RunFacts
    outcomes: tuple[Outcome, ...]
    """In the order of the set; of a bug, its own side first."""


@dataclass(frozen=True, slots=True)
class Times:
    """Beside a result: how long its reviews took, and on what."""

    schema_version: int
    set_sha256: str
    machine: str
    times: tuple[Time, ...]


@dataclass(frozen=True, slots=True)
class _Version:
    schema_version: int


def write_result(path: Path, result: BenchResult) -> None:
    """Raises UsageError where it cannot be written."""
    _write(path, result)


def write_times(path: Path, times: Times) -> None:
    """Raises UsageError where they cannot be written."""
    _write(path, times)


def read_result(path: Path) -> BenchResult:
    """The result in a file, or in a folder that `dsreview bench` wrote.

    Raises:
        UsageError: it cannot be read, is none, or is of another version.
    """
    return _read(path / RESULT if path.is_dir() else path, BenchResult)


def read_times(path: Path) -> Times:
    """As `read_result`, of the times beside it."""
    return _read(path / TIMES if path.is_dir() else path, Times)


RESULT = "result.json"
TIMES = "times.json"


def _write(path: Path, content: BenchResult | Times) -> None:
    try:
        replace_durably(path, msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None


def _read(path: Path, kind: type[T]) -> T:
    try:
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Version).schema_version
        if version != SCHEMA_VERSION:
            raise UsageError(
                f"{path}: of schema version {version}; this dsreview reads {SCHEMA_VERSION}"
            )
        return msgspec.json.decode(content, type=kind)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is no result of dsreview bench: {error}") from None
