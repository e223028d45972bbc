"""Swaps two files in one step of the kernel, so that no content is without a name.

`rename` would drop what stands at its target, even what was written there a moment ago.
"""

import ctypes
import errno
import os
import sys

_EXCHANGE = 2
"""`RENAME_EXCHANGE` of linux/fs.h and `RENAME_SWAP` of sys/stdio.h are the same number."""
_FUNCTION = "renameatx_np" if sys.platform == "darwin" else "renameat2"
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


def exchange(first_fd: int, first: bytes, second_fd: int, second: bytes) -> bool:
    """Swap two names, each in an open folder; False where system or disk cannot do it.

    Raises:
        OSError: it could, and failed: one is gone, or they are on different disks.
    """
    function = getattr(ctypes.CDLL(None, use_errno=True), _FUNCTION, None)
    if function is None:
        return False
    function.argtypes = (
        *(ctypes.c_int, ctypes.c_char_p),
        *(ctypes.c_int, ctypes.c_char_p),
        ctypes.c_uint,
    )
    if function(first_fd, first, second_fd, second, _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number))
