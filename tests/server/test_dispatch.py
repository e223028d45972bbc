"""The queue alone, with a worker that says what it was asked."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from dsreview.backends.worker import WorkerDied
from dsreview.errors import BackendError
from dsreview.prompt import Answer, Prompt, Sampling, StopReason
from dsreview.server.dispatch import Busy, Dispatcher
from dsreview.server.jobs import Job

SAMPLING = Sampling(max_new_tokens=5)


def prompt(name, schema="{}"):
    return Prompt(name, "", (), schema)


@dataclass
class Worker:
    """Answers with a prompt's name, once it may."""

    may_go: threading.Event = field(default_factory=threading.Event)
    batches: list = field(default_factory=list)
    num_asked: int = 0
    """Prompts that it has now."""
    most_asked: int = 0
    slow: frozenset = frozenset()
    """Prompts that are answered when it is let go once more."""
    may_end: threading.Event = field(default_factory=threading.Event)
    deadly: frozenset = frozenset()
    """Prompts that no process survives."""

    def complete(self, prompts, sampling, on_answer, is_wanted, on_text):
        self.batches.append([one.name for one in prompts])
        self.num_asked += len(prompts)
        self.most_asked = max(self.most_asked, self.num_asked)
        self.may_go.wait()
        if self.deadly & {one.name for one in prompts}:
            raise WorkerDied("the process crashed")
        if "refused" in {one.name for one in prompts}:
            raise BackendError("no such grammar")
        for index, one in enumerate(prompts):
            if one.name in self.slow:
                self.may_end.wait()
            stop = StopReason.END if is_wanted(index) else StopReason.DEADLINE
            self.num_asked -= 1
            on_answer(index, Answer(one.name, 1, 1, stop))
        return []


def run(scenario, worker, **options):
    async def main():
        dispatcher = Dispatcher(worker, options.pop("batch_size", 4), **options)
        running = asyncio.create_task(dispatcher.run())
        try:
            return await asyncio.wait_for(scenario(dispatcher), 20)
        finally:
            worker.may_go.set()
            worker.may_end.set()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    return asyncio.run(main())


def going():
    worker = Worker()
    worker.may_go.set()
    return worker


def job(client, *names, schema="{}", sampling=SAMPLING):
    return Job.of(client, tuple(prompt(name, schema) for name in names), sampling)


async def all_of(job):
    return dict([answer async for answer in job.answers()])


async def until(condition):
    while not condition():
        await asyncio.sleep(0.005)


def test_each_prompt_gets_its_own_answer_whatever_it_shared_a_batch_with():
    async def scenario(dispatcher):
        jobs = [job(f"client{n}", *(f"{n}.{k}" for k in range(n % 5 + 1))) for n in range(20)]
        for one in jobs:
            dispatcher.submit(one)
        for n, one in enumerate(jobs):
            answers = await all_of(one)
            assert {k: answer.text for k, answer in answers.items()} == {
                k: f"{n}.{k}" for k in range(n % 5 + 1)
            }

    run(scenario, going())


def test_a_client_of_many_prompts_delays_another_by_a_batch():
    worker = Worker()

    async def scenario(dispatcher):
        many = job("many", *(f"m{n}" for n in range(20)))
        dispatcher.submit(many)
        await until(lambda: worker.batches)
        one = job("one", "o")
        dispatcher.submit(one)
        worker.may_go.set()
        assert (await all_of(one))[0].text == "o"
        await all_of(many)

    run(scenario, worker)
    asked = [name for batch in worker.batches for name in batch]
    assert asked.index("o") <= 5
    assert sorted(asked) == sorted(["o", *(f"m{n}" for n in range(20))])
    assert worker.most_asked == 4


def test_a_prompt_goes_as_soon_as_another_is_answered():
    """A slow answer holds back nobody but the one whose place it takes."""
    worker = Worker(slow=frozenset({"a0"}))
    worker.may_go.set()

    async def scenario(dispatcher):
        slow, quick = job("a", "a0"), job("b", *(f"b{n}" for n in range(9)))
        dispatcher.submit(slow)
        await until(lambda: worker.batches)
        dispatcher.submit(quick)
        assert len(await all_of(quick)) == 9
        assert worker.num_asked == 1
        worker.may_end.set()
        assert (await all_of(slow))[0].text == "a0"

    run(scenario, worker, batch_size=2)


def test_clients_take_turns_within_a_batch():
    worker = Worker()

    async def scenario(dispatcher):
        first = job("0", "x", "y", "z", "w")
        dispatcher.submit(first)
        await until(lambda: worker.batches)
        jobs = [job(client, *(f"{client}{n}" for n in range(4))) for client in "abc"]
        for one in jobs:
            dispatcher.submit(one)
        worker.may_go.set()
        for one in (first, *jobs):
            await all_of(one)

    run(scenario, worker)
    asked = [name for batch in worker.batches[1:] for name in batch]
    assert [name[0] for name in asked] == list("abc" * 4)
    assert [name for name in asked if name[0] == "b"] == ["b0", "b1", "b2", "b3"]


def test_prompts_of_other_schemas_or_sampling_share_no_call_and_do_not_starve():
    worker = Worker()

    async def scenario(dispatcher):
        jobs = [
            job("a", "a1", "a2", "a3"),
            job("b", "b1", "b2", schema="[]"),
            job("c", "c1", sampling=Sampling(max_new_tokens=6)),
        ]
        for one in jobs:
            dispatcher.submit(one)
        worker.may_go.set()
        for one in jobs:
            await all_of(one)

    run(scenario, worker, batch_size=2)
    assert not [batch for batch in worker.batches if len({name[0] for name in batch}) > 1]
    asked = [name for batch in worker.batches for name in batch]
    assert sorted(asked) == ["a1", "a2", "a3", "b1", "b2", "c1"]
    assert asked.index("a3") > asked.index("c1")


def test_a_full_queue_says_so_at_once():
    worker = Worker()

    async def scenario(dispatcher):
        for number in range(3):
            dispatcher.submit(job(str(number), "x"))
        with pytest.raises(Busy) as caught:
            dispatcher.submit(job("late", "x"))
        assert caught.value.retry_after_s >= 1

    run(scenario, worker, max_jobs=3)


def test_a_client_that_leaves_frees_its_places():
    worker = Worker()

    async def scenario(dispatcher):
        gone, stays = job("gone", "g1", "g2", "g3"), job("stays", "s1", "s2")
        dispatcher.submit(gone)
        dispatcher.submit(stays)
        await until(lambda: worker.batches)
        dispatcher.leave(gone)
        assert dispatcher.num_jobs == 1
        for number in range(100):
            passing = job(f"passing{number}", "p")
            dispatcher.submit(passing)
            dispatcher.leave(passing)
        assert list(dispatcher.turns) == ["stays"]
        worker.may_go.set()
        assert {k: a.stop for k, a in (await all_of(stays)).items()} == dict.fromkeys(
            (0, 1), StopReason.END
        )
        running = [await gone.events.get() for _ in range(gone.events.qsize())]
        assert {answer.stop for _, answer in running} <= {StopReason.DEADLINE}

    run(scenario, worker, batch_size=2)
    assert worker.batches == [["g1", "s1"], ["s2"]]


def test_a_prompt_that_kills_the_process_fails_alone():
    worker = Worker(deadly=frozenset({"bad"}))
    worker.may_go.set()

    async def scenario(dispatcher):
        jobs = {name: job(name, name) for name in ("a", "bad", "b")}
        for one in jobs.values():
            dispatcher.submit(one)
        answers = {name: (await all_of(one))[0] for name, one in jobs.items()}
        assert {name: answer.stop for name, answer in answers.items()} == {
            "a": StopReason.END,
            "b": StopReason.END,
            "bad": StopReason.FAILED,
        }
        assert answers["bad"].problem == "the process crashed"

    run(scenario, worker)
    alone = [batch for batch in worker.batches if len(batch) == 1]
    assert sorted(alone) == [["a"], ["b"], ["bad"]]


def test_an_error_of_the_model_is_told_to_all_of_its_batch():
    async def scenario(dispatcher):
        one = job("a", "x", "refused")
        dispatcher.submit(one)
        answers = await all_of(one)
        assert {answer.problem for answer in answers.values()} == {"no such grammar"}

    run(scenario, going())


def test_what_was_not_asked_by_its_deadline_ends_then():
    worker = Worker()

    async def scenario(dispatcher):
        first = job("first", "x")
        dispatcher.submit(first)
        await until(lambda: worker.batches)
        late = job("late", "y", sampling=Sampling(5, deadline_s=0.05))
        dispatcher.submit(late)
        assert (await all_of(late))[0].stop is StopReason.DEADLINE
        worker.may_go.set()
        await all_of(first)

    run(scenario, worker, batch_size=1)
    assert worker.batches == [["x"]]


def test_a_stop_fails_what_waits_and_takes_nothing_more():
    worker = Worker()

    async def scenario(dispatcher):
        first, second = job("first", "x"), job("second", "y")
        dispatcher.submit(first)
        await until(lambda: worker.batches)
        dispatcher.submit(second)
        dispatcher.stop()
        assert (await all_of(second))[0].stop is StopReason.FAILED
        with pytest.raises(BackendError, match="stopping"):
            dispatcher.submit(job("third", "z"))

    run(scenario, worker)
