"""The tests of items: run only on request, and with limits."""

import time

from dsreview.benchmark import own_tests
from dsreview.benchmark.items import Item, Kind
from dsreview.benchmark.own_tests import passes_own_test

TEST = "assert total([1, 2]) == 3"


def item(**facts):
    values = {"language": "python", "test": TEST} | facts
    return Item(
        "a", path="a.py", before_text="1\n", after_text="2\n", kind=Kind.REPLACE, neutral=True,
        bug_lines=(1,), **values,
    )  # fmt: skip


def test_a_test_passes_on_code_that_is_right_alone():
    right = "def total(xs):\n    return plus(xs)\n"
    given = item(
        imports="import operator, functools",
        test_setup="def plus(xs):\n    return functools.reduce(operator.add, xs)",
    )
    assert passes_own_test(given, right) is True
    assert passes_own_test(given, right.replace("plus(xs)", "0")) is False
    assert passes_own_test(given, "def total(") is False


def test_an_item_without_a_test_that_can_be_run_has_no_verdict():
    assert passes_own_test(item(test=" "), "") is None
    assert passes_own_test(item(language="go"), "") is None


def test_a_test_that_does_not_end_is_ended(monkeypatch):
    monkeypatch.setattr(own_tests, "WALL_S", 0.5)
    started = time.monotonic()
    assert passes_own_test(item(), "while True: pass\n") is False
    assert time.monotonic() - started < 10


def test_a_test_has_limits_an_empty_folder_and_none_of_our_environment(monkeypatch):
    monkeypatch.setenv("TOKEN_OF_OURS", "secret")
    probes = (
        "import os, resource\n"
        "assert 'TOKEN_OF_OURS' not in os.environ\n"
        "assert os.listdir('.') == ['item_test.py']\n"
        "assert resource.getrlimit(resource.RLIMIT_CPU)[1] == 10\n"
        "try:\n"
        "    open('big', 'wb').write(b'x' * (2 << 20))\n"
        "    raise SystemExit(1)\n"
        "except OSError:\n"
        "    pass\n"
    )
    assert passes_own_test(item(test="pass"), probes) is True
