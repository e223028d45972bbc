"""The folder that outlives a run."""

import os
import stat
import subprocess
import sys
import time

import pytest

from dsreview.errors import GitHubError
from dsreview.outputs.github_pr.limits import OutOfTime, Patience, WaitLimits
from dsreview.outputs.github_pr.outbox import MAX_AGE_S, Delivery, Outbox


@pytest.fixture
def patience(faults):
    return Patience(WaitLimits(), faults.SkippingClock())


def opened(folder, patience, pull="octo/project#1"):
    return Outbox(folder).opened(pull, patience)


def test_a_delivery_is_found_by_the_next_run_until_it_is_finished(tmp_path, patience, faults):
    plan = faults.example_plan()
    with opened(tmp_path, patience) as box:
        box.asking(Delivery(plan))
    with opened(tmp_path, patience) as box:
        (delivery,) = box.deliveries()
        assert delivery.plan == plan
        assert delivery.asked_at == pytest.approx(time.time(), abs=5)
        box.finish(delivery)
    with opened(tmp_path, patience) as box:
        assert box.deliveries() == ()


def test_a_delivery_to_another_pull_request_is_not_seen(tmp_path, patience, faults):
    with opened(tmp_path, patience) as box:
        box.keep(Delivery(faults.example_plan()))
    with opened(tmp_path, patience, "octo/project#2") as box:
        assert box.deliveries() == ()


def test_only_the_user_may_read_what_was_found(tmp_path, patience, faults):
    folder = tmp_path / "state" / "outbox"
    with opened(folder, patience) as box:
        box.keep(Delivery(faults.example_plan()))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())


@pytest.mark.parametrize("damage", [lambda text: text[:-1], lambda text: b"", lambda text: b"x"])
def test_what_cannot_be_read_is_dropped(tmp_path, patience, faults, damage):
    with opened(tmp_path, patience) as box:
        box.keep(Delivery(faults.example_plan()))
        (path,) = tmp_path.glob("*.delivery")
        path.write_bytes(damage(path.read_bytes()))
        assert box.deliveries() == ()
    assert list(tmp_path.glob("*.delivery")) == []


def test_a_request_without_an_answer_is_waited_for(tmp_path, patience, faults):
    with opened(tmp_path, patience) as box:
        delivery = box.asking(Delivery(faults.example_plan()))
        patience.clock.sleep(15)
        box.settle(delivery)
        assert patience.waited_s == pytest.approx(patience.limits.settle_s - 15, abs=1)
        box.settle(Delivery(faults.example_plan()))
        assert patience.waited_s == pytest.approx(patience.limits.settle_s - 15, abs=1)


def test_a_clock_that_was_set_back_makes_nobody_wait_longer(tmp_path, patience, faults):
    with opened(tmp_path, patience) as box:
        box.settle(Delivery(faults.example_plan(), asked_at=time.time() + 86_400))
    assert patience.waited_s == patience.limits.settle_s


def test_one_run_at_a_time_posts_to_a_pull_request(tmp_path, patience):
    with opened(tmp_path, patience):
        with pytest.raises(OutOfTime, match="another run posts to this pull request"):
            opened(tmp_path, patience).__enter__()
        with opened(tmp_path, Patience(WaitLimits(), patience.clock), "octo/project#2"):
            pass


def test_the_lock_of_a_run_that_was_killed_is_free(tmp_path, patience):
    hold = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from dsreview.outputs.github_pr.limits import Patience, SystemClock, WaitLimits\n"
        "from dsreview.outputs.github_pr.outbox import Outbox\n"
        "patience = Patience(WaitLimits(), SystemClock())\n"
        "with Outbox(Path(sys.argv[1])).opened('octo/project#1', patience):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, tmp_path], stdout=subprocess.PIPE, env=environment
    )
    with holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OutOfTime):
            opened(tmp_path, patience).__enter__()
        holder.kill()
        holder.wait()
        with opened(tmp_path, Patience(WaitLimits(), patience.clock)):
            assert True


def test_what_nobody_came_back_for_is_swept(tmp_path, patience, faults):
    with opened(tmp_path, patience, "octo/project#2") as box:
        box.keep(Delivery(faults.example_plan()))
    old = time.time() - MAX_AGE_S - 60
    for path in tmp_path.iterdir():
        os.utime(path, (old, old))
    with opened(tmp_path, patience):
        assert len(list(tmp_path.iterdir())) == 1  # its own lock


def test_a_lock_that_is_held_is_not_swept(tmp_path, patience):
    with opened(tmp_path, patience, "octo/project#2"):
        (lock,) = tmp_path.iterdir()
        os.utime(lock, (0, 0))
        with opened(tmp_path, patience):
            assert lock.exists()


def test_a_folder_that_cannot_be_used_is_said_in_one_line(tmp_path, patience):
    (tmp_path / "file").write_text("")
    with pytest.raises(GitHubError, match=r"^the outbox cannot be used: .*file"):
        opened(tmp_path / "file" / "outbox", patience).__enter__()
