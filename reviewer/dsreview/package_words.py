"""Words of the files that share their names without an import: the files of one package.

Go, Java and Kotlin let a file use what its neighbours define, others what headers, modules
and shells bring. Whether they do is for the compiler; a word that stands in a neighbour
is not called unknown, unless it is there as what that neighbour imports for itself.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from dsreview import languages
from dsreview.change import Snapshot

SHARING: Final = frozenset(
    {"go", "java", "kotlin", "c", "cpp", "c_sharp", "swift", "ruby", "php", "bash"}
)
MAX_FILES: Final = 200
MAX_FILE_BYTES: Final = 400_000
_WORD: Final = re.compile(rb"[A-Za-z_]\w*")
_IMPORTED: Final = {
    "go": re.compile(
        rb"^(?:import)?[ \t]*(?:\w+[ \t]+)?\"(?:[^\"\n]*/)?(\w+)\"[ \t]*$", re.MULTILINE
    ),
    "java": re.compile(rb"^import\s+[\w.]+\.(\w+);", re.MULTILINE),
    "kotlin": re.compile(rb"^import\s+[\w.]+\.(\w+)[ \t]*$", re.MULTILINE),
}
"""Names that an import gives to one file alone."""


@dataclass(slots=True)
class PackageWords:
    """Reads the neighbours of each path once."""

    head: Snapshot
    _known: dict[str, frozenset[str]] = field(default_factory=dict)

    def around(self, path: str, language: str) -> frozenset[str]:
        """Words of the other files of `language` in the folder of `path`."""
        if language not in SHARING:
            return frozenset()
        if path not in self._known:
            self._known[path] = self._read(path, language)
        return self._known[path]

    def _read(self, path: str, language: str) -> frozenset[str]:
        folder = PurePosixPath(path).parent
        words: set[bytes] = set()
        neighbours = [
            other
            for other in self.head.paths()
            if PurePosixPath(other).parent == folder and other != path
        ]
        for other in neighbours[:MAX_FILES]:
            found = languages.detect(other)
            size = self.head.size_bytes(other) or 0
            if found is None or found.name != language or size > MAX_FILE_BYTES:
                continue
            words |= _shared_words(language, self.head.read(other) or b"")
        return frozenset(word.decode() for word in words)


def _shared_words(language: str, source: bytes) -> set[bytes]:
    words = set(_WORD.findall(source))
    if language in _IMPORTED:
        words.difference_update(_IMPORTED[language].findall(source))
    return words
