"""The commands, and how typer is told of them."""

import typer

from dsreview.cli import bench, diff, doctor, fix, hook, last, models, pr, serve, undo
from dsreview.errors import UsageError

app = typer.Typer(
    name="dsreview",
    help="Review a change with a model that runs on this machine, and with checks that need none.",
    epilog="Exit codes: 0 clean, 1 findings, 2 usage, 3 not everything was reviewed, 130 Ctrl-C.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    add_completion=True,
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from dsreview import __version__

        typer.echo(f"dsreview {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


app.command("diff")(diff.diff)
app.command("doctor")(doctor.doctor)
app.command("fix")(fix.fix)
app.command("last")(last.last)
app.command("pr")(pr.pr)
app.command("serve")(serve.serve)
app.command("status")(serve.status)
app.command("stop")(serve.stop)
app.command("undo")(undo.undo)
app.add_typer(bench.bench)
app.add_typer(hook.hooks)
app.add_typer(models.models)


def run(given: list[str]) -> int:
    """Run the command that `given` names; the exit code.

    Raises:
        UsageError: these are no arguments of it.
    """
    # typer forgets where `--` stood: what is behind it are paths
    at = given.index("--") if "--" in given else len(given)
    paths = tuple(given[at + 1 :])
    try:
        code = app(given[:at], prog_name="dsreview", standalone_mode=False, obj=paths)
    except typer.TyperException as error:
        raise UsageError(error.format_message().rstrip(".")) from None
    except typer.Abort:
        raise KeyboardInterrupt from None
    return code if isinstance(code, int) else 0
