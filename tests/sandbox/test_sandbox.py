"""Whatever a task does, the parent lives, says why, and goes on."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import dataclass

import psutil
import pytest

from dsreview.errors import TaskFailed
from dsreview.sandbox import Limits, Sandbox, Task
from dsreview.sandbox.faults import FAULT, Fault, Survived


def assert_well(sandbox):
    assert sandbox.call(FAULT, Fault("echo", 3)) == Survived("xxx")


def children():
    return psutil.Process().children()


def wait_until(is_so, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault("loop"), "misbehaving took more than 1 s"),
        (Fault("sleep", 60), "misbehaving took more than 1 s"),
        (Fault("segfault", 8), r"misbehaving crashed \(SIGSEGV\)"),
        (Fault("exit", 3), r"misbehaving ended unexpectedly \(exit status 3\)"),
        (Fault("exit", 0), r"misbehaving ended unexpectedly \(exit status 0\)"),
        (Fault("memory", 2 << 30), "misbehaving needed more memory than allowed"),
        (Fault("raise"), "misbehaving failed: RuntimeError: line one line two"),
        (Fault("echo", 40_000_000), "misbehaving gave more than 32,000,000 bytes of reply"),
        (Fault("unknown"), "misbehaving failed: KeyError: 'unknown'"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_fault_is_a_reason_and_the_next_call_works(sandbox, fault, reason):
    with pytest.raises(TaskFailed, match=f"^{reason}$"):
        sandbox.call(FAULT, fault)
    assert_well(sandbox)


def test_the_parent_ends_what_grows_bit_by_bit():
    with Sandbox(Limits(wall_s=30, memory_bytes=200 << 20)) as sandbox:
        with pytest.raises(TaskFailed, match="needed more than 200 MiB of memory"):
            sandbox.call(FAULT, Fault("memory-slowly", 2000))
        assert_well(sandbox)


def test_a_reason_is_one_short_line(sandbox):
    with pytest.raises(TaskFailed) as failure:
        sandbox.call(FAULT, Fault("raise", 10_000))
    assert len(str(failure.value)) < 300
    assert "\n" not in str(failure.value)


def test_what_a_task_prints_goes_nowhere(sandbox, capfd):
    for _ in range(3):
        assert sandbox.call(FAULT, Fault("print", 50_000)) == Survived("printed")
    assert_well(sandbox)
    assert capfd.readouterr() == ("", "")


def test_a_large_reply_and_a_large_request_arrive_whole(sandbox):
    assert len(sandbox.call(FAULT, Fault("echo", 5_000_000)).text) == 5_000_000
    assert_well(sandbox)


@dataclass(frozen=True, slots=True)
class Sources:
    sources: tuple[bytes, ...]


MISTYPED = Task("dsreview.sandbox.faults:misbehave", Fault, Sources, activity="misbehaving")


def test_a_source_over_the_cap_is_refused_unseen(sandbox):
    started = len(children())
    with pytest.raises(TaskFailed, match="larger than the 1,000,000 bytes"):
        sandbox.call(MISTYPED, Sources((b"ok", b"x" * 10_000_000)))
    assert len(children()) == started


def test_many_sources_are_refused_together(sandbox):
    with pytest.raises(TaskFailed, match="too much at once"):
        sandbox.call(MISTYPED, Sources((b"x" * 1_000_000,) * 40))


def test_a_reply_of_another_type_is_refused(sandbox):
    with pytest.raises(TaskFailed, match="unreadable reply"):
        sandbox.call(MISTYPED, Fault("echo", 3))


def test_text_that_is_not_utf8_is_refused(sandbox):
    with pytest.raises(TaskFailed, match="not UTF-8"):
        sandbox.call(FAULT, Fault("\udcff"))
    assert_well(sandbox)


@pytest.mark.parametrize(
    "function", ["os:system", "dsreview:main", "dsreviewx.a:b", "dsreview.a", "dsreview.a:b.c"]
)
def test_only_functions_of_dsreview_are_tasks(function):
    with pytest.raises(ValueError, match="not a task"):
        Task(function, Fault, Survived)


def test_the_child_starts_on_the_first_call_and_ends_with_the_sandbox():
    before = children()
    with Sandbox() as sandbox:
        assert children() == before
        assert_well(sandbox)
        assert len(children()) == len(before) + 1
        pid = sandbox._child._popen.pid
        assert_well(sandbox)
        assert sandbox._child._popen.pid == pid
    assert children() == before
    assert not psutil.pid_exists(pid)


def test_a_child_that_is_killed_from_outside_is_replaced(sandbox):
    assert_well(sandbox)
    os.kill(sandbox._child._popen.pid, signal.SIGKILL)
    with pytest.raises(TaskFailed, match="SIGKILL"):
        sandbox.call(FAULT, Fault("echo", 1))
    assert_well(sandbox)


def test_a_child_that_keeps_much_memory_is_replaced():
    with Sandbox(Limits(memory_bytes=400 << 20)) as sandbox:
        assert_well(sandbox)
        pid = sandbox._child._popen.pid
        sandbox.call(FAULT, Fault("keep-memory", 150))
        assert_well(sandbox)
        assert sandbox._child._popen.pid != pid


def test_an_interrupted_call_leaves_nothing_behind(sandbox):
    def interrupt(number, frame):
        raise KeyboardInterrupt

    assert_well(sandbox)
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            sandbox.call(FAULT, Fault("sleep", 60))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert_well(sandbox)


def test_threads_share_a_sandbox(sandbox):
    replies = []

    def ask(size):
        for _ in range(20):
            replies.append(sandbox.call(FAULT, Fault("echo", size)).text == "x" * size)

    threads = [threading.Thread(target=ask, args=(size,)) for size in (1, 100, 10_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [True] * 60


def test_the_child_has_no_environment_no_folder_and_no_file_of_the_parent(
    sandbox, monkeypatch, tmp_path
):
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    world = sandbox.call(FAULT, Fault("world")).text
    assert "secret" not in world
    assert str(tmp_path) not in world
    environment, folder, _ = json.loads(world)
    assert set(environment) <= {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
    assert folder == "/"


HOSTILE_MODULES = ("msgspec", "tree_sitter", "tree_sitter_python", "dsreview", "struct", "typing")


def test_nothing_of_the_current_folder_is_imported(sandbox, monkeypatch, tmp_path):
    canary = tmp_path / "canary"
    for name in HOSTILE_MODULES:
        (tmp_path / f"{name}.py").write_text(f"open({str(canary)!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", ".", str(tmp_path), *sys.path])
    assert_well(sandbox)
    assert not canary.exists()


def run_parent(script):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True
    )


def kill_and_watch(parent):
    """Kill a parent that prints its child's process id; whether the child ends too."""
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    return wait_until(lambda: not psutil.pid_exists(pid))


def test_an_idle_child_ends_with_its_parent():
    parent = run_parent(
        """
        import time
        from dsreview.sandbox import Sandbox
        from dsreview.sandbox.faults import FAULT, Fault
        sandbox = Sandbox()
        sandbox.call(FAULT, Fault("echo", 1))
        print(sandbox._child._popen.pid, flush=True)
        time.sleep(60)
        """
    )
    assert kill_and_watch(parent)


def test_a_busy_child_ends_soon_after_its_parent():
    parent = run_parent(
        """
        import threading, time
        from dsreview.sandbox import Limits, Sandbox
        from dsreview.sandbox.faults import FAULT, Fault
        sandbox = Sandbox(Limits(wall_s=1.0))
        sandbox.call(FAULT, Fault("echo", 1))
        threading.Thread(target=sandbox.call, args=(FAULT, Fault("sleep", 60))).start()
        time.sleep(0.3)
        print(sandbox._child._popen.pid, flush=True)
        time.sleep(60)
        """
    )
    assert kill_and_watch(parent)


def test_a_call_that_takes_too_much_cpu_time_is_ended_by_the_child():
    with Sandbox(Limits(wall_s=20.0, cpu_s=0)) as sandbox:
        with pytest.raises(TaskFailed, match="took more than 0 s of CPU time"):
            sandbox.call(FAULT, Fault("loop"))
        assert_well(sandbox)


@pytest.mark.skipif(sys.platform != "linux", reason="psutil reads limits on Linux alone")
def test_the_cpu_time_of_earlier_calls_counts_against_no_later_one(sandbox):
    """RLIMIT_CPU counts from the start, by a clock that runs apart from every other."""
    assert_well(sandbox)
    limits = psutil.Process(sandbox._child._popen.pid).rlimit(psutil.RLIMIT_CPU)
    assert limits == psutil.Process().rlimit(psutil.RLIMIT_CPU)
