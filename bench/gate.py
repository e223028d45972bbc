"""Break true fixes in every way that models do, and count what the gate lets through.

    python bench/gate.py --items humanevalpack.jsonl.xz --history CLONE ... --out gate.jsonl

True fixes come from sets of known bugs (`--items`) and from the history of repositories
(`--history`: git directories): commits that say "fix" and change one file in one place. Each of
them passes the gate as it is, and as one mutant of every kind; nothing of them is executed.
Compilers that are installed say which mutants are no code. A run that was interrupted goes on
with the same `--out`. Prints tables by language and by kind.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from broken_fixes.cases import Case, Setting, of_items
from broken_fixes.histories import of_history
from broken_fixes.judging import Truth, is_no_fix, refusals, truths
from broken_fixes.kinds import Fault, Kind, mutants
from broken_fixes.tables import NO_FIX, NOT_ANCHORED, Row, tables
from broken_fixes.wording import Broken

from dsreview.anchors import Anchor
from dsreview.change import ChangedFile, Snapshot
from dsreview.finding import Edit, Finding, Origin, Proof, Severity, Suggestion
from dsreview.package_words import SHARING
from dsreview.repair import RepairSettings, repair
from dsreview.sandbox import Sandbox
from dsreview.sources import SourceRequest, open_change

TRUE_FIX = "true fix"
_REFUSED = "refused"


def finding(case: Case, place: Anchor, name: str, edit: Edit, quote: str | None) -> Finding:
    return Finding(
        rule=name,
        severity=Severity.HIGH,
        path=case.path,
        span=place.span,
        quote=place.quote if quote is None else quote,
        message=name,
        scenario=name,
        confidence=1.0,
        origin=Origin.MODEL,
        suggestion=Suggestion(edit),
    )


def verdicts(
    findings: list[Finding], file: ChangedFile, head: Snapshot | None, sandbox: Sandbox
) -> Iterator[tuple[str, str, str]]:
    """Verdict, constraint and its message of each suggestion, as a review would have them."""
    result = repair(findings, [file], sandbox, None, RepairSettings(max_rounds=1), head=head)
    reasons = {refusal.rule: refusal for refusal in result.refused}
    for one in result.findings:
        if one.suggestion is not None:
            is_proved = one.suggestion.proof is Proof.VERIFIED
            yield "verified" if is_proved else "not verifiable", "", ""
        else:
            yield _REFUSED, reasons[one.rule].reason, reasons[one.rule].message


def measure(
    case: Case, has_mutants: bool, typescript: Path | None, sandbox: Sandbox
) -> Iterator[Row]:
    is_wrong = has_mutants and is_no_fix(case, typescript)
    made = dict(mutants(case)) if has_mutants and not is_wrong else {}
    judged = refusals(case, made, typescript) if made else None
    truth, has_judge = truths(case, made, judged or set()), judged is not None
    with ExitStack() as stack:
        head = None
        if case.git_dir is not None and case.language in SHARING:
            request = SourceRequest(Path(), commit=case.commit, git_dir=case.git_dir)
            head = stack.enter_context(open_change(request)).head
        chosen = case.randomness("setting").choice(list(Setting))
        for setting in Setting:
            file = case.reviewed(setting)
            place = case.finding(file, setting)
            facts = (case.id, case.source, case.language, setting.value)
            if place is None:
                yield Row(*facts, TRUE_FIX, NOT_ANCHORED, "", "", "", has_judge)
                continue
            tried: dict[Kind, Broken] = made if setting is chosen else {}
            findings = [finding(case, place, TRUE_FIX, case.edit, None)]
            for kind, broken in tried.items():
                findings.append(finding(case, place, kind.name, broken.edit, broken.quote))
            found = verdicts(findings, file, head, sandbox)
            verdict = next(found)
            if is_wrong or (verdict[0] == _REFUSED and is_no_fix(case, typescript)):
                verdict = (NO_FIX, *verdict[1:])
            yield Row(*facts, TRUE_FIX, *verdict, "", has_judge)
            for kind, one in zip(tried, found, strict=True):
                is_answer = not case.edit.span.num_lines and made[kind].edit.span == place.span
                is_quoted = is_answer and truth[kind] is Truth.MADE and kind.fault is Fault.PLACE
                said = Truth.QUOTED if is_quoted and place.span.num_lines else truth[kind]
                yield Row(*facts, kind.name, *one, said.value, has_judge)


def cases(items: list[Path], histories: list[Path], limit: int) -> Iterator[Case]:
    """At most `limit` of each source and language."""
    taken: Counter[tuple[str, str]] = Counter()
    for source in (*items, *histories):
        is_history = source in histories
        label = "/".join(source.absolute().parts[-2:])
        for case in of_history(source, label) if is_history else of_items(source):
            key = (case.source, case.language)
            taken[key] += 1
            if taken[key] <= limit:
                yield case
            elif is_history and sum(taken[k] >= limit for k in taken if k[0] == key[0]):
                break


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=Path, nargs="*", default=[])
    parser.add_argument("--history", type=Path, nargs="*", default=[])
    parser.add_argument("--limit", type=int, default=164, help="fixes of a source and language")
    parser.add_argument("--mutated", type=int, default=50, help="of these, how many are mutated")
    parser.add_argument("--typescript", type=Path, help="folder of the npm package, as a judge")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    rows = read(arguments.out)
    known = {row.case for row in rows}
    started = time.perf_counter()
    mutated: Counter[tuple[str, str]] = Counter()
    with Sandbox() as sandbox, arguments.out.open("a", encoding="utf-8") as out:
        for case in cases(arguments.items, arguments.history, arguments.limit):
            mutated[case.source, case.language] += 1
            if case.id in known:
                continue
            has_mutants = mutated[case.source, case.language] <= arguments.mutated
            new = list(measure(case, has_mutants, arguments.typescript, sandbox))
            out.write("".join(json.dumps(row.fields()) + "\n" for row in new))
            out.flush()
            rows += new
    print(tables(rows))
    print(f"\n{time.perf_counter() - started:.0f} s")
    return 1 if any(row.is_leak for row in rows) else 0


def read(path: Path) -> list[Row]:
    """Whole lines alone: the last one may have been cut, with the case it belongs to."""
    if not path.exists():
        return []
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            rows.append(Row(**json.loads(line)))
        except ValueError:
            continue
    return rows


if __name__ == "__main__":
    sys.exit(main())
