"""What programs read: the promises of each format's own specification."""

import json
from dataclasses import replace
from importlib.resources import files
from urllib.parse import unquote_to_bytes

import jsonschema
import pytest

from dsreview.finding import Severity, fingerprints
from dsreview.outputs import OUTPUTS
from dsreview.patch import Span, split_lines
from dsreview.report import Coverage, CoverageState, Report, Stats, Status


@pytest.fixture(scope="module")
def schema():
    text = files("dsreview.outputs").joinpath("report.schema.json").read_text("utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


@pytest.fixture
def written(report, code):
    return lambda name: json.loads(OUTPUTS[name](report, code))


@pytest.fixture
def edited(report, code):
    """Each file with a suggestion, before and after it, by the definition of an edit."""

    def apply(finding):
        lines = code.lines(finding.path)
        edit = finding.suggestion.edit
        end = "\r" if lines and lines[0].endswith("\r") else ""
        new = [f"{line}{end}" for line in edit.lines]
        lines[edit.span.start - 1 : edit.span.stop - 1] = new
        return "".join(f"{line}\n" for line in lines)

    return {finding.rule: apply(finding) for finding in report.findings if finding.suggestion}


def test_the_schema_is_a_schema(schema):
    schema.check_schema(schema.schema)


def test_json_keeps_the_promises_of_its_schema(written, schema):
    schema.validate(written("json"))


def test_json_says_what_the_report_says(written, report):
    made = written("json")
    assert made["status"] == "partial"
    assert [found["rule"] for found in made["findings"]] == [
        found.rule for found in report.findings
    ]
    assert [row["path"] for row in made["coverage"]] == [
        "src/store.py",
        "cmd/server/close.go",
        "web/größe/名前.js",
        "a[/b].py",
        "generated.sql",
        "old/removed.py",
        "web/app.min.js",
        "yarn.lock",
        "img/\x1b[2Jlogo\ufffd.png",
    ]
    assert made["verdict"]["critical"] == 1
    assert made["stats"]["tokens_per_second"] == 31.0
    assert [refusal["reason"] for refusal in made["refused"]] == ["parses", "parses", "new-names"]


def test_json_writes_a_gap_as_an_empty_range(written):
    gap = next(found for found in written("json")["findings"] if found["rule"] == "lost-check")
    assert (gap["start_line"], gap["end_line"]) == (4, 3)
    assert (gap["suggestion"]["start_line"], gap["suggestion"]["end_line"]) == (4, 3)


def test_json_writes_what_is_not_utf8_as_a_replacement_character(written):
    scope = next(
        found["scope"] for found in written("json")["findings"] if found["path"] == "a[/b].py"
    )
    assert scope == "caf\ufffd"


def test_json_suggestions_do_what_their_edits_do(written, code, edited):
    for found in written("json")["findings"]:
        if not found["suggestion"]:
            continue
        lines = code.lines(found["path"])
        end = "\r" if lines[0].endswith("\r") else ""
        new = [f"{line}{end}" for line in split_lines(found["suggestion"]["replacement"])]
        lines[found["suggestion"]["start_line"] - 1 : found["suggestion"]["end_line"]] = new
        assert "".join(f"{line}\n" for line in lines) == edited.pop(found["rule"])
    assert edited == {}


def offset_in(content, position):
    """Byte offset of a position of rdjson: lines from 1, columns in bytes from 1."""
    starts = [0]
    for line in content.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    return starts[position["line"] - 1] + position["column"] - 1


def test_rdjson_suggestions_do_what_their_edits_do(written, code, edited):
    for found in written("rdjson")["diagnostics"]:
        for suggestion in found.get("suggestions", ()):
            content = code.head.read(found["location"]["path"])
            start = offset_in(content, suggestion["range"]["start"])
            end = offset_in(content, suggestion["range"]["end"])
            made = content[:start] + suggestion["text"].encode() + content[end:]
            assert made.decode("utf-8", "surrogateescape") == edited.pop(found["code"]["value"])
    assert edited == {}


def test_rdjson_columns_count_bytes(written):
    found = next(one for one in written("rdjson")["diagnostics"] if "Zähler" in one["message"])
    line = "  get naïve() { return this.Zähler = 1; } // ein sehr langer Kommentar, der weit über jede vernünftige Breite eines Fensters hinausgeht"
    assert found["location"]["range"]["end"] == {"line": 2, "column": len(line.encode()) + 1}


def test_rdjson_has_only_known_keys(written):
    made = written("rdjson")
    assert set(made) == {"source", "diagnostics"}
    for found in made["diagnostics"]:
        assert set(found) <= {"message", "location", "severity", "code", "suggestions"}
        assert found["severity"] in {"ERROR", "WARNING", "INFO"}


def test_gitlab_issues_have_what_gitlab_wants(written, report):
    issues = written("gitlab")
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == len(report.findings)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1


def run_of(sarif):
    assert sarif["version"] == "2.1.0"
    [run] = sarif["runs"]
    return run


def test_sarif_has_what_github_wants(written, report):
    run = run_of(written("sarif"))
    rules = run["tool"]["driver"]["rules"]
    assert all(
        rule[key]["text"]
        for rule in rules
        for key in ("shortDescription", "fullDescription", "help")
    )
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result, finding, name in zip(
        run["results"], report.findings, fingerprints(report.findings), strict=True
    ):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        assert result["level"] in {"note", "warning", "error"}
        assert result["partialFingerprints"] == {"primaryLocationLineHash": f"{name}:1"}
        [location] = result["locations"]
        region = location["physicalLocation"]["region"]
        assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert 1 <= region["startLine"] <= region["endLine"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii()
        assert unquote_to_bytes(uri).decode() == finding.path


def test_sarif_fixes_do_what_their_edits_do(written, code, edited):
    for result in run_of(written("sarif"))["results"]:
        for fix in result.get("fixes", ()):
            [change] = fix["artifactChanges"]
            [replacement] = change["replacements"]
            region = replacement["deletedRegion"]
            assert region["startColumn"] == region["endColumn"] == 1
            path = unquote_to_bytes(change["artifactLocation"]["uri"]).decode()
            lines = code.lines(path)
            new = split_lines(replacement.get("insertedContent", {"text": ""})["text"])
            lines[region["startLine"] - 1 : region["endLine"] - 1] = new
            made = "".join(f"{line}\n" for line in lines)
            assert made == edited.pop(result["ruleId"])
    assert edited == {}


def test_sarif_says_what_was_not_reviewed(written):
    [invocation] = run_of(written("sarif"))["invocations"]
    words = [one["message"]["text"] for one in invocation["toolExecutionNotifications"]]
    assert any("web/app.min.js: skipped" in text for text in words)


def test_sarif_makes_no_link_of_brackets(report, code):
    linked = replace(report.findings[0], message="see [here](https://evil.example)")
    text = OUTPUTS["sarif"](replace(report, findings=(linked,)), code)
    assert "](" not in json.loads(text)["runs"][0]["results"][0]["message"]["text"]


def test_sarif_leaves_out_what_github_does_not_show_and_says_so(report, code):
    many = tuple(replace(report.findings[0], span=Span(n, n + 1)) for n in range(1, 5_101))
    run = run_of(json.loads(OUTPUTS["sarif"](replace(report, findings=many), code)))
    assert len(run["results"]) == 5_000
    words = run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]
    assert words == "100 findings beyond the first 5000 are left out"


def annotations(text):
    *commands, verdict = text.splitlines()
    assert verdict.startswith("dsreview: ")
    return [(*command.removeprefix("::").split(" ", 1),) for command in commands]


@pytest.mark.parametrize("severity", Severity)
def test_github_shows_ten_of_a_level_and_counts_the_rest(severity, report, code):
    many = tuple(
        replace(report.findings[0], severity=severity, span=Span(n, n + 1)) for n in range(1, 31)
    )
    coverage = (Coverage("src/store.py", CoverageState.REVIEWED),)
    made = Report(Status.COMPLETE, many, coverage, Stats())
    commands = annotations(OUTPUTS["github"](made, code))
    levels = [level for level, _ in commands]
    assert max(levels.count(level) for level in levels) <= 10
    num_shown = len(commands) - 1
    assert f"{30 - num_shown} more findings than GitHub shows" in commands[-1][1]


def test_github_warns_where_not_everything_was_reviewed(report, code):
    text = OUTPUTS["github"](replace(report, findings=()), code)
    [(level, rest)] = annotations(text)
    assert level == "warning"
    assert "web/app.min.js: a line is longer than 10 MB" in rest
    assert text.endswith(
        "dsreview: 0 findings in 6 files; 1 file only partly reviewed; 1 file not reviewed; 2 files excluded\n"
    )


SAYING_COVERAGE = ["terminal", "json", "markdown", "sarif", "github"]
CLEAN = Report(Status.COMPLETE, (), (Coverage("a.py", CoverageState.REVIEWED),), Stats())


@pytest.mark.parametrize("name", SAYING_COVERAGE)
def test_a_clean_review_says_so(name, code):
    assert "no findings in 1 file" in OUTPUTS[name](CLEAN, code)


def test_a_clean_review_has_no_issues_and_no_diagnostics(code):
    assert json.loads(OUTPUTS["gitlab"](CLEAN, code)) == []
    assert json.loads(OUTPUTS["rdjson"](CLEAN, code))["diagnostics"] == []


@pytest.mark.parametrize("name", SAYING_COVERAGE)
def test_a_review_that_did_not_see_all_never_reads_as_clean(name, code):
    made = Report(
        Status.PARTIAL, (), (Coverage("a.py", CoverageState.SKIPPED, "out of time"),), Stats()
    )
    text = OUTPUTS[name](made, code)
    assert "0 findings in 0 files; 1 file not reviewed" in text
    assert "out of time" in text
    assert "no findings" not in text
