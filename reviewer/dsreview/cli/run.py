"""From parsed arguments to a written report."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import BinaryIO

from dsreview.change import Change
from dsreview.config import Config, load, user_config_file
from dsreview.errors import UsageError
from dsreview.model_choice import chosen_backend
from dsreview.outputs import OUTPUTS, view_for
from dsreview.progress import open_progress
from dsreview.report import Report
from dsreview.review import MODEL_UNUSABLE
from dsreview.review import review as review_change
from dsreview.review_tools import open_tools
from dsreview.sanitize import terminal_line, terminal_safe
from dsreview.selection import ignores, select
from dsreview.sources import SourceRequest, open_change

MAX_PATCH_BYTES = 256 << 20


def require_format(name: str, known: Sequence[str]) -> None:
    """Raises UsageError where `name` is none of `known`."""
    if name not in known:
        raise UsageError(f"--format {name}; use {', '.join(known)}")


def read_patch(name: str, folder: Path) -> bytes | None:
    """The patch that `--patch` names, relative to `folder`; None where it was not given.

    Raises:
        UsageError: it cannot be read.
    """
    if not name:
        return None
    if name == "-":
        if sys.stdin is None:
            raise UsageError("--patch -: standard input is closed")
        return _bounded(sys.stdin.buffer, name)
    try:
        with (folder / name).open("rb") as file:
            return _bounded(file, name)
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}") from None


def _bounded(file: BinaryIO, name: str) -> bytes:
    content = file.read(MAX_PATCH_BYTES + 1)
    if len(content) > MAX_PATCH_BYTES:
        raise UsageError(f"--patch {name}: more than {MAX_PATCH_BYTES >> 20} MB")
    return content


def preview(request: SourceRequest, flags: Mapping[str, object]) -> int:
    """Print a line for each file of the change: in or out, and why."""
    with open_change(request) as change:
        config = load(change.settings, flags, user_file=user_config_file())
        ignored = ignores(change.settings, config.exclude)
        selection = select(change, ignored, has_model=chosen_backend(config) is not None)
    languages: dict[str, str] = {
        file.patch.path: file.language or "any language" for file in selection.files
    }
    left_out = {row.path: row for row in selection.left_out}
    for patch in change.patch.files:
        row = left_out.get(patch.path)
        if row is None or row.reviewers:
            verdict = f"in   {patch.path}  ({languages.get(patch.path) or patch.status.value})"
        else:
            verdict = f"out  {patch.path}  ({row.reason})"
        sys.stdout.write(f"{terminal_safe(verdict)}\n")
    return 0


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A finished review, with what it was about."""

    report: Report
    change: Change
    """Its snapshots are readable as long as the context is open."""
    config: Config

    @property
    def exit_code(self) -> int:
        return self.report.exit_code(self.config.fail_on, partial_ok=self.config.partial_ok)


@contextmanager
def reviewed(request: SourceRequest, flags: Mapping[str, object]) -> Iterator[Reviewed]:
    """Review what `request` names, with the settings of its old side under `flags`."""
    with open_change(request) as change:
        config = load(change.settings, flags, user_file=user_config_file())
        yield Reviewed(review_opened(change, config), change, config)


def review_opened(change: Change, config: Config) -> Report:
    """Review `change` with the tools that `config` asks for; all are closed at the end."""
    with ExitStack() as stack, open_progress() as progress:
        return review_change(change, config, open_tools(config, progress, stack))


def review(
    request: SourceRequest, flags: Mapping[str, object], output_format: str, output: Path | None
) -> int:
    """Review, write the report, and say the exit code."""
    _refuse_unwritable(output)
    with reviewed(request, flags) as done:
        stream = sys.stdout if output is None else StringIO()
        view = view_for(stream, os.environ, done.change.head)
        text = OUTPUTS[output_format](done.report, view)
    _write(text, output)
    warn_of_model(done.report)
    return done.exit_code


def warn_of_model(report: Report) -> None:
    """Say on stderr that the model was of no use: some formats have no place for notes."""
    for note in report.notes:
        if note.startswith(MODEL_UNUSABLE):
            sys.stderr.write(f"warning: {terminal_line(note)}\n")


def _refuse_unwritable(output: Path | None) -> None:
    """Better now than after minutes of work.

    Raises:
        UsageError: a file cannot be written there.
    """
    if output is not None and not (output.parent.is_dir() and os.access(output.parent, os.W_OK)):
        raise UsageError(f"{output}: its folder does not exist or cannot be written to")
    if output is None or output.is_absolute():
        return
    # in the current folder, the links are those of the repository under review
    if os.path.realpath(output) != os.path.normpath(Path.cwd().resolve() / output):
        raise UsageError(f"{output}: leads elsewhere through a symbolic link; give its full path")
    if output.exists() and not output.is_file():
        raise UsageError(f"{output}: is no regular file")


def _write(text: str, output: Path | None) -> None:
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stdout.write(text)  # minutes of work are not lost for a full disk
        raise UsageError(f"{output}: {error.strerror}; the report is written here") from None
