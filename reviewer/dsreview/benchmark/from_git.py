"""A benchmark set from a repository's own history, so that a team measures on its own code.

git runs in the clean room and nothing of the repository is executed. The same HEAD, seed and
limits make the same items, whatever the machine.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dsreview.benchmark.from_git_candidates import Survey
from dsreview.benchmark.from_git_harvest import Harvest
from dsreview.benchmark.from_git_items import Maker, Reason
from dsreview.benchmark.from_git_licence import FILE_NAME, MAX_LICENCE_BYTES, licence_of
from dsreview.benchmark.from_git_log import LoggedCommit, read_commits, read_main_line
from dsreview.benchmark.from_git_survival import MainLine
from dsreview.benchmark.items import Item
from dsreview.errors import GitError, UsageError
from dsreview.progress import Phase, Progress
from dsreview.sandbox import Sandbox
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.objects import ObjectStore
from dsreview.sources.repository import find_repository
from dsreview.sources.revisions import resolve_head
from dsreview.sources.trees import list_tree

MAX_COMMITS = 50_000


@dataclass(frozen=True, slots=True)
class Recipe:
    folder: Path
    name: str
    """What its items call the repository."""
    max_items: int = 100
    """Of bugs, and of benign changes, each."""
    seed: int = 0
    max_commits: int = MAX_COMMITS
    """So many of the newest are read."""


@dataclass(frozen=True, slots=True)
class Made:
    items: tuple[Item, ...]
    """Bugs, then benign changes."""
    head: str
    num_commits: int
    num_bug_candidates: int
    num_benign_candidates: int
    bugs_left_out: Counter[Reason]
    """Of those that were looked at."""
    benign_left_out: Counter[Reason]
    licence: str
    """Empty where it is not known."""
    notes: tuple[str, ...]
    """What limits the set, one line each."""


def make(recipe: Recipe, sandbox: Sandbox, progress: Progress) -> Made:
    """Read the history and make the items.

    Raises:
        NotARepositoryError: there is none.
        UsageError: it has no commit.
        GitError: git failed, for example over a folder that a partial clone lacks.
    """
    with CleanRoom(find_repository(recipe.folder)) as room:
        return _make(recipe, room, sandbox, progress)


def _make(recipe: Recipe, room: CleanRoom, sandbox: Sandbox, progress: Progress) -> Made:
    head = resolve_head(room)
    if head is None:
        raise UsageError(f"{recipe.folder}: HEAD names no commit yet")
    survey = Survey()
    with progress.phase("history") as phase:
        log = read_commits(room, head, recipe.max_commits)
        for commit in _counted(recipe, log, phase):
            survey.take(commit)
    bugs, benign = survey.bugs(recipe.seed), survey.benign(recipe.seed)
    line = MainLine.of(one.file.path for one in benign)
    with progress.phase("main line") as phase:
        log = read_main_line(room, head, recipe.max_commits, line.follows)
        for commit in _counted(recipe, log, phase):
            line.take(commit)
    licence = _licence(room, head)
    maker = Maker(room, ObjectStore(room), sandbox, recipe.name, licence)
    harvest = Harvest(maker, line, recipe.max_items, progress)
    found_bugs = harvest.bugs(bugs)
    found_benign = harvest.benign(benign, found_bugs)
    return Made(
        items=(*found_bugs, *found_benign),
        head=head,
        num_commits=survey.num_commits,
        num_bug_candidates=len(bugs),
        num_benign_candidates=len(benign),
        bugs_left_out=harvest.bugs_left_out,
        benign_left_out=harvest.benign_left_out,
        licence=licence,
        notes=tuple(_notes(room, recipe, survey.num_commits)),
    )


def _counted(recipe: Recipe, log: Iterator[LoggedCommit], phase: Phase) -> Iterator[LoggedCommit]:
    """Raises GitError that says what a clone without folders needs."""
    try:
        for commit in log:
            yield commit
            phase.advance()
    except GitError as error:
        raise GitError(
            f"{recipe.folder}: its history cannot be read ({error}); "
            "a clone without its folders and files will not do, fetch them first"
        ) from None


def _licence(room: CleanRoom, head: str) -> str:
    """Of the licence files at the top of the newest commit, the one first by name."""
    store = ObjectStore(room)
    files = list_tree(room, head).files
    for path in sorted(files):
        size = store.size_bytes(files[path].oid) if FILE_NAME.match(path) else None
        if "/" in path or size is None or size > MAX_LICENCE_BYTES:
            continue
        found = licence_of((store.blob(files[path].oid) or b"").decode("utf-8", "replace"))
        if found:
            return found
    return ""


def _notes(room: CleanRoom, recipe: Recipe, num_commits: int) -> Iterator[str]:
    if room.refs.shallow:
        yield f"the clone is shallow: only {num_commits:,} commits are here"
    if num_commits == recipe.max_commits:
        yield f"only the newest {num_commits:,} commits were read"
