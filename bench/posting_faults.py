"""Post a plan while something goes wrong, at every point of it, and see what is left.

    python bench/posting_faults.py [--markdown docs/posting.md]

Needs the extra `testing`: GitHub is the fake one on loopback. Each fault of its table befalls
the posting at each of six points; pauses pass on a clock that is not waited for. Then the
same run is done again, without the fault. A finding is lost where it neither stands on the
pull request nor is reported to the caller. Exits 1 where anything was lost, posted twice,
not reported, or waited for too long.
"""

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dsreview.fake_github import FakeGitHub, Fault, Pull, fault_table
from dsreview.finding import Origin
from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.limits import Patience, WaitLimits
from dsreview.outputs.github_pr.marker import (
    LastReview,
    entry_marker,
    finding_marker,
    foot_marker,
    known_entries,
    known_finding,
    review_key,
    review_marker,
    state_marker,
)
from dsreview.outputs.github_pr.outbox import Outbox
from dsreview.outputs.github_pr.poster import Poster
from dsreview.outputs.github_pr.results import PostingResult
from dsreview.outputs.github_pr.values import (
    Entry,
    FileComment,
    InlineComment,
    PostingPlan,
    Side,
    Summary,
)
from dsreview.report import Status

HEAD, BASE = "a" * 40, "b" * 40
KEY = "0123456789abcdef0123"
PATH = "shop/cart.py"
NUM_LINES = 12
PATCH = f"@@ -1 +1,{NUM_LINES} @@\n def total(cart):\n" + "\n".join(
    f"+    line_{number}()" for number in range(2, NUM_LINES + 1)
)
REQUEST_S = 0.4
LIMITS = WaitLimits(request_s=REQUEST_S)
FAULTS = fault_table(beyond_timeout_s=2.5 * REQUEST_S)
POINTS = {
    "login": ("POST", r"/graphql$", 0),
    "reading": ("GET", r"/pulls/1/reviews$", 0),
    "threads": ("POST", r"/graphql$", 1),
    "review": ("POST", r"/pulls/1/reviews$", 0),
    "file comment": ("POST", r"/pulls/1/comments$", 0),
    "summary": ("POST", r"/issues/1/comments$", 0),
}
"""Method, path, and how many of such requests go well first."""
MAX_WAIT_S = LIMITS.total_s + REQUEST_S
MAX_REQUESTS_A_MINUTE = 30
"""Of which a run without faults takes 13 in its first seconds."""


class SkippingClock:
    """The machine's, but for pauses: they pass at once."""

    def __init__(self) -> None:
        self.skipped_s = 0.0
        self._pauses: list[tuple[float, float]] = []

    def monotonic(self) -> float:
        return time.monotonic() + self.skipped_s

    def epoch(self) -> float:
        return time.time() + self.skipped_s

    def sleep(self, seconds: float) -> None:
        self.skipped_s += seconds
        self._pauses.append((time.monotonic(), seconds))

    def at(self, real_s: float) -> float:
        """What it showed when `time.monotonic()` was `real_s`."""
        return real_s + sum(seconds for when, seconds in self._pauses if when <= real_s)


@dataclass(frozen=True, slots=True)
class Ending:
    """What one fault at one point came to."""

    fault: str
    point: str
    result: PostingResult
    again: PostingResult
    lost: int
    twice: int
    reviews: int
    elapsed_s: float
    """Pauses included."""
    most_in_a_minute: int

    @property
    def problems(self) -> Iterator[str]:
        where = f"{self.fault} at {self.point}"
        if self.lost:
            yield f"{where}: {self.lost} findings lost"
        if self.twice:
            yield f"{where}: {self.twice} findings posted twice"
        if self.reviews > 1:
            yield f"{where}: {self.reviews} reviews"
        for result in (self.result, self.again):
            if not result.is_delivered and not result.reason:
                yield f"{where}: {result.outcome}, and no reason"
            if result.is_delivered and result.reported:
                yield f"{where}: delivered, and yet not all told"
        if self.elapsed_s > MAX_WAIT_S:
            yield f"{where}: took {self.elapsed_s:.0f} s"
        if self.most_in_a_minute > MAX_REQUESTS_A_MINUTE:
            yield f"{where}: {self.most_in_a_minute} requests in a minute"


@dataclass(slots=True)
class Stage:
    """A pull request on the fake server, and runs of the poster against it."""

    github: FakeGitHub
    pull: Pull
    outbox: Outbox
    clock: SkippingClock = field(default_factory=SkippingClock)

    @property
    def address(self) -> PullAddress:
        repository = self.github.repository
        return PullAddress(repository.owner, repository.name, self.pull.number)

    def post(self, plan: PostingPlan) -> PostingResult:
        client = GitHub(self.github.url, self.github.token, Patience(LIMITS, self.clock))
        try:
            return Poster(client, self.address, self.outbox).post(plan)
        finally:
            client.close()

    def post_again(self, plan: PostingPlan) -> PostingResult:
        """As the next run does: what the last one could not end comes first."""
        client = GitHub(self.github.url, self.github.token, Patience(LIMITS, self.clock))
        try:
            Poster(client, self.address, self.outbox).resume()
        finally:
            client.close()
        return self.post(plan)


def example_plan(
    num_inline: int = 5, num_on_files: int = 2, num_in_summary: int = 2, num_refused: int = 0
) -> PostingPlan:
    """Findings `line0`, `file0`, `summary0` and so on; the last lines are not in the diff."""
    lines = [f"line{number}" for number in range(num_inline)]
    on_files = [f"file{number}" for number in range(num_on_files)]
    others = [f"summary{number}" for number in range(num_in_summary)]
    last = LastReview(HEAD, BASE, "c" * 20, Status.COMPLETE, "d" * 20)
    return PostingPlan(
        key=KEY,
        head_sha=HEAD,
        review_body=f"Comments.\n\n{review_marker(KEY, HEAD)}",
        inline=tuple(
            InlineComment(
                path=PATH,
                body=_body(name),
                line=number + 3 + (NUM_LINES if number >= num_inline - num_refused else 0),
                side=Side.RIGHT,
                start_line=number + 2 if number % 2 else None,
                fingerprint=name,
                file_body=_body(name),
                entry=_entry(name),
            )
            for number, name in enumerate(lines)
        ),
        file_level=tuple(FileComment(PATH, _body(name), name, _entry(name)) for name in on_files),
        summary=Summary(
            head=f"{state_marker(last)}\n## dsreview",
            entries=tuple(map(_entry, others)),
            foot=foot_marker(),
        ),
        minimize=(),
        resolve=(),
        annotations=(),
    )


def _body(name: str) -> str:
    return f"This is {name}.\n\n{finding_marker(KEY, HEAD, name)}"


def _entry(name: str) -> Entry:
    marker = entry_marker(name, PATH, 2, Origin.RULE.value)
    return Entry(name, f"{marker}\nThis is {name}, in full.", f"{marker}\n- {name}", 2)


def names_of(plan: PostingPlan) -> list[str]:
    listed = plan.summary.entries if plan.summary else ()
    parts = (plan.inline, plan.file_level, listed)
    return [one.fingerprint for part in parts for one in part]


def told_on(pull: Pull) -> Counter[str]:
    """How often each finding is seen on the pull request; what is hidden does not count."""
    found = [known_finding(one.body) for one in pull.comments if not one.minimized]
    names = Counter(finding.fingerprint for finding in found if finding)
    for comment in pull.issue_comments:
        if not comment.minimized:
            names.update(entry.fingerprint for entry in known_entries(comment.body))
    return names


def reviews_on(pull: Pull) -> int:
    return sum(review_key(review.body) is not None for review in pull.submitted)


def run_fault(fault: Fault, point: str, plan: PostingPlan | None = None) -> Ending:
    plan = plan or example_plan()
    method, path, num_before = POINTS[point]
    with FakeGitHub() as github, tempfile.TemporaryDirectory() as folder:
        stage = Stage(github, github.add_pull({PATH: PATCH}, head=HEAD), Outbox(Path(folder)))
        injection = github.inject(fault, method, path, skip=num_before)
        began = stage.clock.monotonic()
        result = stage.post(plan)
        elapsed_s = stage.clock.monotonic() - began
        most = most_in_a_minute([stage.clock.at(seen.at) for seen in github.log])
        lost = num_lost(plan, result, stage.pull)
        injection.times = 0
        again = stage.post_again(plan)
        lost = max(lost, num_lost(plan, again, stage.pull))
        told = told_on(stage.pull)
        assert not github.contract_violations, github.contract_violations
    return Ending(
        fault=fault.name,
        point=point,
        result=result,
        again=again,
        lost=lost,
        twice=sum(num - 1 for num in told.values()),
        reviews=reviews_on(stage.pull),
        elapsed_s=elapsed_s,
        most_in_a_minute=most,
    )


def num_lost(plan: PostingPlan, result: PostingResult, pull: Pull) -> int:
    """Findings that are neither on the pull request nor given back."""
    told = told_on(pull)
    return sum(name not in told and name not in result.reported for name in names_of(plan))


def most_in_a_minute(times: Sequence[float]) -> int:
    return max((sum(0 <= at - start < 60 for at in times) for start in times), default=0)


def table(endings: Sequence[Ending]) -> str:
    """Markdown: a row for each point."""
    rows = [
        "| fault at | runs | posted whole | reported instead | after the next run, posted whole "
        "| longest wait | most requests in a minute |",
        "|---|---|---|---|---|---|---|",
    ]
    for point in (*POINTS, "all"):
        chosen = [one for one in endings if point in (one.point, "all")]
        delivered = sum(one.result.is_delivered for one in chosen)
        rows.append(
            f"| {point} | {len(chosen)} | {delivered} | {len(chosen) - delivered} "
            f"| {sum(one.again.is_delivered for one in chosen)} "
            f"| {max(one.elapsed_s for one in chosen):.0f} s "
            f"| {max(one.most_in_a_minute for one in chosen)} |"
        )
    lost = sum(one.lost for one in endings)
    twice = sum(one.twice for one in endings)
    most = max(one.reviews for one in endings)
    rows += ["", f"Findings lost: {lost}. Posted twice: {twice}. Most reviews on one head: {most}."]
    return "\n".join(rows)


def details(endings: Sequence[Ending]) -> str:
    """Markdown: a row for each fault, how it ended at each point."""
    rows = [f"| fault | {' | '.join(POINTS)} |", "|---|" + "---|" * len(POINTS)]
    ends = {(one.fault, one.point): one for one in endings}
    for name in dict.fromkeys(one.fault for one in endings):
        cells = [_cell(ends[name, point]) for point in POINTS]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _cell(ending: Ending) -> str:
    text = str(ending.result.outcome)
    if ending.result.demoted:
        text += f", {len(ending.result.demoted)} elsewhere"
    return f"{text} ({ending.elapsed_s:.0f} s)"


BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", type=Path, help="a page to write the figures into")
    chosen = parser.parse_args()
    endings = []
    for fault in FAULTS:
        for point in POINTS:
            endings.append(run_fault(fault, point))
            sys.stderr.write(".")
            sys.stderr.flush()
    figures = f"{table(endings)}\n\n{details(endings)}"
    print(f"\n{figures}")
    if chosen.markdown:
        page = chosen.markdown.read_text("utf-8")
        new = f"{BEGIN}\n{figures}\n{END}"
        kept = re.sub(f"{BEGIN}.*{END}", lambda _: new, page, flags=re.DOTALL)
        chosen.markdown.write_text(kept, "utf-8")
    problems = [problem for one in endings for problem in one.problems]
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
