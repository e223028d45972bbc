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
from dsreview.change import EmptySnapshot
from dsreview.config import load
from dsreview.context import ContextMode, build_contexts
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


def misses(change, sandbox: Sandbox) -> list[str]:
    """Modes whose contexts lack an added line."""
    found = []
    files = select(change, (), has_model=True).files
    for mode in ContextMode:
        for file in files:
            contexts = build_contexts(file, mode, MAX_TOKENS, lambda text: len(text) // 3, sandbox)
            code = "\n".join(context.code for context in contexts)
            shown = {line.split(" ", 1)[0] for line in map(str.strip, code.split("\n"))}
            if not {str(number) for number in file.patch.added_lines} <= shown:
                found.append(mode.value)
    return found


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
    crashes = 0
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
                        missed.update(misses(change, sandbox) if kind == "bug" else ())
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
    print(f"\ncrashes {crashes}; contexts without a changed line {dict(missed)}; {seconds:.0f} s")
    for (rule, kind), count in sorted(rules.items()):
        print(f"{rule} on {kind}: {count}")
    return 1 if crashes or missed else 0


if __name__ == "__main__":
    sys.exit(main())
