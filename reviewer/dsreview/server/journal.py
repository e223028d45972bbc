"""The server's log: bounded, for the user alone, with no code and no prompt in it."""

import logging
import logging.handlers
import os
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 1_000_000
"""Of one file; the one before it is kept."""
_LOGGER: Final = "dsreview.server"


def open_journal(path: Path) -> logging.Logger:
    """Log to `path`. What libraries log is not ours and goes nowhere."""
    journal = logging.getLogger(_LOGGER)
    journal.propagate = False
    journal.setLevel(logging.INFO)
    handler = _PrivateFile(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    close_journal(journal)
    journal.addHandler(handler)
    return journal


def close_journal(journal: logging.Logger) -> None:
    for handler in list(journal.handlers):
        journal.removeHandler(handler)
        handler.close()


class _PrivateFile(logging.handlers.RotatingFileHandler):
    def _open(self):  # type: ignore[no-untyped-def]  # as its base, which is not typed
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, self.mode, encoding=self.encoding)
