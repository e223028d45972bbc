"""`dsreview bench` as a user runs it: its own process, killed at any moment, started again."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from dsreview.benchmark.items import Item, Kind, write_items
from dsreview.benchmark.results import Side, read_result, read_times
from dsreview.cli import main

CALM = "def total(prices):\n    found = 0\n    for price in prices:\n        found += price\n    return found\n"
FLAGGED = CALM.replace("found = 0", "found = 0\n    assert (prices, 'no prices')")
WRONG = CALM.replace("+=", "-=")


def bug(name, after=FLAGGED):
    lines = (3,) if after == FLAGGED else (4,)
    return Item(
        name, "python", f"{name}.py", CALM, after, Kind.REPLACE, neutral=True, bug_lines=lines
    )


def benign(name):
    return Item(
        name,
        "python",
        f"{name}.py",
        CALM,
        CALM.replace("found", "sum_"),
        Kind.BENIGN,
        neutral=True,
        clean=True,
    )


ITEMS = (bug("caught"), bug("missed", WRONG), benign("calm"))


def a_set(folder, items=ITEMS):
    write_items(folder / "ours.jsonl", items)
    return folder / "ours.jsonl"


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys):
    """The command in this process, in an empty folder and without the user's settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DSREVIEW_CONFIG", os.devnull)
    monkeypatch.setenv("DSREVIEW_BENCH_DIR", str(tmp_path / "sets"))

    def run(*arguments):
        code = main(["bench", *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def test_a_run_writes_a_result_a_page_and_a_table(tmp_path, bench):
    code, out, err = bench("--set", a_set(tmp_path), "--jobs", "1")
    assert (code, err) == (0, "")
    folder = tmp_path / "dsreview-bench" / "ours-checks"
    names = [path.name for path in folder.iterdir()]
    assert sorted(names) == ["report.html", "result.json", "times.json"]
    result = read_result(folder)
    assert [(one.item, one.side, one.is_flagged) for one in result.outcomes] == [
        ("caught", Side.BUG, True),
        ("caught", Side.FIX, False),
        ("missed", Side.BUG, False),
        ("missed", Side.FIX, False),
        ("calm", Side.BENIGN, False),
    ]
    assert result.outcomes[0].findings[0].hits_bug
    assert [one.side for one in read_times(folder).times] == [one.side for one in result.outcomes]
    assert "1/2 50.0%" in out
    assert "dsreview-bench/ours-checks/report.html" in out
    assert str(tmp_path) not in (folder / "result.json").read_text()


def test_a_named_set_is_found_and_a_limit_takes_its_first_items(tmp_path, bench):
    (tmp_path / "sets" / "ours" / "data").mkdir(parents=True)
    a_set(tmp_path / "sets" / "ours" / "data")
    code, out, _ = bench("--set", "ours", "--limit", "1", "--html", "page.html", "--out", "x")
    assert (code, "ours, 1 item:" in out, (tmp_path / "page.html").exists()) == (0, True, True)
    again = bench("--set", "ours", "--limit", "1", "--out", "y")
    assert again[0] == 0
    code, out, _ = bench("compare", "x", "y")
    assert (code, "no difference shown (p = 1)" in out) == (0, True)


def test_a_set_of_others_that_is_missing_says_where_it_is_from_and_where_to_put_it(bench, tmp_path):
    code, out, err = bench("--set", "humanevalpack")
    assert (code, out, err.count("\n")) == (2, "", 1)
    for words in ("bigcode/humanevalpack", "MIT", str(tmp_path / "sets"), "DSREVIEW_BENCH_DIR"):
        assert words in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--set NAME"),
        (["--set", "nothing"], "no such set"),
        (["--set", "./nothing.jsonl"], "no such file"),
        (["--set", "ours.jsonl", "--backend", "magic"], "use checks, local"),
        (["--set", "ours.jsonl", "--backend", "local"], "needs a model"),
        (["--set", "ours.jsonl", "--out", "ours.jsonl"], "ours.jsonl: "),
        (["--set", "ours.jsonl", "--out", "ours.jsonl/x"], "ours.jsonl/x: "),
        (["--set", "ours.jsonl", "--html", "no/page.html"], "--html no/page.html"),
        (["--set", "ours.jsonl", "--html", "/"], "--html /"),
        (["--set", "broken.jsonl"], "broken.jsonl:2: "),
        (["--set", "empty.jsonl"], "no items"),
        (["--set", "ours.jsonl", "--ablate", "all"], "--ablate all"),
        (["--set", "ours.jsonl", "--limit", "0"], "limit"),
        (["--set", "ours.jsonl", "--votes", "0"], "votes"),
        (["compare", "nothing", "ours.jsonl"], "nothing: "),
        (["compare", "ours.jsonl", "ours.jsonl"], "is no result"),
        (["compare", "old.json", "old.json"], "schema version 999"),
    ],
)
def test_what_cannot_be_run_is_one_line_and_exit_2(tmp_path, bench, arguments, words):
    first = a_set(tmp_path).read_bytes().splitlines()[0]
    (tmp_path / "broken.jsonl").write_bytes(first + b"\n{}\n")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "old.json").write_text('{"schema_version": 999}')
    code, out, err = bench(*arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def killed_at_random(command, folder, num_kills, longest_s, seed):
    """Runs of the command that SIGKILL ends after a random time; how many of them it ended."""
    draw = random.Random(seed)
    num = 0
    for _ in range(num_kills):
        with subprocess.Popen(
            command,
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            time.sleep(draw.uniform(0, longest_s))
            num += process.poll() is None
            process.send_signal(signal.SIGKILL)
    return num


def environment():
    paths = os.pathsep.join(path for path in sys.path if path)
    return {**os.environ, "PYTHONPATH": paths, "DSREVIEW_CONFIG": os.devnull}


def command_on(tmp_path, num_items):
    items = [make(f"{make.__name__}{n}") for n in range(num_items) for make in (bug, benign)]
    place = a_set(tmp_path, items)
    return [sys.executable, "-P", "-m", "dsreview", "bench", "--set", str(place)]


def run_whole(command, folder, out, jobs):
    """The bytes of its result."""
    command = [*command, f"--out={out}", f"--jobs={jobs}"]
    subprocess.run(command, cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)
    return (folder / out / "result.json").read_bytes()


def test_a_default_folder_that_is_a_link_is_refused(tmp_path, bench):
    a_set(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "dsreview-bench").symlink_to(tmp_path / "elsewhere")
    code, _, err = bench("--set", "ours.jsonl")
    assert (code, "symbolic link" in err) == (2, True)
    assert not list((tmp_path / "elsewhere").iterdir())


def ended_midway(command, folder, journal, num_lines, how):
    """Send `how` once the journal has so many lines; the exit code, and standard error."""
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as process:
        while not journal.exists() or journal.read_bytes().count(b"\n") < num_lines:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(how)
        return process.wait(), process.stderr.read().decode()


def test_a_run_that_was_ended_midway_goes_on_to_the_same_result(tmp_path, bench):
    command = command_on(tmp_path, num_items=4)
    journal = tmp_path / "cut" / "journal.jsonl"
    cut = [*command, "--out=cut", "--jobs=1"]
    code, told = ended_midway(cut, tmp_path, journal, 2, signal.SIGINT)
    assert (code, told) == (130, "interrupted; the same command goes on from here\n")
    known = journal.read_bytes()
    code, _ = ended_midway(cut, tmp_path, journal, known.count(b"\n") + 1, signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert journal.read_bytes().startswith(known)
    code, told, _ = bench("--set", "ours.jsonl", "--out", "cut", "--jobs", "2")
    assert (code, "gone on from an unfinished run" in told, journal.exists()) == (0, True, False)
    assert bench("--set", "ours.jsonl", "--out", "whole", "--jobs", "1")[0] == 0
    cut, whole = (tmp_path / name / "result.json" for name in ("cut", "whole"))
    assert cut.read_bytes() == whole.read_bytes()


@pytest.mark.slow
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize("jobs", [1, 3])
def test_many_kills_change_nothing(tmp_path, jobs):
    command = command_on(tmp_path, num_items=30)
    started = time.monotonic()
    whole = run_whole(command, tmp_path, "whole", jobs)
    longest_s = time.monotonic() - started
    num_kills = 0
    for seed in range(8):
        num_kills += killed_at_random(
            [*command, "--out=cut", f"--jobs={jobs}"], tmp_path, 5, longest_s, seed
        )
        assert run_whole(command, tmp_path, "cut", jobs) == whole
    print(f"{num_kills} kills, {jobs} jobs: 8 of 8 results the same")
    assert num_kills > 20
