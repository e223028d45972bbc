"""Hidden lines by which a later run knows its own comments.

A marker is a whole line, `<!-- dsreview:KIND name=value ... -->`. No text of others can
make such a line: the Markdown sink escapes "<" in prose and respells markers in code. Whose
comment it is must be asked first: a marker proves nothing in a comment of somebody else.
What signs a comment is its very first line (a summary) or its last one, because a workflow
that repeats a stranger's words may write under the same login as we do.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dsreview.finding import Severity
from dsreview.report import Status

_MARKER = re.compile(
    r"<!-- dsreview:([a-z]{1,20})((?: [a-z]{1,20}=[0-9A-Za-z_.]{1,128}){0,12}) -->"
)

REVIEW = "review"
FINDING = "finding"
STATE = "state"
ENTRY = "entry"
FOOT = "foot"
LEFT_OUT = "more"
_VERSION = "1"


@dataclass(frozen=True, slots=True)
class LastReview:
    """What the summary remembers of the run that wrote it."""

    head_sha: str
    base_sha: str
    config_digest: str
    """Of all that decides what a review finds: settings, rules, prompts, model, version."""
    status: Status
    findings_digest: str
    """Of the findings, the files that were not reviewed, and what was told of them."""
    worst: Severity | None = None
    """Of the findings of that run, and of what runs before it found in other files."""
    num_left_out: int = field(default=0, compare=False)
    """Findings that the summary has no room for; whoever writes it knows, not who plans it."""


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """What a comment says of the finding that it is about."""

    fingerprint: str
    fix: str
    """Names the place and its suggestion in any wording; empty without suggestion."""
    head_sha: str


@dataclass(frozen=True, slots=True)
class KnownEntry:
    """A finding in an earlier summary."""

    fingerprint: str
    path_digest: str
    rank: int
    origin: str
    """Who found it, as `Origin` has it."""
    text: str
    """As it stands there, its marker included."""


def digest(*parts: str) -> str:
    """20 hexadecimal digits that name `parts`."""
    text = "\0".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def review_marker(key: str, head_sha: str) -> str:
    return _marker(REVIEW, {"key": key, "head": head_sha})


def finding_marker(key: str, head_sha: str, fingerprint: str, fix: str = "") -> str:
    return _marker(FINDING, {"run": key, "head": head_sha, "name": fingerprint, "fix": fix})


def entry_marker(fingerprint: str, path: str, rank: int, origin: str) -> str:
    about = {"name": fingerprint, "path": digest(path), "rank": str(rank), "from": origin}
    return _marker(ENTRY, about)


def foot_marker() -> str:
    return _marker(FOOT, {})


def left_out_marker(num_findings: int) -> str:
    return _marker(LEFT_OUT, {"num": str(num_findings)})


def state_marker(last: LastReview) -> str:
    return _marker(
        STATE,
        {
            "version": _VERSION,
            "head": last.head_sha,
            "base": last.base_sha,
            "config": last.config_digest,
            "status": last.status.value,
            "findings": last.findings_digest,
            "worst": "" if last.worst is None else last.worst.label,
        },
    )


def review_key(body: str) -> str | None:
    """The key of the plan that wrote this review."""
    found = _signed(_lines(body)[-1], REVIEW)
    return found.get("key") if found is not None else None


def known_finding(body: str) -> KnownFinding | None:
    """The finding that a comment is about; None for any other comment."""
    found = _signed(_lines(body)[-1], FINDING)
    if found is None or "name" not in found:
        return None
    return KnownFinding(found["name"], found.get("fix", ""), found.get("head", ""))


def last_review(body: str) -> LastReview | None:
    """What a summary remembers; None where the comment is no summary."""
    found = _signed(_lines(body)[0], STATE)
    if found is None or found.get("version") != _VERSION:
        return None
    try:
        return LastReview(
            head_sha=found["head"],
            base_sha=found["base"],
            config_digest=found["config"],
            status=Status(found["status"]),
            findings_digest=found["findings"],
            worst=Severity.of(found["worst"]) if "worst" in found else None,
            num_left_out=_num_left_out(body),
        )
    except (KeyError, ValueError):
        return None


def _num_left_out(body: str) -> int:
    signed = (_signed(line, LEFT_OUT) for line in _lines(body))
    numbers = [found.get("num", "") for found in signed if found is not None]
    return sum(int(number[:9]) for number in numbers if number.isdecimal())


def known_entries(body: str) -> tuple[KnownEntry, ...]:
    """The findings that a summary lists, as it lists them; none in any other comment."""
    if last_review(body) is None:
        return ()
    entries: list[KnownEntry] = []
    block: list[str] = []
    about: Mapping[str, str] | None = None
    for line in [*_lines(body), foot_marker()]:
        read = _read(line)
        if read is not None:
            if about is not None and (entry := _entry(about, block)) is not None:
                entries.append(entry)
            about, block = (read[1] if read[0] == ENTRY else None), []
        block.append(line)
    return tuple(entries)


def _entry(about: Mapping[str, str], block: list[str]) -> KnownEntry | None:
    if not {"name", "path", "rank"} <= about.keys() or not about["rank"].isdigit():
        return None
    rank = int(about["rank"][:3])
    text = "\n".join(block).rstrip()
    return KnownEntry(about["name"], about["path"], rank, about.get("from", ""), text)


def _marker(kind: str, values: Mapping[str, str]) -> str:
    text = "".join(f" {name}={value}" for name, value in values.items() if value)
    marker = f"<!-- dsreview:{kind}{text} -->"
    if _MARKER.fullmatch(marker) is None:
        raise ValueError(f"not a marker: {marker!r}")
    return marker


def _signed(line: str, kind: str) -> Mapping[str, str] | None:
    read = _read(line)
    return read[1] if read is not None and read[0] == kind else None


def _lines(body: str) -> list[str]:
    """Without white space around, and as written before the web made it "\\r\\n"."""
    return [line.removesuffix("\r") for line in body.strip().split("\n")]


def _read(line: str) -> tuple[str, Mapping[str, str]] | None:
    match = _MARKER.fullmatch(line)
    if match is None:
        return None
    pairs = (word.partition("=") for word in match.group(2).split())
    return match.group(1), {name: value for name, _, value in pairs}
