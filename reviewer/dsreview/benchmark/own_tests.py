"""The test of an item, run on a suggestion: executes code of the set, and so only on request.

Python alone. The process has an empty environment, an empty folder that goes afterwards, and
limits of time, memory and files; it is no prison: it can read what the user can.
"""

import os
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from dsreview.benchmark.items import Item
from dsreview.isolated import interpreter

WALL_S = 20.0
_LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
try:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
except (ValueError, OSError):  # macOS knows this limit and refuses to set it
    pass
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Limits are set by the child: between fork and exec a process of many threads may hang."""


def passes_own_test(item: Item, text: str) -> bool | None:
    """Whether the item's test passes with `text` as its file; None where it has none."""
    if item.language != "python" or not item.test.strip():
        return None
    code = "\n".join((item.imports, item.test_setup, text, item.test, ""))
    with tempfile.TemporaryDirectory(prefix="dsreview-bench-") as folder:
        script = Path(folder) / "item_test.py"
        script.write_text(code, encoding="utf-8")
        return _ends_well([*interpreter(), "-c", _LIMITED, str(script)], folder)


def _ends_well(command: list[str], folder: str) -> bool:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(WALL_S) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
