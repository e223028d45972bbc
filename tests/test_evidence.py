from dataclasses import dataclass
from difflib import unified_diff

import pytest

from dsreview.change import Change, ChangedFile, EmptySnapshot
from dsreview.diff_parser import parse_patch
from dsreview.evidence import check_evidence
from dsreview.finding import Finding, Origin, Severity
from dsreview.patch import Patch, Span
from dsreview.sandbox import Limits, Sandbox

PYTHON = """\
import os
from shop import tax


def price(item):
    net = item.net
    rate = tax.rate(item)
    return net * rate


def label(item):
    text = os.fspath(item)
    return text.strip()
"""
GO = """\
package shop

func price(net int) int {
	rate := 2
	return net * rate
}
"""
OTHER = "def discount(item):\n    return 1\n"


@dataclass(frozen=True)
class Folder:
    files: dict

    def paths(self):
        return sorted(self.files)

    def read(self, path):
        return self.files.get(path)

    def identity(self, path):
        return None

    def size_bytes(self, path):
        return len(self.files[path]) if path in self.files else None


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as opened:
        yield opened


def check(sandbox, message, line, source=PYTHON, path="shop/price.py", language="python", **fields):
    rows = unified_diff([], source.splitlines(True), f"a/{path}", f"b/{path}")
    patch = parse_patch("".join(rows).encode()).files[0].file
    file = ChangedFile(path, language, patch, None, source)
    head = Folder({path: source.encode(), "shop/other.py": OTHER.encode()})
    change = Change(Patch((patch,)), EmptySnapshot(), head, "base", "head")
    fields = {"origin": Origin.MODEL, "scenario": "price(item) fails."} | fields
    finding = Finding(
        rule="a-b",
        severity=Severity.HIGH,
        path=path,
        span=Span(line, line + 1),
        quote="x",
        message=message,
        confidence=0.9,
        **fields,
    )
    return check_evidence((finding,), change, (file,), sandbox)


@pytest.mark.parametrize(
    ("message", "line", "contradiction"),
    [
        ("`tax` is not imported.", 7, "`tax` is not undefined: line 2 defines or imports it"),
        ("`label` is not defined.", 8, "`label` is not undefined: line 11 defines or imports it"),
        ("`net` is never defined.", 8, "`net` is not undefined: line 6 defines or imports it"),
        ("`len` is not defined.", 8, "`len` is not undefined: Python brings it"),
        ("`label` does not exist.", 8, "`label` is not absent: line 11 defines or imports it"),
        ("`discount` does not exist.", 8, "`discount` is not absent: shop/other.py defines it"),
        ("`rate` is never used.", 7, "`rate` is not unused: line 8 uses it"),
        ("Unused import `os`.", 1, "`os` is not unused: line 12 uses it"),
        (
            "`price` is already defined.",
            5,
            "`price` is not duplicate: line 5 is its only definition",
        ),
    ],
)
def test_a_claim_that_the_repository_contradicts_is_dropped(sandbox, message, line, contradiction):
    kept, refused = check(sandbox, message, line)
    assert kept == ()
    assert [(one.reason, one.message) for one in refused] == [("evidence", contradiction)]


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("`vat` is not defined.", 8),
        ("`text` is not defined.", 8),  # of another function
        ("`item` is never used.", 13),  # not behind this line
        ("`vat` does not exist.", 8),
        ("`vat` is never used.", 8),
        ("`discount` is already defined.", 5),
        ("The rate is off by one.", 7),
    ],
)
def test_what_holds_or_cannot_be_looked_up_stays(sandbox, message, line):
    kept, refused = check(sandbox, message, line)
    assert len(kept) == 1
    assert refused == ()


def test_the_scenario_is_read_as_well(sandbox):
    kept, _ = check(sandbox, "This crashes.", 7, scenario="`tax` is not imported.")
    assert kept == ()


def test_findings_of_checks_are_not_doubted(sandbox):
    kept, _ = check(sandbox, "`tax` is not imported.", 7, origin=Origin.RULE)
    assert len(kept) == 1


def test_other_languages_are_looked_up_too(sandbox):
    kept, refused = check(sandbox, "`rate` is never used.", 4, GO, "shop/price.go", "go")
    assert (kept, len(refused)) == ((), 1)


def test_what_cannot_be_parsed_contradicts_nothing():
    with Sandbox(Limits(max_source_bytes=10)) as tight:
        kept, _ = check(tight, "`tax` is not imported.", 7)
    assert len(kept) == 1


def test_a_language_without_a_parser_contradicts_nothing(sandbox):
    kept, _ = check(sandbox, "`tax` is not imported.", 7, language="")
    assert len(kept) == 1
