"""The process that holds the token, from outside."""

import os
import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from dsreview.errors import GitHubError, UsageError
from dsreview.outputs.github_pr.limits import WaitLimits
from dsreview.outputs.github_pr.poster_process import PosterProcess, RemotePoster, start_poster
from dsreview.outputs.github_pr.results import Outcome

LIMITS = WaitLimits(between_writes_s=0.0, settle_s=0.2)


@pytest.fixture
def remote(stage):
    with PosterProcess(
        stage.github.token, stage.folder / "outbox", stage.github.url, LIMITS
    ) as remote:
        yield remote


def test_a_pull_request_is_read_and_posted_to_through_the_process(stage, remote, faults):
    plan = faults.example_plan()
    assert remote.fetch(stage.address).comments == ()
    assert remote.post(stage.address, plan).outcome is Outcome.POSTED
    assert remote.post(stage.address, plan).outcome is Outcome.ALREADY_THERE
    assert remote.fetch(stage.address).summary.body == plan.summary.text
    assert stage.told() == dict.fromkeys(faults.names_of(plan), 1)


def test_what_an_earlier_run_could_not_end_is_ended_before_it_is_read(stage, remote, faults):
    plan = faults.example_plan()
    fault = next(fault for fault in faults.FAULTS if fault.name == "502-always")
    stage.github.inject(fault, "POST", "issues/1/comments$", times=3)
    stage.post(plan)
    dry = remote.fetch(stage.address, is_dry_run=True)
    assert (dry.summary, remote.resumed) == (None, ())
    assert remote.fetch(stage.address).summary.body == plan.summary.text
    assert [result.outcome for result in remote.resumed] == [Outcome.POSTED]


def test_an_error_comes_back_as_what_it_is(stage, remote):
    missing = replace(stage.address, number=99)
    with pytest.raises(GitHubError, match="cannot read pull request octo/project#99: it does not"):
        remote.fetch(missing)
    assert remote.fetch(stage.address).pull.number == 1


def test_no_process_is_started_for_an_address_that_is_not_safe(tmp_path):
    with pytest.raises(UsageError, match="use the https address"):
        PosterProcess("token", tmp_path, "http://github.com")


def test_a_poster_that_is_gone_is_said_and_the_next_one_ends_its_work(stage, faults):
    plan = faults.example_plan()
    arguments = (stage.github.token, stage.folder / "outbox", stage.github.url)
    with PosterProcess(*arguments, LIMITS) as remote:
        remote.fetch(stage.address)
        os.kill(remote.pid, 9)
        with pytest.raises(GitHubError, match="the poster is gone"):
            remote.post(stage.address, plan)
    with PosterProcess(*arguments, LIMITS) as remote:
        remote.fetch(stage.address)
        assert remote.post(stage.address, plan).is_delivered


def test_the_token_is_in_no_argument_and_no_environment(stage, remote):
    remote.fetch(stage.address)
    process = psutil.Process(remote.pid)
    assert not [text for text in process.cmdline() if stage.github.token in text]
    assert stage.github.token not in repr(environment_of(process))


def environment_of(process):
    try:
        return process.environ()
    except psutil.AccessDenied:
        pytest.skip("the memory of the poster is closed to this user, as it should be")


def test_nothing_of_the_environment_reaches_the_process_but_where_certificates_are(
    stage, monkeypatch
):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("PYTHONPATH", "/planted")
    monkeypatch.setenv("SSL_CERT_DIR", "/etc/ssl/certs")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with PosterProcess(
        stage.github.token, stage.folder / "outbox", stage.github.url, LIMITS
    ) as remote:
        remote.fetch(stage.address)
        environment = environment_of(psutil.Process(remote.pid))
    ours = {name for name in environment if name not in {"LC_CTYPE", "__CF_USER_TEXT_ENCODING"}}
    assert ours == {"SSL_CERT_DIR"}


def test_nothing_of_the_current_folder_is_imported(stage, tmp_path, monkeypatch):
    for name in ("github", "requests", "msgspec", "truststore", "dsreview"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend("")
    with PosterProcess(
        stage.github.token, stage.folder / "outbox", stage.github.url, LIMITS
    ) as remote:
        remote.fetch(stage.address)
    assert not (tmp_path / "run").exists()


def test_the_process_ends_with_whoever_started_it(stage):
    popen, connection = start_poster(stage.github.token, stage.folder, stage.github.url, LIMITS)
    remote = RemotePoster(connection, LIMITS)
    remote.fetch(stage.address)
    remote.close()
    assert popen.wait(10) == 0


def test_whoever_posts_imports_no_client_of_github():
    """PyGithub takes most of a second, and belongs to the process with the token."""
    probe = (
        "import sys; import dsreview.outputs.github_pr.poster_process;"
        " print({'github', 'requests', 'truststore'} & set(sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    answer = subprocess.run(
        [sys.executable, "-c", probe], env=environment, capture_output=True, check=True
    )
    assert answer.stdout == b"set()\n"
