"""`dsreview doctor`."""

import typer


def doctor() -> None:
    """Say what is installed, which device works, and which model would fit."""
    from dsreview.change import EmptySnapshot
    from dsreview.config import Config, load, user_config_file
    from dsreview.doctor import examine
    from dsreview.errors import ConfigurationError
    from dsreview.sanitize import terminal_safe

    problem = ""
    try:
        config = load(EmptySnapshot(), {}, user_file=user_config_file())
    except ConfigurationError as error:
        config, problem = Config(), str(error)
    for check in examine(config, problem):
        mark = "ok" if check.is_good else "--"
        typer.echo(f"{mark}  {terminal_safe(check.name):<14} {terminal_safe(check.text)}")
