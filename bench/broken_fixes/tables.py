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
    mutants = [row for row in known if not row.is_true]
    true = [row for row in known if row.is_true]
    groups: list[tuple[str, Callable[[Row], str]]]
    groups = [("language", lambda row: row.language), ("setting", lambda row: row.setting)]
    parts = [_table(title, mutants, group, _MUTANTS, _of_mutants) for title, group in groups]
    parts.append(_table("kind", mutants, lambda row: row.kind, _MUTANTS, _of_mutants))
    parts += [_table(title, true, group, _TRUE, _of_true) for title, group in groups]
    return "\n\n".join(parts)


_MUTANTS = ("mutants", "same code", "valid", "broken", "refused", "not verifiable", "verified")
_TRUE = ("true fixes", "verified", "not verifiable", "refused")


def _table(
    title: str,
    rows: list[Row],
    group: Callable[[Row], str],
    heads: tuple[str, ...],
    cells: Callable[[list[Row]], Iterator[str]],
) -> str:
    names = sorted({group(row) for row in rows})
    parts = [(name, [row for row in rows if group(row) == name]) for name in names]
    lines = [_line(title, *heads), "|---" * (len(heads) + 1) + "|"]
    lines += [_line(name, *cells(some)) for name, some in (*parts, ("all", rows))]
    return "\n".join(lines)


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _of_mutants(rows: list[Row]) -> Iterator[str]:
    broken = [row for row in rows if row.is_broken]
    yield str(len(rows))
    yield str(sum(row.truth == Truth.SAME for row in rows))
    yield str(sum(row.truth in (Truth.VALID, Truth.QUOTED) for row in rows))
    yield str(len(broken))
    for verdict in ("refused", "not verifiable"):
        yield str(_count(broken, verdict))
    yield _share(_count(broken, "verified"), len(broken))


def _of_true(rows: list[Row]) -> Iterator[str]:
    true = [row for row in rows if row.verdict not in (NOT_ANCHORED, NO_FIX)]
    yield str(len(true))
    yield str(_count(true, "verified"))
    yield str(_count(true, "not verifiable"))
    yield _share(_count(true, "refused"), len(true))


def _count(rows: list[Row], verdict: str) -> int:
    return sum(row.verdict == verdict for row in rows)


def _share(hits: int, total: int) -> str:
    if not total:
        return "0"
    low, high = wilson(hits, total)
    return f"{hits} ({low:.2f} to {high:.2f} %)"
