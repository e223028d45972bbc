"""Which scopes of a changed file hold its lines."""

from dsreview.change import ChangedFile
from dsreview.languages.base import ScopeKind
from dsreview.languages.scopes import Scope, chains_of
from dsreview.languages.tasks import SCOPES_AT, ScopesRequest
from dsreview.sandbox import Sandbox

__all__ = ["Scope", "ScopeKind", "find_scopes", "qualified_name"]


def find_scopes(
    file: ChangedFile, lines: tuple[int, ...], sandbox: Sandbox
) -> tuple[tuple[Scope, ...], ...]:
    """For each of `lines`, the scopes around it, outermost first.

    Raises TaskFailed where the file could not be parsed.
    """
    source = file.source
    reply = sandbox.call(SCOPES_AT, ScopesRequest(file.language, source, lines))
    return chains_of(reply.scopes, lines)


def qualified_name(chain: tuple[Scope, ...]) -> str:
    """What a finding on a line with that chain is said to be in; "" at top level.

    Closures without a name are left out: their name would say nothing.
    """
    named = [scope.name for scope in chain if not scope.name.endswith("<lambda>")]
    return named[-1] if named else ""
