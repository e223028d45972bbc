"""`dsreview bench make`: a set of bugs and benign changes from a repository's own history."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dsreview.benchmark.from_git import Made

DEFAULT_MAX = 100
DEFAULT_WALK = 50_000


def make(
    repositories: Annotated[
        list[Path],
        typer.Option(
            "--from-git", metavar="REPO", help="A clone with its whole history; repeatable."
        ),
    ],
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="The set: .jsonl, .jsonl.xz or .jsonl.gz.")
    ],
    max_items: Annotated[
        int,
        typer.Option("--max", metavar="N", min=1, help="Bugs, and benign changes, of each REPO."),
    ] = DEFAULT_MAX,
    seed: Annotated[int, typer.Option(metavar="S", help="Which ones, where there are more.")] = 0,
    walk: Annotated[
        int, typer.Option(metavar="N", min=1, help="Read the newest N commits.")
    ] = DEFAULT_WALK,
    force: Annotated[bool, typer.Option("--force", help="Write over FILE.")] = False,
) -> None:
    """Make a set from the history of REPO, so that you measure on your own code.

    A bug is a small fix of one source file that came with a test, turned round. A benign change
    is one that said nothing of a fix and still stood on the main line a year later. The set
    holds code of REPO: keep it where that may be.
    """
    from dsreview.benchmark.from_git import Recipe
    from dsreview.benchmark.from_git import make as make_items
    from dsreview.benchmark.items import write_items
    from dsreview.errors import GitError, UsageError
    from dsreview.progress import open_progress
    from dsreview.sandbox import Sandbox

    _refuse(out, force=force)
    recipes = [
        Recipe(folder, name, max_items, seed, walk) for name, folder in _named(repositories).items()
    ]
    made: list[tuple[str, Made]] = []
    failures: list[GitError] = []
    with Sandbox() as sandbox, open_progress() as progress:
        for recipe in recipes:
            try:
                made.append((recipe.name, make_items(recipe, sandbox, progress)))
            except GitError as error:
                failures.append(error)
    for name, one in made:
        for line in _summary(name, one):
            typer.echo(line)
    items = [item for _, one in made for item in one.items]
    if items:
        typer.echo(f"{out}: {write_items(out, items):,} items")
    if failures:  # only now: minutes of work on the others are not lost
        raise GitError("; ".join(map(str, failures)))
    if not items:
        raise UsageError(f"{out}: not written, since no commit makes an item")


def _refuse(out: Path, *, force: bool) -> None:
    """Better now than after minutes of work.

    Raises:
        UsageError: the set cannot be written there.
    """
    from dsreview.benchmark.items import SUFFIXES
    from dsreview.errors import UsageError

    if not out.name.endswith(SUFFIXES):
        raise UsageError(f"--out {out}: a set ends in {', '.join(SUFFIXES)}")
    if os.path.lexists(out) and not force:
        raise UsageError(f"--out {out}: is there already; --force writes over it")
    if not (out.parent.is_dir() and os.access(out.parent, os.W_OK)):
        raise UsageError(f"--out {out}: its folder does not exist or cannot be written to")


def _named(repositories: Sequence[Path]) -> Mapping[str, Path]:
    """Each with what its items call it: the name of its folder.

    Raises:
        UsageError: two have the same, or one has none that can be printed.
    """
    from dsreview.errors import UsageError

    found: dict[str, Path] = {}
    for folder in repositories:
        name = folder.resolve().name.removesuffix(".git") or folder.resolve().parent.name
        if not name.isprintable() or not name:
            raise UsageError(f"--from-git {folder}: its folder needs a name that can be printed")
        if name in found:
            raise UsageError(f"--from-git {folder}: another one is called {name} too")
        found[name] = folder
    return found


def _summary(name: str, made: "Made") -> list[str]:
    bugs = sum(item.is_bug for item in made.items)
    benign = len(made.items) - bugs
    licence = made.licence or "licence unknown"
    lines = [
        f"{name}: {bugs:,} bugs, {benign:,} benign changes, from {made.num_commits:,} commits "
        f"up to {made.head[:12]} ({licence})"
    ]
    looks = (
        ("fixes with a test", made.num_bug_candidates, made.bugs_left_out),
        ("other changes of one source file", made.num_benign_candidates, made.benign_left_out),
    )
    for what, num, left_out in looks:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in left_out.most_common())
        lines.append(f"  {num:,} {what}" + (f", left out: {reasons}" if reasons else ""))
    return lines + [f"  {note}" for note in made.notes]
