"""What the gate let through and what it refused, by language and by kind."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from math import sqrt

from broken_fixes.judging import Truth

NOT_ANCHORED = "not anchored"
"""The finding has no certain place: its suggestion never comes to the gate."""
NO_FIX = "no fix"
"""The compiler of the language accepts what it corrects and refuses the correction."""
_Z = 1.96
"""Of a two-sided interval of 95 %."""


@dataclass(frozen=True, slots=True)
class Row:
    """One suggestion at the gate."""

    case: str
    source: str
    language: str
    setting: str
    kind: str
    verdict: str
    """verified, not verifiable, refused, or one of the above."""
    constraint: str
    message: str
    truth: str
    """Empty of a true fix."""
    has_judge: bool

    def fields(self) -> dict[str, str | bool]:
        return asdict(self)

    @property
    def is_true(self) -> bool:
        return not self.truth

    @property
    def is_broken(self) -> bool:
        return bool(self.truth) and Truth(self.truth).is_broken

    @property
    def is_leak(self) -> bool:
        return self.is_broken and self.verdict == "verified"


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Bounds of the share of `hits`, in percent, with 95 % confidence."""
    if not total:
        return 0.0, 100.0
    share = hits / total
    centre = (share + _Z**2 / (2 * total)) / (1 + _Z**2 / total)
    half = _Z / (1 + _Z**2 / total) * sqrt(share * (1 - share) / total + _Z**2 / (4 * total**2))
    return 100 * max(centre - half, 0), 100 * min(centre + half, 1)


def tables(rows: Iterable[Row]) -> str:
    known = list(rows)
    return "\n\n".join(
        (
            _table("language", known, lambda row: row.language),
            _table("setting", known, lambda row: row.setting),
            _table("kind", [row for row in known if not row.is_true], lambda row: row.kind),
        )
    )


def _table(title: str, rows: list[Row], group: Callable[[Row], str]) -> str:
    names = sorted({group(row) for row in rows})
    lines = [
        f"| {title} | mutants | same code | valid | broken | refused | not verifiable | verified "
        "| true fixes | refused | not verifiable |",
        "|---" * 11 + "|",
    ]
    lines += [_line(name, [row for row in rows if group(row) == name]) for name in names]
    return "\n".join((*lines, _line("all", rows)))


def _line(name: str, rows: list[Row]) -> str:
    return "| " + " | ".join((name, *_cells(rows))) + " |"


def _cells(rows: list[Row]) -> Iterator[str]:
    mutants = [row for row in rows if not row.is_true]
    broken = [row for row in mutants if row.is_broken]
    yield str(len(mutants))
    yield str(sum(row.truth == Truth.SAME for row in mutants))
    yield str(sum(row.truth in (Truth.VALID, Truth.QUOTED) for row in mutants))
    yield str(len(broken))
    for verdict in ("refused", "not verifiable"):
        yield str(_count(broken, verdict))
    yield _share(_count(broken, "verified"), len(broken))
    true = [row for row in rows if row.is_true and row.verdict not in (NOT_ANCHORED, NO_FIX)]
    yield str(len(true))
    yield _share(_count(true, "refused"), len(true))
    yield str(_count(true, "not verifiable"))


def _count(rows: list[Row], verdict: str) -> int:
    return sum(row.verdict == verdict for row in rows)


def _share(hits: int, total: int) -> str:
    if not total:
        return "0"
    low, high = wilson(hits, total)
    return f"{hits} ({low:.2f} to {high:.2f} %)"
