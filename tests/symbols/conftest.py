import pytest

from dsreview.sandbox import Sandbox
from dsreview.symbols.tasks import READ_SYMBOLS, SymbolsRequest


@pytest.fixture(scope="session")
def sandbox():
    with Sandbox() as started:
        yield started


@pytest.fixture
def facts_of(sandbox):
    def read(language, source):
        return sandbox.call(READ_SYMBOLS, SymbolsRequest(language, source.encode()))

    return read
