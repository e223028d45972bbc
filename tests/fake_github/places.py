"""Where in the world a request points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from dsreview.fake_github.bodies import Bodies
from dsreview.fake_github.replies import Call, Refused
from dsreview.fake_github.world import Pull, Repository, World


class _HasId(Protocol):
    id: int


Thing = TypeVar("Thing", bound=_HasId)


def not_found() -> Refused:
    return Refused(404, "Not Found")


def find_by_id(things: Sequence[Thing], wanted: str) -> Thing:
    """Raises: Refused, 404, where there is none."""
    for thing in things:
        if str(thing.id) == wanted:
            return thing
    raise not_found()


@dataclass(frozen=True, slots=True)
class Place:
    world: World
    repository: Repository
    call: Call

    @property
    def pull(self) -> Pull:
        """Raises: Refused, 404, where the repository has no such pull request."""
        holes = self.call.holes
        number = holes.get("pull_number") or holes["issue_number"]
        pull = self.repository.pulls.get(int(number)) if number.isdecimal() else None
        if pull is None:
            raise not_found()
        return pull

    @property
    def bodies(self) -> Bodies:
        return Bodies(self.call.base, self.repository)


def place_of(world: World, call: Call) -> Place:
    """Raises: Refused, 404, where the repository does not exist or the token cannot see it."""
    name = f"{call.holes['owner']}/{call.holes['repo']}"
    repository = world.repositories.get(name.lower())
    if repository is None:
        raise not_found()
    if repository.is_private and not call.token.permissions:
        raise not_found()
    return Place(world, repository, call)
