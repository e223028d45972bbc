"""The page of a run: as text, and in a real browser where there is one."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from dsreview.benchmark.items import Kind
from dsreview.benchmark.page import render_page
from dsreview.benchmark.results import (
    BenchResult,
    Found,
    Outcome,
    RefusedOne,
    RunFacts,
    SetFacts,
    Side,
    SuggestionOutcome,
    Time,
    Times,
)

HOSTILE = "</td><script>document.title='owned'</script>\u202e<img src=http://192.0.2.1/x> &amp;"
LANGUAGES = ("python", "go", "a-language-with-a-very-long-name-of-its-own")
VOID = {"meta", "br"}


def suggestion(number):
    return SuggestionOutcome("applied and parsed", 1 + number % 2, number % 3 == 0, number % 4 == 0)


def found(number, side):
    return Found(
        rule=f"rule-{number % 3}",
        severity=("low", "medium", "high")[number % 3],
        start=number + 1,
        stop=number + 2,
        confidence=0.1 + 0.02 * (number % 40),
        raw_confidence=0.3 + 0.01 * (number % 40),
        origin="model",
        hits_bug=side is Side.BUG and number % 4 > 0,
        message=HOSTILE if number < 3 else "The loop stops one element too early. " * 6,
        suggestion=suggestion(number) if number % 2 else None,
    )


def outcome(number, side, is_flagged):
    return Outcome(
        item=f"item-{number}" if number else HOSTILE.replace("\u202e", ""),
        side=side,
        language=LANGUAGES[number % 3],
        kind=Kind.BENIGN if side is Side.BENIGN else (Kind.REPLACE, Kind.MISSING)[number % 2],
        neutral=number % 5 > 0,
        status="partial" if number == 7 else "complete",
        gaps=(HOSTILE,) if number == 7 else (),
        findings=(found(number, side),) if is_flagged else (),
        refused=(RefusedOne("r", "parses"),) if number % 9 == 0 else (),
        prompt_tokens=1000 + number,
    )


def a_result(num):
    outcomes = [
        outcome(number, side, is_flagged)
        for number in range(num)
        for side, is_flagged in (
            ((Side.BENIGN, number % 12 == 3),)
            if number % 4 == 3
            else ((Side.BUG, number % 3 > 0 or number == 0), (Side.FIX, number % 10 == 0))
        )
    ]
    run = RunFacts("0.1.0", "local", HOSTILE, "ab" * 32, "cpu", "rev", {"votes": "5", "context": "hunk"}, run_tests=False, counts_are_estimated=True)  # fmt: skip
    times = [Time(one.item, one.side, 0.02 * (1 + n % 50), 0.01) for n, one in enumerate(outcomes)]
    return (
        BenchResult(1, SetFacts("a-set", "cd" * 32, num), run, tuple(outcomes)),
        Times(1, "cd" * 32, "Linux x86_64, 2 CPUs, Python 3.12", tuple(times)),
    )


class Reader(HTMLParser):
    """Tags as a browser would see them, and whether each is closed in its turn."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.addresses = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        self.addresses += [
            value for key, value in attrs if key in ("src", "href", "srcset", "data")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page():
    return render_page(*a_result(120))


def test_the_page_is_well_formed_and_asks_for_nothing(page):
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert reader.addresses == []
    tags = {tag for tag, _ in reader.seen}
    assert not tags & {"script", "img", "link", "iframe", "object"}
    assert "url(" not in page
    assert "@import" not in page
    assert ("meta", {"http-equiv": "Content-Security-Policy", "content": "default-src 'none'; style-src 'unsafe-inline'"}) in reader.seen  # fmt: skip


def test_text_of_items_is_escaped_wherever_it_stands(page):
    assert "<script" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;document.title=") > 4
    assert "&amp;amp;" in page


def test_every_plot_has_a_name_and_a_table_beside_it(page):
    reader = Reader()
    reader.feed(page)
    plots = [attrs for tag, attrs in reader.seen if tag == "svg"]
    assert [plot["role"] for plot in plots] == ["img"] * 6
    assert all(plot["aria-label"] for plot in plots)
    assert sum(tag == "table" for tag, _ in reader.seen) >= len(plots)
    assert all(tag != "th" or "scope" in attrs for tag, attrs in reader.seen)


def test_a_run_that_found_nothing_has_a_page():
    result, times = a_result(1)
    for outcomes in ((), (outcome(3, Side.BENIGN, is_flagged=False),)):
        empty = BenchResult(1, result.set, result.run, outcomes)
        page = render_page(empty, Times(1, times.set_sha256, "m", ()))
        assert "The set holds no bugs." in page
        assert "nan" not in page


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
WIDTHS = (360, 420, 768, 1400)
BEHIND_IT = """<script>
addEventListener("load", () => {
  const root = document.documentElement;
  const drawn = [...document.querySelectorAll("svg")].filter(one => one.getBoundingClientRect().height > 60);
  const text = getComputedStyle(document.body);
  root.dataset.seen = [innerWidth, root.scrollWidth, drawn.length, text.backgroundColor, text.color,
    performance.getEntriesByType("resource").length, document.title === "owned"].join("|");
});
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_all_of_it_wide_and_narrow_light_and_dark(page, tmp_path, scheme):
    """A script of the test measures it; the page itself has none, and forbids them."""
    watched = re.sub(r"<meta http-equiv=[^>]*>", "", page.replace("</body>", BEHIND_IT))
    (tmp_path / "page.html").write_text(watched)
    # a window of Chromium is never narrower than 500: the page is looked at through frames
    frames = [
        f'<iframe src="page.html" style="border:0;width:{width}px;height:900px"></iframe>'
        for width in WIDTHS
    ]
    collect = "Array.from(frames).map(one => one.document.documentElement.dataset.seen).join(';')"
    script = f"addEventListener('load', () => {{ document.body.dataset.all = {collect} }})"
    (tmp_path / "frame.html").write_text(f"<body>{''.join(frames)}<script>{script}</script></body>")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    flags += ["--hide-scrollbars", "--allow-file-access-from-files"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=2000"]
    flags += [f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}"]
    shown = subprocess.run(
        [CHROMIUM, *flags, "--window-size=1500,1000", "--dump-dom", (tmp_path / "frame.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout  # fmt: skip
    by_width = re.search(r'data-all="([^"]*)"', shown)[1].split(";")
    for width, seen in zip(WIDTHS, by_width, strict=True):
        inner, scrolled, drawn, back, ink, requests, is_owned = seen.split("|")
        assert (int(inner), int(scrolled)) == (width, width)
        assert (drawn, requests, is_owned) == ("6", "0", "false")
        page_light, text_light = (sum(map(int, re.findall(r"\d+", one)[:3])) for one in (back, ink))
        assert (page_light < text_light) == (scheme == "dark")
