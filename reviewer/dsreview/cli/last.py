"""`dsreview last`."""

from pathlib import Path

import typer

from dsreview.cli.option_types import Folder


def last(folder: Folder = Path()) -> None:
    """Show again what the last hook found, also in the background.

    \b
    dsreview last          of the repository of this folder
    dsreview last -C DIR   of another one

    Exit codes: 0 shown, or nothing to show; 2 this is no repository.
    """
    import sys

    from dsreview.githook.background import count_jobs
    from dsreview.githook.places import folder_of
    from dsreview.githook.results import ResultStore
    from dsreview.githook.showing import show, show_news
    from dsreview.sources.repository import find_repository
    from dsreview.sources.request import Location

    place = Location(folder.absolute())
    results = folder_of(find_repository(place.folder).git_dir)
    running = count_jobs(results).running
    if running:
        typer.echo("dsreview: a review in the background is still going on")
    store = ResultStore(results)
    if not show_news(results, place, sys.stdout):
        result = store.last()
        if result is None:
            typer.echo("dsreview: no hook has reviewed anything here yet")
        else:
            show(result, place, sys.stdout)
