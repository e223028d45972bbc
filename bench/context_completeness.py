"""Whether the contexts that a model is shown hold every changed line, in every mode.

    python bench/context_completeness.py SET.jsonl [--limit N]

Each item of the set is looked at there and back. Prints the modes whose contexts lack an added
or a removed line; exit code 1 if any does.
"""

import argparse
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

from dsreview.benchmark.items import read_items, reversed_item
from dsreview.benchmark.replay import change_of
from dsreview.change import Change
from dsreview.context import ContextMode, build_contexts, make_visible
from dsreview.patch import FilePatch, LineKind
from dsreview.sandbox import Sandbox
from dsreview.selection import select

MAX_TOKENS = 4_000


def changed_rows(patch: FilePatch) -> Counter[str]:
    """Each added and removed line as contexts show it; a removed one has no number."""
    return Counter(
        f"{line.new_number or '':>5} {line.kind} {make_visible(line.text)}"
        for hunk in patch.hunks
        for line in hunk.lines
        if line.kind is not LineKind.CONTEXT
    )


def misses(change: Change, sandbox: Sandbox) -> list[str]:
    """Modes whose contexts lack an added or a removed line."""
    found = []
    files = select(change, (), has_model=True).files
    for mode in ContextMode:
        for file in files:
            contexts = build_contexts(file, mode, MAX_TOKENS, lambda text: len(text) // 3, sandbox)
            shown = Counter(row for context in contexts for row in context.code.split("\n"))
            if not changed_rows(file.patch) <= shown:
                found.append(mode.value)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", type=Path)
    parser.add_argument("--limit", type=int, default=None)
    arguments = parser.parse_args()
    missed: Counter[str] = Counter()
    num = 0
    with Sandbox() as sandbox:
        for item in islice(read_items(arguments.set), arguments.limit):
            for side in (item, reversed_item(item)):
                missed.update(misses(change_of(side), sandbox))
                num += 1
    print(f"{num:,} changes; contexts that lack a changed line, by mode: {dict(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
