"""What a prompt is made of."""

from collections.abc import Sequence
from dataclasses import dataclass

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a message.

    No piece can become a control token. An untrusted one cannot become a role marker
    that is written in plain words either (`### Response:`).
    """

    text: str
    is_trusted: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; `role` is system, user or assistant."""

    role: str
    pieces: tuple[Piece, ...]

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"role {self.role!r} is none of: {', '.join(ROLES)}")

    @property
    def text(self) -> str:
        return "".join(piece.text for piece in self.pieces)


Conversation = Sequence[Message]
