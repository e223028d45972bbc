"""Everything that goes wrong on the way, at every point of it."""

import pytest

SOME = (
    ("502-after", "review"),
    ("422-last-comment", "review"),
    ("token-revoked-after", "review"),
    ("502-always-after", "summary"),
    ("502-always", "threads"),
    ("draft-before", "login"),
    ("draft-after", "review"),
)


@pytest.mark.parametrize(("name", "point"), SOME)
def test_nothing_is_lost_or_posted_twice_whatever_goes_wrong(faults, name, point):
    (fault,) = (fault for fault in faults.FAULTS if fault.name == name)
    assert list(faults.run_fault(fault, point).problems) == []


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_nothing_is_lost_or_posted_twice_at_any_fault_of_the_table(faults):
    assert len({fault.name for fault in faults.FAULTS}) >= 40
    endings = [faults.run_fault(fault, point) for fault in faults.FAULTS for point in faults.POINTS]
    assert [problem for ending in endings for problem in ending.problems] == []
