"""How bad a finding is."""

from enum import Enum


class Severity(Enum):
    """How much harm, in ascending order; the value is the definition users read."""

    LOW = "confusing or wasteful, no wrong result"
    MEDIUM = "a wrong result in an unusual case, or a failure that is noticed and easily undone"
    HIGH = "a wrong result, crash or leak in ordinary use"
    CRITICAL = "data loss, or code or secrets open to an attacker"

    @property
    def label(self) -> str:
        return self.name.lower()

    @property
    def rank(self) -> int:
        return list(Severity).index(self)

    @classmethod
    def of(cls, label: str) -> "Severity":
        """Raises KeyError where `label` is none of low, medium, high, critical."""
        return cls[label.upper()]
