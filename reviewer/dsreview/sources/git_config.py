"""A repository's configuration as data: nothing in it takes effect.

Only what decides how stored things are to be read is looked up: the hash, the
format of the refs, whether executable bits mean anything, and what `@{upstream}`
names. Includes are not followed.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from dsreview.sources.data_files import read_data

_SECTION = re.compile(r'\s*\[\s*([\w.-]+)\s*(?:"((?:[^"\\]|\\.)*)")?\s*\]\s*(.*)')
_ENTRY = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*))?$")


def read_config(path: Path) -> Mapping[str, str]:
    """The last value of each `section.subsection.key`; section and key in lower case."""
    content = read_data(path, max_bytes=1 << 20) or b""
    found: dict[str, str] = {}
    section = ""
    for line in content.decode("utf-8", "surrogateescape").splitlines():
        rest = line
        if match := _SECTION.match(line):
            section = match.group(1).lower()
            if match.group(2) is not None:
                section += "." + re.sub(r"\\(.)", r"\1", match.group(2))
            rest = match.group(3)
        entry = _ENTRY.match(rest)
        if entry and section:
            value = entry.group(2)
            found[f"{section}.{entry.group(1).lower()}"] = (
                "true" if value is None else _clean(value)
            )
    return found


def _clean(value: str) -> str:
    """Without the comment behind it and the quotes around it."""
    found = re.match(r'\s*((?:"(?:[^"\\]|\\.)*"|[^"#;\\]|\\.)*)', value)
    text = found.group(1).strip() if found else ""
    return re.sub(r"\\(.)", r"\1", text.replace('\\"', "\0").replace('"', "").replace("\0", '\\"'))
