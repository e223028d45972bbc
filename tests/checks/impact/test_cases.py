"""Every case of `tests/cases/impact`: what is found, and where nothing may be found."""


def test_a_case_gives_exactly_its_findings(impact_case, check_case):
    result = check_case(impact_case)
    assert result.failures == ()
    found = [(_where(finding), finding) for finding in result.findings]
    expected = [line.split(" | ") for line in impact_case.expected]
    assert sorted(where for where, _ in found) == sorted(row[0] for row in expected)
    for where, *texts in expected:
        told = [f"{one.message} {one.scenario}" for place, one in found if place == where]
        for text in texts:
            assert any(text in one for one in told), told


def _where(finding):
    is_gap = finding.span.start == finding.span.stop
    return f"{finding.rule} {finding.path}:{finding.span.start}{'-' if is_gap else ''}"


def test_a_finding_is_on_a_changed_line(impact_case, check_case):
    result = check_case(impact_case)
    for finding in result.findings:
        lines = impact_case.after.get(finding.path, "").split("\n")
        before = impact_case.before.get(finding.path, "").split("\n")
        is_gap = finding.span.start == finding.span.stop
        assert is_gap or lines[finding.span.start - 1] not in before or lines != before
        assert finding.scenario
        assert finding.origin == "impact"
