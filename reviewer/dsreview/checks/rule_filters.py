"""What YAML cannot say of a match: named in a rule's `metadata.dsreview.filters`.

They run in the sandbox, on ast-grep's nodes.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ast_grep_py import SgNode

FILTERS: "dict[str, Callable[[SgNode], bool]]" = {}
"""Each says whether the match counts."""
