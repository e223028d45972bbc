"""What a backend is opened with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BackendSettings:
    """All of it comes from the user, nothing from the repository under review."""

    model: str
    """`local`: a folder or a cached name; `http`: a served name; `scripted`: a JSON file."""
    device: str = "auto"
    batch_size: int = 8
    """Prompts at once: rows of a batch, or parallel requests."""
    base_url: str = ""
    """`http`: address of the server, for example `http://127.0.0.1:11434/v1`."""
    api_key: str = ""
    """`http`: sent as a bearer token; empty for none."""
    max_tokens: int = 8_192
    """`http`: the window to assume; servers do not say theirs."""
