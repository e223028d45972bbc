"""Replay the bug and fix pairs of HumanEvalPack through the whole pipeline, with no model.

    python bench/humanevalpack.py humanevalpack.jsonl.xz [--limit N]

Each pair is reviewed twice: as the change that brings the bug in, and as its fix. A
check that fires on the first and not on the second tells the two apart. Prints crashes,
contexts that miss a changed line (in every mode), and flags by language.
"""

import argparse
import json
import lzma
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from scratch import write_history

from dsreview.cache import NoCache
from dsreview.change import Change, EmptySnapshot
from dsreview.config import load
from dsreview.context import ContextMode, build_contexts, make_visible
from dsreview.patch import FilePatch, LineKind
from dsreview.progress import SilentProgress
from dsreview.review import Tools, review
from dsreview.sandbox import Sandbox
from dsreview.selection import select
from dsreview.sources import SourceRequest, open_change

MAX_TOKENS = 4_000


def pairs(path: Path) -> Iterator[dict[str, str]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


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


def has_only_removals(change: Change) -> bool:
    """Whether some hunk removes lines and adds none."""
    return any(
        not hunk.added and any(line.kind is LineKind.REMOVED for line in hunk.lines)
        for file in change.patch.files
        for hunk in file.hunks
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--limit", type=int, default=None)
    arguments = parser.parse_args()
    records = list(pairs(arguments.file))[: arguments.limit]
    config = load(EmptySnapshot(), {}, {})
    flags: Counter[tuple[str, str]] = Counter()
    rules: Counter[tuple[str, str]] = Counter()
    missed: Counter[str] = Counter()
    crashes = removals = 0
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        trees = []
        for record in records:
            before, after = record["before_text"].encode(), record["after_text"].encode()
            path = f"src/{Path(record['path']).name}"
            trees += [{path: before}, {path: after}, {path: before}]
        ids = write_history(Path(folder), trees)
        tools = Tools(sandbox, NoCache(), None, SilentProgress())
        for number, record in enumerate(records):
            for kind, commit in (("bug", ids[3 * number + 1]), ("fix", ids[3 * number + 2])):
                try:
                    with open_change(SourceRequest(Path(folder), commit=commit)) as change:
                        report = review(change, config, tools)
                        missed.update(misses(change, sandbox))
                        removals += has_only_removals(change)
                except Exception as error:  # noqa: BLE001  (a crash is what is counted)
                    crashes += 1
                    print(record["id"], kind, repr(error), file=sys.stderr)
                    continue
                flags[record["language"], kind] += bool(report.findings)
                rules.update((finding.rule, kind) for finding in report.findings)
    seconds = time.perf_counter() - started
    totals = Counter(record["language"] for record in records)
    print("| language | pairs | bug flagged | fix flagged |\n|---|---|---|---|")
    for language, total in sorted(totals.items()):
        print(f"| {language} | {total} | {flags[language, 'bug']} | {flags[language, 'fix']} |")
    print(
        f"\ncrashes {crashes}; contexts without an added or removed line {dict(missed)}; "
        f"changes with a hunk that only removes {removals}; {seconds:.0f} s"
    )
    for (rule, kind), count in sorted(rules.items()):
        print(f"{rule} on {kind}: {count}")
    return 1 if crashes or missed else 0


if __name__ == "__main__":
    sys.exit(main())
