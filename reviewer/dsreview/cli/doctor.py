"""`dsreview doctor`."""

import typer


def doctor() -> None:
    """Say what is installed, which device works, and which model would fit."""
    from dsreview.change import EmptySnapshot
    from dsreview.config import load, user_config_file
    from dsreview.doctor import examine
    from dsreview.sanitize import terminal_safe

    config = load(EmptySnapshot(), {}, user_file=user_config_file())
    for check in examine(config):
        mark = "ok" if check.is_good else "--"
        typer.echo(f"{mark}  {terminal_safe(check.name):<14} {terminal_safe(check.text)}")
