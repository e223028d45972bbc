"""Kill the poster at random moments, run it again, and see what is left.

    python bench/posting_kills.py [--kills 500] [--fault-rate 0.3] [--seed 1]

Needs the extra `testing`: GitHub is the fake one on loopback, which takes up to 0.05 s to do
what a POST asks, also for a client that is dead by then. Each poster is a process of its own
that gets SIGKILL. Pauses are shorter than in use, in proportion. Exits 1 where a finding was
lost or posted twice.
"""

import argparse
import os
import random
import signal
import socket
import struct
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import github as loaded_before_the_forks  # noqa: F401
from posting_faults import HEAD, PATCH, PATH, example_plan, names_of, reviews_on, told_on

from dsreview.fake_github import FakeGitHub, Fault, fault_table
from dsreview.outputs.github_pr.client import GitHub, PullAddress
from dsreview.outputs.github_pr.limits import Patience, SystemClock, WaitLimits
from dsreview.outputs.github_pr.outbox import Outbox
from dsreview.outputs.github_pr.poster import Poster

MAX_DELAY_S = 0.05
LIMITS = WaitLimits(
    total_s=60.0,
    request_s=0.4,
    settle_s=0.8,
    between_writes_s=0.0,
    max_writes_per_minute=1_000,
    first_pause_s=0.02,
    secondary_pause_s=0.05,
)
TRANSIENT = (
    *("500-before", "500-after", "502-before", "502-after", "502-page-after", "503-empty"),
    *("reset-before", "reset-after", "hung-up-before", "hung-up-after", "half-head", "half-body"),
    *("403-secondary", "429-secondary-mute", "409", "200-no-json-after", "200-empty"),
)
"""Faults that pass: after them all can still be posted."""
FAULTS = tuple(fault for fault in fault_table(retry_after_s=0) if fault.name in TRANSIENT)
MAX_RUNS = 40
END = struct.Struct(">i")


class BusyGitHub(FakeGitHub):
    """Does what it is asked after a while, and fails at some requests."""

    def __init__(self, randomness: random.Random, fault_rate: float) -> None:
        super().__init__()
        self._randomness = randomness
        self.fault_rate = fault_rate

    def _respond(
        self, method: str, target: str, headers: Mapping[str, str], content: bytes
    ) -> tuple[bytes, bytes, Fault | None]:
        if method == "POST" and not target.endswith("/graphql"):
            time.sleep(self._randomness.uniform(0, MAX_DELAY_S))
        if self._randomness.random() < self.fault_rate:
            self.inject(self._randomness.choice(FAULTS), times=1)
        return super()._respond(method, target, headers, content)


@dataclass(frozen=True, slots=True)
class Job:
    url: str
    token: str
    folder: Path
    num_refused: int
    """Comments that GitHub will not take on their lines."""


class Launcher:
    """Starts posters: forks of a process that has imported all, and has one thread."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._pid = os.fork()
        if self._pid == 0:
            self._ours.close()
            _launch(theirs)
        theirs.close()

    def start(self, job: Job) -> int:
        """The process id of a new poster."""
        line = "\n".join((job.url, job.token, str(job.folder), str(job.num_refused)))
        self._ours.sendall(END.pack(len(line)) + line.encode())
        return int(END.unpack(self._ours.recv(END.size))[0])

    def wait(self, timeout_s: float | None = None) -> int | None:
        """The poster's exit status; None where it has not ended within `timeout_s`."""
        self._ours.settimeout(timeout_s)
        try:
            return int(END.unpack(self._ours.recv(END.size))[0])
        except TimeoutError:
            return None
        finally:
            self._ours.settimeout(None)

    def close(self) -> None:
        self._ours.close()
        os.waitpid(self._pid, 0)


def _launch(connection: socket.socket) -> None:
    while header := connection.recv(END.size):
        url, token, folder, num = connection.recv(END.unpack(header)[0]).decode().split("\n")
        pid = os.fork()
        if pid == 0:
            connection.close()
            os._exit(_post(Job(url, token, Path(folder), int(num))))
        connection.sendall(END.pack(pid))
        _, status = os.waitpid(pid, 0)
        connection.sendall(END.pack(os.waitstatus_to_exitcode(status)))
    os._exit(0)


def _post(job: Job) -> int:
    """As a run does: end what was begun, then post; 0 where all is there."""
    address = PullAddress("octo", "project", 1)
    poster = Poster(
        GitHub(job.url, job.token, Patience(LIMITS, SystemClock())), address, Outbox(job.folder)
    )
    try:
        poster.resume()
        return 0 if poster.post(example_plan(num_refused=job.num_refused)).is_delivered else 1
    except Exception as error:  # noqa: BLE001  whatever it is, it is the end of this process
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 2


@dataclass(slots=True)
class Tally:
    kills: int = 0
    runs: int = 0
    too_late: int = 0
    """Kills of a poster that had ended."""
    lost: int = 0
    twice: int = 0
    unfinished: int = 0
    """Pull requests on which not all was there after many runs."""
    left_behind: int = 0
    """Reviews that were only tried."""

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.runs} runs after them, {self.lost} findings lost, "
            f"{self.twice} posted twice, {self.unfinished} not finished, "
            f"{self.left_behind} left behind"
        )

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.twice or self.unfinished or self.left_behind)


class Killing:
    """Pull requests, each of them posted to by a poster that is killed."""

    def __init__(self, launcher: Launcher, seed: int, fault_rate: float) -> None:
        self._launcher = launcher
        self._randomness = random.Random(seed)
        self._fault_rate = fault_rate
        self.tally = Tally()

    def usual_s(self, num_refused: int) -> float:
        """How long a poster takes that nobody kills."""
        with self._github() as github, tempfile.TemporaryDirectory() as folder:
            github.fault_rate = 0.0
            began = time.monotonic()
            self._launcher.start(_job(github, folder, num_refused))
            status = self._launcher.wait()
            assert status == 0, f"a poster that nobody killed ended with {status}"
            return time.monotonic() - began

    def kill_once(self, num_refused: int, usual_s: float) -> None:
        with self._github() as github, tempfile.TemporaryDirectory() as folder:
            job = _job(github, folder, num_refused)
            pid = self._launcher.start(job)
            status = self._launcher.wait(self._randomness.uniform(0.0, usual_s * 1.1))
            if status is None:
                os.kill(pid, signal.SIGKILL)
                status = self._launcher.wait()
            self.tally.kills += status == -signal.SIGKILL
            self.tally.too_late += status != -signal.SIGKILL
            self._run_until_all_is_there(job)
            self._look(github, num_refused)

    def _github(self) -> BusyGitHub:
        return BusyGitHub(self._randomness, self._fault_rate)

    def _run_until_all_is_there(self, job: Job) -> None:
        for _ in range(MAX_RUNS):
            self.tally.runs += 1
            self._launcher.start(job)
            if self._launcher.wait() == 0:
                return
        self.tally.unfinished += 1

    def _look(self, github: BusyGitHub, num_refused: int) -> None:
        time.sleep(MAX_DELAY_S)  # whatever is still on its way
        pull = github.repository.pulls[1]
        told = told_on(pull)
        self.tally.lost += sum(name not in told for name in names_of(example_plan()))
        self.tally.twice += sum(num - 1 for num in told.values()) + max(0, reviews_on(pull) - 1)
        self.tally.left_behind += len(pull.reviews) - len(pull.submitted)


def _job(github: BusyGitHub, folder: str, num_refused: int) -> Job:
    github.add_pull({PATH: PATCH}, head=HEAD)
    return Job(github.url, github.token, Path(folder), num_refused)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--fault-rate", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    launcher = Launcher()
    try:
        killing = Killing(launcher, chosen.seed, chosen.fault_rate)
        usual_s = [killing.usual_s(num_refused) for num_refused in (0, 1)]
        while killing.tally.kills < chosen.kills:
            num_refused = killing.tally.kills % 2
            killing.kill_once(num_refused, usual_s[num_refused])
    finally:
        launcher.close()
    print(f"faults at {chosen.fault_rate:.0%} of the requests: {killing.tally}")
    return 0 if killing.tally.is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
