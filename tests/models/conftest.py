import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A folder that dsengine loads: random weights, two layers."""
    pytest.importorskip("torch")
    from dsengine.testing import write_model

    return write_model(tmp_path_factory.mktemp("tiny"), "llama", ["a few words"])
