import pytest

from dsreview.sandbox import Limits, Sandbox


@pytest.fixture
def sandbox():
    """Impatient: what is too slow for it is slow by design."""
    with Sandbox(Limits(wall_s=1.0, cpu_s=5, memory_bytes=512 << 20)) as sandbox:
        yield sandbox
