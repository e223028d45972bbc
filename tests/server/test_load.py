"""Many clients at once: everybody gets their own answer, and nothing stays open."""

import http.client
import importlib.util
import json
import random
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from dsreview.backends.resident import ResidentBackend
from dsreview.prompt import Sampling

BENCH = Path(__file__).parents[2] / "bench" / "serve_load.py"
SAMPLING = Sampling(max_new_tokens=60)


def schema(number):
    """Only one answer keeps to it."""
    properties = {"n": {"const": number}}
    return json.dumps({"type": "object", "properties": properties, "required": ["n"]})


def review(server, make_prompt, end, seed, wrong):
    choose = random.Random(seed)
    backend = ResidentBackend(server.place, server.hello)
    while time.monotonic() < end:
        numbers = choose.choices(range(100), k=3)
        prompts = [make_prompt(f"is it {number}?", schema(number)) for number in numbers]
        # prompts of one call share a schema: each number is a call of its own
        for number, prompt in zip(numbers, prompts, strict=True):
            (answer,) = backend.complete([prompt], SAMPLING)
            if f'"n":{number}' not in "".join(answer.text.split()):
                wrong.append(answer)
    backend.close()


def chat(server, end, seed, wrong):
    choose = random.Random(seed)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    address = server.url.removeprefix("http://")
    while time.monotonic() < end:
        number = choose.randrange(100)
        form = {"type": "json_schema", "json_schema": {"schema": json.loads(schema(number))}}
        request = {
            "model": "dsreview",
            "messages": [{"role": "user", "content": f"is it {number}?"}],
            "max_tokens": SAMPLING.max_new_tokens,
            "response_format": form,
        }
        connection = http.client.HTTPConnection(address, timeout=60)
        connection.request("POST", "/v1/chat/completions", json.dumps(request), headers)
        if choose.random() < 0.2:
            connection.close()
            continue
        text = json.loads(connection.getresponse().read())["choices"][0]["message"]["content"]
        if f'"n":{number}' not in "".join(text.split()):
            wrong.append(text)
        connection.close()


def test_everybody_gets_their_own_answer_and_nothing_stays_open(tiny_server, make_prompt):
    process = psutil.Process(tiny_server.process.pid)
    wrong, before = [], process.num_fds()
    end = time.monotonic() + 3
    threads = [
        threading.Thread(target=review, args=(tiny_server, make_prompt, end, seed, wrong))
        for seed in range(4)
    ]
    threads += [threading.Thread(target=chat, args=(tiny_server, end, s, wrong)) for s in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert tiny_server.hello.num_jobs == 0
    end = time.monotonic() + 10  # connections are closed a moment after their answer is read
    while process.num_fds() > before and time.monotonic() < end:
        time.sleep(0.05)
    assert process.num_fds() <= before


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_minute_of_32_clients_with_a_killed_model(capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH.parent))
    specification = importlib.util.spec_from_file_location("serve_load", BENCH)
    module = importlib.util.module_from_spec(specification)
    monkeypatch.setitem(sys.modules, "serve_load", module)
    specification.loader.exec_module(module)
    assert module.main(["--seconds", "60", "--clients", "32"]) == 0, capsys.readouterr()
