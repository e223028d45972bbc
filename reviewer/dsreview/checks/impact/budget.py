"""The time that the checks may take, asked between files and between names."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from dsreview.checks.base import never

T = TypeVar("T")


@dataclass(slots=True)
class Budget:
    """Remembers whether something was left undone for lack of time."""

    is_over: Callable[[], bool] = never
    is_used_up: bool = False

    def ask(self) -> bool:
        self.is_used_up = self.is_used_up or self.is_over()
        return self.is_used_up

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """The items, as long as there is time; time that ends behind the last is enough."""
        for item in items:
            if self.ask():
                return
            yield item
