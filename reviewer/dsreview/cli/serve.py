"""`dsreview serve`, `status` and `stop`: the resident server."""

from typing import TYPE_CHECKING, Annotated

import typer

from dsreview.cli.option_types import BackendName, BatchSize, Device, Model, Runner, Weights

if TYPE_CHECKING:
    from dsreview.server.running import Listening

IDLE_DEFAULT = "15m"
NOT_RUNNING = 3
"""As `systemctl status` ends where nothing runs."""


def serve(
    context: typer.Context,
    http: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            help="Also an OpenAI-compatible API on this loopback address, behind a token.",
        ),
    ] = "",
    idle: Annotated[
        str, typer.Option(metavar="TIME", help="End when nobody asked for so long; 0 is never.")
    ] = IDLE_DEFAULT,
    background: Annotated[
        bool,
        typer.Option("--background", help="Return once the model is loaded; it goes on by itself."),
    ] = False,
    allow_root: Annotated[
        bool,
        typer.Option("--allow-root", envvar="DSREVIEW_ALLOW_ROOT", help="Serve even as root."),
    ] = False,
    model: Model = None,
    backend: BackendName = None,
    device: Device = None,
    runner: Runner = None,
    weights: Weights = None,
    batch_size: BatchSize = None,
) -> None:
    """Keep a model loaded, for every `dsreview diff` and hook of yours.

    It listens on a Unix socket that only you can reach, and ends when nobody asked for 15
    minutes. No code and no prompt is ever logged.
    """
    from dsreview.backends.resident_place import default_place
    from dsreview.change import EmptySnapshot
    from dsreview.cli.options import flags_of
    from dsreview.config import load, user_config_file
    from dsreview.errors import UsageError
    from dsreview.model_choice import served_settings
    from dsreview.sanitize import terminal_safe
    from dsreview.setting_values import parse_seconds

    try:
        idle_s = parse_seconds(idle)
    except (ValueError, KeyError):
        raise UsageError(f"--idle {idle}; use seconds, or a number with s, m or h") from None
    config = load(EmptySnapshot(), flags_of(context.params), user_file=user_config_file())
    name, settings = served_settings(config)
    if background:
        from dsreview.backends.resident import wait_until_ready
        from dsreview.server.starting import start

        more = ["--idle", idle, *(("--http", http) if http else ())]
        more += ["--allow-root"] if allow_root else []
        place = default_place()
        hello = wait_until_ready(place, start(name, settings, place, *more))
        served = terminal_safe(hello.served.model)
        typer.echo(f"process {hello.pid} serves {served}; `dsreview stop` ends it")
        return
    try:
        from dsreview.server.running import ServeOptions
        from dsreview.server.running import serve as run_server
    except ImportError:
        raise UsageError("the server is not installed; install the extra `serve`") from None
    options = ServeOptions(name, settings, idle_s, http, allow_root)
    run_server(options, default_place(), _announce)


def status() -> None:
    """Say whether a server runs, and what it serves."""
    from dsreview.backends.resident import ask_hello
    from dsreview.backends.resident_place import default_place
    from dsreview.sanitize import terminal_safe
    from dsreview.server.locking import running_pid

    place = default_place()
    hello = ask_hello(place)
    if hello is None:
        pid = running_pid(place)
        typer.echo("no server runs" if pid is None else f"process {pid} does not answer")
        raise typer.Exit(NOT_RUNNING)
    device = hello.facts.device if hello.facts else hello.served.device
    lines = [
        ("state", f"{hello.state.value}, process {hello.pid}, dsreview {hello.version}"),
        ("model", f"{hello.served.model} on {device}"),
        ("up", f"{hello.uptime_s:.0f} s, {hello.num_prompts_answered} prompts answered"),
        ("waiting", f"{hello.num_jobs} requests"),
        ("restarts", f"{hello.num_restarts} of the model's process"),
        ("memory", f"{hello.memory_bytes / 1e6:.0f} MB"),
        ("idle exit", f"after {hello.idle_exit_s:.0f} s" if hello.idle_exit_s else "never"),
        ("http", hello.http_address or "no"),
        ("socket", str(place.socket)),
    ]
    for name, text in lines:
        typer.echo(f"{name:<10} {terminal_safe(text)}")


def stop() -> None:
    """End the server, if one runs."""
    from dsreview.backends.resident_place import default_place
    from dsreview.server.starting import stop as stop_server

    typer.echo("stopped" if stop_server(default_place()) else "no server runs")


def _announce(listening: "Listening") -> None:
    from dsreview.sanitize import terminal_safe

    place = listening.place
    typer.echo(terminal_safe(f"listening on {place.socket}; log: {place.log}"))
    if listening.http_address:
        typer.echo(terminal_safe(f"and on {listening.http_address}; token: {place.token}"))
