"""What an installed script calls: `hook run`, ending with codes that only it ends with.

An interpreter that cannot start, or cannot import this, ends with 1, as a finding does.
"""

import sys

from dsreview.cli import HOOK_RUN, INTERRUPTED, main

STOPPED = 99
"""For every reason to stop git; the script turns it into 1, and any other code into 0."""


def call(arguments: list[str]) -> int:
    code = main([*HOOK_RUN, *arguments])
    return code if code in (0, INTERRUPTED) else STOPPED


if __name__ == "__main__":
    sys.exit(call(sys.argv[1:]))
