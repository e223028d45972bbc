"""What a git process writes, read within bounds of time and size."""

import os
import selectors
import subprocess
import time

from dsreview.errors import GitError

_PART_BYTES = 1 << 18


class OutputTooLarge(GitError):
    """git wrote more than anyone wants to hold."""


def read_output(
    process: "subprocess.Popen[bytes]", max_bytes: int, timeout_s: float
) -> tuple[bytes, bytes]:
    """Output and complaints of a process, which has ended afterwards, however it went.

    Raises:
        OutputTooLarge: it wrote more than `max_bytes`.
        GitError: it took longer than `timeout_s`.
    """
    try:
        return _read_both(process, max_bytes, time.monotonic() + timeout_s)
    except TimeoutError:
        raise GitError(f"git took longer than {timeout_s:.0f} s") from None
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _read_both(
    process: "subprocess.Popen[bytes]", max_bytes: int, deadline: float
) -> tuple[bytes, bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    output, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, output)
        selector.register(process.stderr, selectors.EVENT_READ, complaint)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                part = os.read(key.fd, _PART_BYTES)
                key.data.extend(part)
                if not part:
                    selector.unregister(key.fileobj)
            if len(output) + len(complaint) > max_bytes:
                raise OutputTooLarge(f"git wrote more than {max_bytes >> 20} MB")
    process.wait(max(1.0, deadline - time.monotonic()))
    return bytes(output), bytes(complaint)
