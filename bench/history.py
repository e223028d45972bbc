"""Review the last commits of repositories with the checks alone.

    python bench/history.py REPOSITORY ... [--last 100] [--findings findings.jsonl]
    python bench/history.py REPOSITORY ... --set SET.jsonl.xz

With a set of `dsreview bench make`, the commits that its items were made from are reviewed
instead: whole, in the whole repository, where `dsreview bench` shows one file alone.

Prints crashes, files without a coverage row, findings, and seconds a commit; writes each
finding as a line of JSON, to be judged true or false by reading the code.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from dsreview.benchmark.items import Item, read_items
from dsreview.cache import DirectoryCache
from dsreview.change import EmptySnapshot
from dsreview.config import load
from dsreview.progress import SilentProgress
from dsreview.report import Report
from dsreview.review import Tools, review
from dsreview.sandbox import Sandbox
from dsreview.sources import SourceRequest, open_change


@dataclass
class Tally:
    commits: int = 0
    files: int = 0
    crashes: int = 0
    without_row: int = 0
    gaps: int = 0
    findings: list[dict[str, object]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def commits(repository: Path, last: int) -> list[str]:
    answer = subprocess.run(
        ["git", "-C", repository, "rev-list", "--no-merges", f"--max-count={last}", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.split()


def commits_of(items: list[Item], repository: Path) -> list[str]:
    return [item.fix_commit for item in items if item.project == repository.name]


def label(repository: Path) -> str:
    """The last two folders: clones are often called `repo` in a folder that says which."""
    return "/".join(repository.absolute().parts[-2:])


def lines_of(report: Report, repository: Path, commit: str) -> list[dict[str, object]]:
    return [
        {
            "repository": label(repository),
            "commit": commit[:12],
            "rule": finding.rule,
            "severity": finding.severity.label,
            "place": f"{finding.path}:{finding.span.start}",
            "quote": finding.quote[:200],
            "message": finding.message,
        }
        for finding in report.findings
    ]


def replay(repository: Path, chosen: list[str], tools: Tools, tally: Tally) -> None:
    config = load(EmptySnapshot(), {}, {})
    for commit in chosen:
        started = time.perf_counter()
        try:
            with open_change(SourceRequest(repository, commit=commit)) as change:
                report = review(change, config, tools)
        except Exception as error:  # noqa: BLE001  (a crash is what is counted)
            tally.crashes += 1
            print(f"{label(repository)} {commit[:12]}: {error!r}", file=sys.stderr)
            continue
        tally.seconds.append(time.perf_counter() - started)
        tally.commits += 1
        paths = {patch.path for patch in change.patch.files}
        tally.files += len(paths)
        tally.without_row += len(paths - {row.path for row in report.coverage})
        tally.gaps += sum(row.is_gap for row in report.coverage)
        tally.findings += lines_of(report, repository, commit)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path, nargs="+")
    parser.add_argument("--last", type=int, default=100)
    parser.add_argument("--set", type=Path)
    parser.add_argument("--findings", type=Path)
    parser.add_argument("--cache", type=Path, default=Path(".dsreview-cache"))
    arguments = parser.parse_args()
    items = list(read_items(arguments.set)) if arguments.set else []
    total = Tally()
    print("| repository | commits | files | findings | gaps | median s | p95 s |")
    print("|---|---|---|---|---|---|---|")
    for repository in arguments.repository:
        tally = Tally()
        with Sandbox() as sandbox:
            tools = Tools(sandbox, DirectoryCache(arguments.cache), None, SilentProgress())
            chosen = commits_of(items, repository) if items else commits(repository, arguments.last)
            replay(repository.absolute(), chosen, tools, tally)
        if not tally.seconds:
            print(f"| {label(repository)} | 0 | | | | | |", flush=True)
            continue
        p95 = sorted(tally.seconds)[int(0.95 * (len(tally.seconds) - 1))]
        print(
            f"| {label(repository)} | {tally.commits} | {tally.files} | {len(tally.findings)} "
            f"| {tally.gaps} | {statistics.median(tally.seconds):.2f} | {p95:.2f} |",
            flush=True,
        )
        total.crashes += tally.crashes
        total.without_row += tally.without_row
        total.commits += tally.commits
        total.findings += tally.findings
    print(
        f"\n{total.commits} commits, {total.crashes} crashes, {total.without_row} files without "
        f"a coverage row, {len(total.findings)} findings"
    )
    if arguments.findings:
        with arguments.findings.open("w", encoding="utf-8") as file:
            for finding in total.findings:
                file.write(json.dumps(finding, ensure_ascii=True) + "\n")
    return 1 if total.crashes or total.without_row else 0


if __name__ == "__main__":
    sys.exit(main())
