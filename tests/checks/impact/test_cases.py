"""Every case of `tests/cases/impact`: what is found, and where nothing may be found."""


def test_a_case_gives_exactly_its_findings(impact_case, check_case):
    change, result = check_case(impact_case)
    assert result.failures == ()
    found = [(_where(finding), finding) for finding in result.findings]
    expected = [line.split(" | ") for line in impact_case.expected]
    assert sorted(where for where, _ in found) == sorted(row[0] for row in expected)
    for where, *texts in expected:
        told = [f"{one.message} {one.scenario}" for place, one in found if place == where]
        for text in texts:
            assert any(text in one for one in told), told
    for _, finding in found:
        assert _is_on_changed_line(change, finding)


def _where(finding):
    is_gap = finding.span.start == finding.span.stop
    return f"{finding.rule} {finding.path}:{finding.span.start}{'-' if is_gap else ''}"


def _is_on_changed_line(change, finding):
    patch = next(one for one in change.patch.files if one.path == finding.path)
    lines = range(finding.span.start, finding.span.stop)
    return all(n in patch.added_lines for n in lines) if lines else finding.span.start in patch.gaps
