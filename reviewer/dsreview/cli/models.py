"""`dsreview models`: which are worth a try and which are here; taking one into use."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dsreview.models.listing import CatalogueRow, FoundModel, Listing

models = typer.Typer(
    name="models",
    help="Models: which fit here, which are here, and which is used.",
    invoke_without_command=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
COLUMNS = ("params", "window", "bf16", "int8", "int4")
GAP = "  "


@models.callback()
def root(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_models(as_json)


@models.command("list")
def list_models(as_json: AsJson = False) -> None:
    """Say which models are worth a try, what they take, and which are here."""
    import json

    from dsreview.sanitize import terminal_safe

    listing = _survey()
    if as_json:
        typer.echo(json.dumps(listing.as_json(), indent=2))
        return
    for line in _page(listing):
        typer.echo(terminal_safe(line).rstrip())


@models.command("use")
def use(
    name: Annotated[
        str, typer.Argument(metavar="NAME|PATH", help="A row of the list, or any folder.")
    ],
) -> None:
    """Review with this model from now on: writes `model` into your config.toml."""
    import os

    from dsreview.backends.base import absolute_model
    from dsreview.config import user_config_file
    from dsreview.models.catalogue import find
    from dsreview.models.checking import check_model
    from dsreview.models.choosing import use_model
    from dsreview.sanitize import terminal_safe

    known = find(name)
    model = known.name if known else absolute_model("local", name)
    checked = check_model(model)
    file = user_config_file()
    use_model(file, model)
    billions = f"{checked.num_parameters / 1e9:.2f} billion parameters"
    typer.echo(terminal_safe(f"from now on: {model} ({checked.model_type}, {billions})"))
    typer.echo(terminal_safe(f"weights: {checked.place}"))
    typer.echo(terminal_safe(f'written: model = "{model}" in {file}'))
    if os.environ.get("DSREVIEW_MODEL"):
        typer.echo("DSREVIEW_MODEL is set in this environment and goes first")


@models.command("pull")
def pull(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A row of the list, or any owner/name of the hub.")
    ],
    revision: Annotated[
        str,
        typer.Option(
            metavar="COMMIT",
            help="Also a branch or tag; by itself the commit of the list, or the one that is here.",
        ),
    ] = "",
) -> None:
    """Download a model, or go on with it; every file is held against its checksum.

    HF_HOME says where to, HF_TOKEN opens private models, HF_ENDPOINT names another hub.
    """
    from dsreview.cli.download_bar import download_bar
    from dsreview.models.catalogue import find
    from dsreview.models.hub import Hub
    from dsreview.models.hub_cache import cache_folder
    from dsreview.models.pulling import pinned_revision
    from dsreview.models.pulling import pull as pull_model
    from dsreview.sanitize import terminal_safe

    known = find(name)
    model, cache = known.name if known else name, cache_folder()
    hub = Hub.from_environment()
    try:
        with download_bar() as bar:
            pulled = pull_model(hub, cache, model, revision or pinned_revision(model, cache), bar)
    except KeyboardInterrupt:
        typer.echo("what has come so far is kept; the same command goes on with it", err=True)
        raise
    finally:
        hub.close()
    for file in pulled.files:
        line = f"{file.checksum.kind}:{file.checksum.digest}  {file.name}"
        typer.echo(terminal_safe(line))
    size = f"{len(pulled.files)} files, {pulled.size_bytes / 1e9:.2f} GB, checksums right"
    typer.echo(terminal_safe(f"{pulled.name} at commit {pulled.revision}: {size}"))
    if known:
        typer.echo(terminal_safe(f"licence: {known.licence}"))
    typer.echo(terminal_safe(f"`dsreview models use {pulled.name}` takes it into use"))


def _survey() -> "Listing":
    from dsreview.change import EmptySnapshot
    from dsreview.config import load, user_config_file
    from dsreview.doctor import rooms
    from dsreview.models.hub_cache import cache_folder, cached_models
    from dsreview.models.listing import survey
    from dsreview.models.stores import with_stored

    config = load(EmptySnapshot(), {}, user_file=user_config_file())
    cache = cache_folder()
    return with_stored(survey(config.model, cache, tuple(cached_models(cache)), rooms()))


def _page(listing: "Listing") -> Iterator[str]:
    width = max(len(row.name) for row in listing.catalogue) + 2
    heads = GAP.join(f"{name:>6}" for name in COLUMNS)
    fits = GAP.join(f"{'on ' + room.device:<8}" for room in listing.rooms)
    yield f"{'':{width}}{heads}{GAP}{fits}{GAP}licence"
    for row in listing.catalogue:
        yield _line(row, width)
    yield ""
    yield "* in use   + here   > recommended for this machine"
    yield "bf16, int8, int4: GB of memory for weights and a usual batch of eight contexts"
    for room in listing.rooms:
        yield f"on {room.device}: the most precise that {room.free_bytes / 1e9:.1f} GB hold now"
    if listing.others:
        yield ""
        yield "also on this disk:"
        yield from map(_other, listing.others)
    yield ""
    yield f"models lie in {listing.cache}; only `dsreview models pull NAME` downloads any"


def _line(row: "CatalogueRow", width: int) -> str:
    mark = "*" if row.is_used else "+" if row.is_installed else ">" if row.is_recommended else " "
    sizes = [f"{count / 1e9:.1f}" for count in row.memory_bytes.values()]
    cells = [f"{row.num_parameters / 1e9:.1f}B", f"{row.window // 1024}k", *sizes]
    fits = GAP.join(f"{fit.precision or 'no':<8}" for fit in row.fits)
    facts = GAP.join(f"{cell:>6}" for cell in cells)
    return f"{mark} {row.name:<{width - 2}}{facts}{GAP}{fits}{GAP}{row.licence}"


def _other(model: "FoundModel") -> str:
    state = "" if model.is_whole else ", not whole: cannot be loaded"
    mark = "*" if model.is_used else " "
    return (
        f"{mark} {model.name}  {model.size_bytes / 1e9:.1f} GB, {model.kind}, {model.source}{state}"
    )
