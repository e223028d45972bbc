"""How a hook stands, and what it ends with where something fails: decided here alone."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from dsreview.errors import DsreviewError

FAILED = 3
"""Exit code: not everything could be reviewed."""


@dataclass(slots=True)
class Standing:
    """A failure lets git go on, but with `strict`; it never takes a verdict back."""

    is_strict: bool
    """As far as the configuration is known by now."""
    verdict: int = 0
    """Exit code of what was reviewed so far; 0 lets git go on."""

    def ended(self, work: Callable[[], int]) -> int:
        """The exit code of `work`, or of its failure, which is told."""
        try:
            return work()
        except DsreviewError as error:
            return self.fail(str(error), error.exit_code)
        except Exception as error:  # noqa: BLE001  (whatever it is, no commit is to fail of it)
            if os.environ.get("DSREVIEW_TRACEBACK"):
                import traceback

                traceback.print_exc()
            return self.fail(f"dsreview failed: {type(error).__name__}: {error}")

    def fail(self, problem: str, failure: int = FAILED) -> int:
        """Say why something was not reviewed; the exit code."""
        from dsreview.sanitize import terminal_line

        sys.stderr.write(f"{self.words(terminal_line(' '.join(problem.split())))}\n")
        return self.code(failure)

    def code(self, failure: int = FAILED) -> int:
        """Of a run that ends now, by a failure with this code."""
        return self.verdict or (failure if self.is_strict else 0)

    def words(self, problem: str) -> str:
        if self.verdict:
            end = "stopped by a finding"
        else:
            end = "stopped (strict)" if self.is_strict else "git goes on"
        return f"dsreview: not reviewed, {end}: {problem}"
