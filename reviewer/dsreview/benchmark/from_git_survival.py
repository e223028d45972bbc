"""Whether what a commit wrote still stood a year later, on the main line.

The main line is the first-parent history of HEAD. Commits are placed on it by their time,
which is made to never run backwards.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dsreview.benchmark.from_git_log import LoggedCommit, TouchedFile
from dsreview.patch import FileStatus, Span

YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class _Version:
    place: int
    """Which commit of the main line, 0 is the first."""
    content: str
    """Id; empty where the file went."""
    moved_to: str = ""


@dataclass(frozen=True, slots=True)
class MainLine:
    """Takes its commits one by one, oldest first."""

    versions: dict[str, list[_Version]]
    """Of each file that is followed, oldest first."""
    times_s: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, paths: Iterable[str]) -> "MainLine":
        """One that follows these files, and what they are renamed to."""
        return cls({path: [] for path in paths})

    def follows(self, file: TouchedFile) -> bool:
        return file.path in self.versions or file.old_path in self.versions

    def take(self, commit: LoggedCommit) -> None:
        place = len(self.times_s)
        self.times_s.append(max(commit.time_s, self.end_s))
        for file in filter(self.follows, commit.files):
            if file.status is FileStatus.RENAMED and file.old_path in self.versions:
                self.versions[file.old_path].append(_Version(place, "", file.path))
            content = "" if file.status is FileStatus.DELETED else file.new_id
            self.versions.setdefault(file.path, []).append(_Version(place, content))

    @property
    def end_s(self) -> int:
        """Time of the newest commit; 0 where there is none."""
        return self.times_s[-1] if self.times_s else 0

    def content_at(self, path: str, from_s: int, to_s: int) -> str | None:
        """Id of what the file of that name at one time held at a later one, wherever it moved.

        None where it was gone by then, or the history ends before.
        """
        if to_s > self.end_s:
            return None
        start, stop = (bisect_right(self.times_s, when) - 1 for when in (from_s, to_s))
        content = ""
        for version in self._followed(path, start, stop):
            content = version.content
        return content or None

    def _followed(self, path: str, start: int, stop: int) -> Iterable[_Version]:
        """Versions up to `stop` under the names that it had after `start`, oldest first."""
        seen: set[str] = set()
        while path not in seen:
            seen.add(path)
            moved_to = ""
            for version in self.versions.get(path, ()):
                if version.place > stop:
                    break
                yield version
                if version.moved_to and version.place > start:
                    start, moved_to = version.place, version.moved_to
                    break
            if moved_to:
                path = moved_to


def survives(text: Sequence[str], spans: Iterable[Span], later: Sequence[str]) -> bool:
    """Whether each span of lines stands in the later text, word for word.

    With it must stand the nearest line of code before and behind it: a lone brace is anywhere,
    and of lines that went, that nothing came back between their neighbours.
    """
    places: dict[str, list[int]] = {}
    for place, line in enumerate(later):
        places.setdefault(line, []).append(place)
    return all(_stands(_with_neighbours(text, span), later, places) for span in spans)


def _with_neighbours(text: Sequence[str], span: Span) -> Sequence[str]:
    start, stop = span.start - 1, span.stop - 1
    while start > 0:
        start -= 1
        if _says_something(text[start]):
            break
    while stop < len(text):
        stop += 1
        if _says_something(text[stop - 1]):
            break
    return text[start:stop]


def _says_something(line: str) -> bool:
    return any(character.isalnum() for character in line)


def _stands(block: Sequence[str], later: Sequence[str], places: dict[str, list[int]]) -> bool:
    if not block:
        return True
    return any(later[at : at + len(block)] == block for at in places.get(block[0], ()))
