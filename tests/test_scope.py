import pytest

from dsreview.change import ChangedFile
from dsreview.errors import TaskFailed
from dsreview.patch import FilePatch, FileStatus
from dsreview.sandbox import Sandbox
from dsreview.scope import find_scopes, qualified_name

SOURCE = """\
class A:
    def f(self):
        return [x for x in sorted(self.y,
            key=lambda z: z.w)]


def g(): pass
"""


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def file_of(text, language="python"):
    patch = FilePatch("a.py", "a.py", FileStatus.ADDED, 0, 0o100644)
    return ChangedFile("a.py", language, patch, None, text)


@pytest.mark.parametrize(
    ("line", "expected"),
    [(1, "A"), (2, "A.f"), (3, "A.f"), (4, "A.f"), (5, ""), (7, "g"), (99, "")],
)
def test_a_line_is_in_its_innermost_scope_with_a_name(sandbox, line, expected):
    (chain,) = find_scopes(file_of(SOURCE), (line,), sandbox)
    assert qualified_name(chain) == expected


def test_chains_come_in_the_order_of_the_lines(sandbox):
    chains = find_scopes(file_of(SOURCE), (7, 2, 7), sandbox)
    assert [qualified_name(chain) for chain in chains] == ["g", "A.f", "g"]


def test_text_that_is_not_utf8_has_scopes(sandbox):
    text = b"def f():\n    return '\xff'\n".decode("utf-8", "surrogateescape")
    (chain,) = find_scopes(file_of(text), (2,), sandbox)
    assert qualified_name(chain) == "f"


def test_a_file_too_large_to_parse_is_a_failed_task(sandbox):
    with pytest.raises(TaskFailed, match="larger than the 1,000,000 bytes"):
        find_scopes(file_of("x = 1\n" * 200_000), (1,), sandbox)
