"""What git's own filters do to a file on its way into the index, undone by looking.

git converts line ends and LFS content because of configuration and attributes,
which are not read here; the content that is stored already tells enough.
"""

import hashlib
import re

_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n"
)


def as_git_stores(content: bytes, stored: bytes) -> bytes:
    """The content of a worktree file as git would store it over `stored`.

    >>> as_git_stores(b"a\\r\\nc\\r\\n", b"a\\nb\\n")
    b'a\\nc\\n'
    """
    if _POINTER.fullmatch(stored):
        return content if _POINTER.fullmatch(content) else _pointer_to(content)
    if b"\0" in content:
        return content
    if content.replace(b"\r\n", b"\n") == stored.replace(b"\r\n", b"\n"):
        return stored
    was_converted = b"\r\n" in content and content.count(b"\n") == content.count(b"\r\n")
    if was_converted and b"\r\n" not in stored:
        return content.replace(b"\r\n", b"\n")
    return content


def _pointer_to(content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    ).encode()
