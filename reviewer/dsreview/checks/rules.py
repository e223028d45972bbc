"""Structural rules: a pattern that is wrong wherever it stands, on lines of the change.

A match counts where what the rule is about (its labelled nodes, else the first line of
the match) is on an added line, and the same text was not on a removed line of the change:
code that was only moved or indented anew is not reported.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dsreview import rules as rules_package
from dsreview.change import ChangedFile, Snapshot
from dsreview.checks.base import OUT_OF_TIME, CheckResult, Failure, ignore, never
from dsreview.checks.rule_file import Rule, read_rules
from dsreview.checks.rule_fix import VARIABLE
from dsreview.checks.rule_globs import is_selected
from dsreview.checks.rule_tasks import (
    FIND_MATCHES,
    READ_TEAM_RULES,
    Match,
    MatchRequest,
    RuleSource,
)
from dsreview.errors import RuleError, TaskFailed
from dsreview.finding import Edit, Finding, Origin, Suggestion
from dsreview.patch import FilePatch, LineKind, Span, split_lines
from dsreview.sandbox import Sandbox

TEAM_FOLDER = ".dsreview/rules/"

FAMILIES = (("javascript", "typescript", "tsx"), ("c", "cpp"))
"""Languages whose folders may hold rules for each other."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules that came with dsreview, read when they are needed, and a team's own."""

    has_builtin: bool
    team: tuple[Rule, ...] = ()

    @classmethod
    def builtin(cls) -> "RuleSet":
        return cls(has_builtin=True)

    def with_team_rules(self, base: Snapshot, sandbox: Sandbox) -> "RuleSet":
        """Adds those of `.dsreview/rules`; one with the id of another takes its place.

        Raises:
            RuleError: a file that cannot be used, naming it and the key; an id given twice.
        """
        added: dict[str, Rule] = {}
        for path in base.paths():
            if not (path.startswith(TEAM_FOLDER) and path.endswith((".yml", ".yaml"))):
                continue
            for rule in _read_team_file(path, base, sandbox):
                if rule.id in added:
                    raise RuleError(f"{path}: id {rule.id!r} is taken by another of your rules")
                added[rule.id] = rule
        return replace(self, team=tuple(added.values()))

    def replaced(self, languages: Iterable[str]) -> tuple[str, ...]:
        """Ids of the built-in rules for `languages` whose place a team's own takes."""
        team = {rule.id for rule in self.team}
        if not team:
            return ()
        return tuple(rule.id for rule in self._builtin(sorted(set(languages))) if rule.id in team)

    def by_language(self, languages: Iterable[str]) -> Mapping[str, tuple[Rule, ...]]:
        """The rules for each of `languages`, without those that are switched off."""
        wanted = sorted(set(languages))
        replaced = {rule.id for rule in self.team}
        listed = [rule for rule in self._builtin(wanted) if rule.id not in replaced]
        listed.extend(self.team)
        return {
            language: tuple(
                rule for rule in listed if language in rule.languages and rule.severity is not None
            )
            for language in wanted
        }

    def _builtin(self, languages: Sequence[str]) -> list[Rule]:
        if not self.has_builtin:
            return []
        folders = sorted({folder for language in languages for folder in _family(language)})
        return [rule for folder in folders for rule in _read_folder(folder)]


def find_by_rules(
    files: Sequence[ChangedFile],
    rules: RuleSet,
    sandbox: Sandbox,
    is_over: Callable[[], bool] = never,
    on_file: Callable[[], None] = ignore,
) -> CheckResult:
    """What the rules find on the added lines of `files`; spans count lines of their texts.

    Args:
        is_over: asked before each file; from when it says so, files become failures.
        on_file: called after each file.
    """
    known = rules.by_language(file.language for file in files)
    failures: list[Failure] = []
    found: list[tuple[ChangedFile, Rule, Match]] = []
    for file in files:
        if is_over():
            failures.append(Failure(file.path, OUT_OF_TIME))
            continue
        applicable = {
            rule.id: rule for rule in known[file.language] if is_selected(rule, file.path)
        }
        try:
            matches = _matches(file, tuple(applicable.values()), sandbox)
        except TaskFailed as error:
            failures.append(Failure(file.path, str(error)))
            continue
        finally:
            on_file()
        found.extend((file, applicable[match.rule], match) for match in matches)
    moved = _removed(files, {rule.id: rule for _, rule, _ in found}, sandbox)
    findings: list[Finding] = []
    for file, rule, match in found:
        if moved[match.rule, match.key]:
            moved[match.rule, match.key] -= 1
        else:
            findings.append(_finding(file, rule, match))
    return CheckResult(tuple(findings), tuple(failures))


def _read_team_file(path: str, base: Snapshot, sandbox: Sandbox) -> tuple[Rule, ...]:
    content = base.read(path)
    if content is None:
        return ()
    try:
        reading = sandbox.call(READ_TEAM_RULES, RuleSource(path, content))
    except TaskFailed as error:
        raise RuleError(f"{path}: {error}") from error
    if reading.problem:
        raise RuleError(reading.problem)
    return reading.rules


def _family(language: str) -> tuple[str, ...]:
    return next((family for family in FAMILIES if language in family), (language,))


def _read_folder(language: str) -> list[Rule]:
    folder = Path(*rules_package.__path__) / language
    return [
        rule
        for path in sorted(folder.glob("*.yml"))
        for rule in read_rules(path.read_bytes(), path.name)
    ]


def _matches(file: ChangedFile, rules: tuple[Rule, ...], sandbox: Sandbox) -> tuple[Match, ...]:
    lines = tuple(sorted(file.patch.added_lines))
    if not rules or not lines:
        return ()
    request = MatchRequest(file.language, file.source, rules, lines)
    return sandbox.call(FIND_MATCHES, request).matches


def _removed(
    files: Sequence[ChangedFile], rules: Mapping[str, Rule], sandbox: Sandbox
) -> Counter[tuple[str, str]]:
    """How often each match stood on lines that the change removed, in any of its files."""
    removed: Counter[tuple[str, str]] = Counter()
    for file in files if rules else ():
        lines = _removed_lines(file.patch)
        applicable = tuple(rule for rule in rules.values() if file.language in rule.languages)
        if not lines or not applicable or file.old_text is None:
            continue
        request = MatchRequest(file.language, _encoded(file.old_text), applicable, lines)
        try:
            matches = sandbox.call(FIND_MATCHES, request).matches
        except TaskFailed:  # then nothing of it counts as moved
            continue
        removed.update((match.rule, match.key) for match in matches)
    return removed


def _removed_lines(patch: FilePatch) -> tuple[int, ...]:
    return tuple(
        line.old_number
        for hunk in patch.hunks
        for line in hunk.lines
        if line.kind is LineKind.REMOVED and line.old_number is not None
    )


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _finding(file: ChangedFile, rule: Rule, match: Match) -> Finding:
    assert rule.severity is not None  # `by_language` leaves such rules out
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        path=file.path,
        span=Span(match.start_line, match.stop_line),
        quote=file.text[match.quote_start : match.quote_stop],
        message=_filled(rule.message, match),
        scenario=_filled(rule.scenario, match),
        confidence=rule.confidence,
        origin=Origin.RULE,
        suggestion=_suggestion(file.text, match),
    )


def _filled(template: str, match: Match) -> str:
    return VARIABLE.sub(lambda variable: match.captures.get(variable[0], ""), template)


def _suggestion(text: str, match: Match) -> Suggestion | None:
    """The fix as whole lines: what stands around the match on its lines stays."""
    if match.fixed is None:
        return None
    line_start = text.rfind("\n", 0, match.start) + 1
    line_stop = text.find("\n", match.stop)
    line_stop = len(text) if line_stop < 0 else line_stop
    edited = text[line_start : match.start] + match.fixed + text[match.stop : line_stop]
    start = text.count("\n", 0, line_start) + 1
    stop = start + text.count("\n", line_start, line_stop) + 1
    lines = tuple(line.removesuffix("\r") for line in split_lines(edited))
    return Suggestion(Edit(Span(start, stop), lines))
