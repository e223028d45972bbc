"""`dsreview hook`: what git runs before a commit or a push, and how it gets there."""

import typer

from dsreview.cli import hook_install

hooks = typer.Typer(
    name="hook",
    help="Review before git commits, merges or pushes.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
hook_install.register(hooks)
