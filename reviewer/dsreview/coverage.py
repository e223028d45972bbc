"""The ledger of what was seen: every file of the change ends in exactly one row."""

from collections.abc import Iterable

from dsreview.report import Coverage, CoverageState


class CoverageLedger:
    """Who read which file, and what was left out."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = tuple(dict.fromkeys(paths))
        self._fixed: dict[str, Coverage] = {}
        self._read: dict[str, set[str]] = {path: set() for path in self._paths}
        self._left: dict[str, dict[str, None]] = {path: {} for path in self._paths}

    def settle(self, row: Coverage) -> None:
        """This file is done with: nobody reads it."""
        self._fixed[row.path] = row

    def read(self, path: str, reviewer: str) -> None:
        """`reviewer` (`rules`, `impact`, `model`) saw at least a part of the file."""
        self._read[path].add(reviewer)

    def left_out(self, path: str, reason: str) -> None:
        """A part of the file was not seen by somebody who should have."""
        self._left[path][reason] = None

    def is_failed(self, path: str) -> bool:
        """Whether somebody who should have did not see all of it."""
        row = self._fixed.get(path)
        return bool(self._left[path]) or (row is not None and row.is_gap)

    def rows(self) -> tuple[Coverage, ...]:
        """One for each file, in the order of the change."""
        return tuple(self._row(path) for path in self._paths)

    def _row(self, path: str) -> Coverage:
        if path in self._fixed:
            return self._fixed[path]
        readers = tuple(sorted(self._read[path]))
        reasons = "; ".join(self._left[path])
        if not readers:
            return Coverage(path, CoverageState.SKIPPED, reasons or "nobody read it")
        if reasons:
            return Coverage(path, CoverageState.PARTIAL, reasons, reviewers=readers)
        return Coverage(path, CoverageState.REVIEWED, reviewers=readers)
