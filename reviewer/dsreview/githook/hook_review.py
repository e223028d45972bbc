"""From a hook's call to its exit code.

The order is that of cost: what git says, then what is to review, and only where something
is, the reviewer itself is imported. A hook with nothing to do has to be gone in 0.15 s.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from dsreview.config import Config, load, user_config_file
from dsreview.githook.deadline import Deadline
from dsreview.githook.events import HookCall, changes_of
from dsreview.githook.places import folder_of, has_news
from dsreview.githook.standing import Standing
from dsreview.sources import SourceRequest
from dsreview.sources.clean_room import CleanRoom
from dsreview.sources.index import changed_paths
from dsreview.sources.repository import find_repository
from dsreview.sources.revisions import resolve_head

if TYPE_CHECKING:
    from dsreview.change import Change
    from dsreview.report import Report

BACKGROUND = "background"

Review = Callable[["Change", Config, ExitStack], "Report"]
"""Reviews a change; what need not be closed before the report is shown goes on the stack."""

Offer = Callable[["Report", "Change", Config, SourceRequest], "Report | None"]
"""Goes through the findings with a person; what is left of them, or None where nobody is."""


@dataclass(slots=True)
class HookRun:
    """One run of a hook, and what it has so far."""

    call: HookCall
    flags: Mapping[str, object]
    review: Review
    offer: Offer
    stream: TextIO
    deadline: Deadline
    standing: Standing
    has_waited: bool = True
    """Somebody sees what was found; else it is all left to the background."""
    for_later: list[SourceRequest] = field(default_factory=list)
    clean: "list[Report]" = field(default_factory=list)

    def run(self) -> int:
        """Review what git is about to take; 0 lets it go on.

        Raises:
            DsreviewError: nothing, or not all, could be reviewed.
        """
        self._expect_nothing()
        place = self.call.place
        repository = find_repository(place.folder, place.git_dir)
        folder = folder_of(repository.git_dir)
        if has_news(folder):
            from dsreview.githook.showing import show_news

            show_news(folder, place, self.stream)
        try:
            for request in changes_of(self.call):
                self._look_at(request, folder)
        finally:  # also where a change behind it fails
            if self.for_later:
                self._leave(folder, (repository.worktree or repository.git_dir).name)
        is_quiet = self.for_later or self.standing.verdict or self.call.is_of_framework
        if self.clean and not is_quiet:
            from dsreview.githook.verdict import all_well

            self.stream.write(f"{all_well(self.clean)}\n")
        return self.standing.verdict

    def _expect_nothing(self) -> None:
        """From now on there is something that the deadline could cut off."""
        self.deadline.exit_code = self.standing.code()
        late = f"not done within {self.deadline.seconds:g} s"
        self.deadline.last_words = self.standing.words(late)

    def _look_at(self, request: SourceRequest, folder: Path) -> None:
        self._expect_nothing()
        with ExitStack() as stack:
            repository = find_repository(request.folder, request.git_dir)
            room = stack.enter_context(CleanRoom(repository))
            if request.index is not None and not _may_hold_code(room, request.index):
                return
            from dsreview.sources import change_in

            change = change_in(room, request)
            config = load(change.settings, self.flags, user_file=user_config_file())
            self.standing.is_strict = config.strict
            if not _is_worth_a_review(change, config):
                self._say_what_is_excluded(change, config)
                return
            # what HEAD is now, since it moves when the hook has returned
            onto = change.base_name if request.is_staged else None
            pinned = replace(request, onto=onto)
            if config.mode == BACKGROUND:
                self.has_waited = False
                self.for_later.append(pinned)
                return
            self.deadline.move(config.deadline_s)
            self._expect_nothing()
            self._review(change, config, pinned, folder, stack)

    def _say_what_is_excluded(self, change: "Change", config: Config) -> None:
        """What the user left out is nothing new to the user."""
        from dsreview.githook.excluded import words_on_excluded

        own = load(None, self.flags, user_file=user_config_file())
        is_own = config.exclude == own.exclude
        words = words_on_excluded(change, () if is_own else config.exclude)
        if words:
            self.stream.write(f"{words}\n")

    def _review(
        self,
        change: "Change",
        config: Config,
        request: SourceRequest,
        folder: Path,
        stack: ExitStack,
    ) -> None:
        budget_s = min(config.budget_s or self.deadline.budget_s, self.deadline.budget_s)
        report = self.review(change, replace(config, budget_s=budget_s), stack)
        goes_on = config.finish and bool(report.gaps) and self.deadline.is_near
        if goes_on:
            self.for_later.append(request)
        self.deadline.exit_code, self.deadline.last_words = self.standing.verdict, ""
        left = self._offered(report, change, config, request)
        from dsreview.githook.showing import finish
        from dsreview.githook.verdict import is_clean, verdict_on

        verdict = verdict_on(
            left or report,
            config,
            self.call.name,
            goes_on=goes_on,
            is_index_kept=self.call.is_index_kept,
        )
        self.standing.verdict = self.standing.verdict or verdict.exit_code
        self.deadline.exit_code = self.standing.verdict
        if is_clean(report):
            self.clean.append(report)
        is_shown = left is not None
        finish(report, change, verdict, self.call.name, folder, self.stream, is_shown=is_shown)

    def _offered(
        self, report: "Report", change: "Change", config: Config, request: SourceRequest
    ) -> "Report | None":
        """What a person leaves of the findings; None where nobody was asked."""
        if not (config.interactive and report.findings) or self.call.is_of_framework:
            self.deadline.disarm()
            return None
        self.deadline.stop()  # a person takes the time that it takes
        return self.offer(report, change, config, request)

    def _leave(self, folder: Path, name: str) -> None:
        from dsreview.githook import background

        requests, flags = tuple(self.for_later), dict(self.flags)
        background.start(background.Job(self.call.name, folder, name, requests, flags))
        if self.has_waited:  # and was told in the report
            return
        self.stream.write(
            "dsreview: reviewing in the background; the next hook shows what it finds, "
            "`dsreview last` shows it sooner\n"
        )


def _may_hold_code(room: CleanRoom, index: bytes) -> bool:
    """Whether any file that is staged could be reviewed, by its name: the settings are not read."""
    paths = changed_paths(room, index, resolve_head(room) or room.empty_tree)
    if not paths:
        return paths is None
    from dsreview.name_rules import left_out_by_name

    return any(left_out_by_name(path) is None for path in paths)


def _is_worth_a_review(change: "Change", config: Config) -> bool:
    """Something is left to review once all is left out that the user knows of."""
    if not change.patch.files:
        return False
    from dsreview.selection import ignores, leaves_anything

    ignored = ignores(change.settings, config.exclude)
    if leaves_anything(change, ignored, has_model=False):
        return True
    if not leaves_anything(change, ignored, has_model=True):
        return False
    from dsreview.model_choice import chosen_backend  # imports what can talk to models

    return chosen_backend(config) is not None
