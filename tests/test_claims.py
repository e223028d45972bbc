import pytest

from dsreview.claims import Claim, ClaimKind, claims

UNDEFINED, ABSENT = ClaimKind.UNDEFINED, ClaimKind.ABSENT
UNUSED, DUPLICATE = ClaimKind.UNUSED, ClaimKind.DUPLICATE


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("`load` is not defined.", UNDEFINED),
        ("The function `load()` is never defined.", UNDEFINED),
        ("'load' has not been imported", UNDEFINED),
        ("`load` is not imported in this file.", UNDEFINED),
        ("It calls the undefined function `load`.", UNDEFINED),
        ("There is a missing import for `load`.", UNDEFINED),
        ("The import of `load` is missing.", UNDEFINED),
        ("It is called without importing `load`.", UNDEFINED),
        ("`load` does not exist.", ABSENT),
        ("The method `load` doesn't exist", ABSENT),
        ("No such function `load`.", ABSENT),
        ("There is no function named `load`.", ABSENT),
        ("`load` is never used.", UNUSED),
        ("The variable `load` is unused.", UNUSED),
        ("An unused import `load`.", UNUSED),
        ("`load` is not called anywhere.", UNUSED),
        ("`load` is already defined above.", DUPLICATE),
        ("`load` is defined twice.", DUPLICATE),
        ("Duplicate definition of `load`.", DUPLICATE),
    ],
)
def test_a_plain_statement_about_a_marked_name_is_a_claim(text, kind):
    assert list(claims(text)) == [Claim(kind, "load")]


@pytest.mark.parametrize(
    "text",
    [
        "`total` may be undefined.",
        "`total` is undefined if the loop does not run.",
        "`user` is undefined when the request fails.",
        "When xs is empty, `total` is never used.",
        "`total` overflows.",
        "load is not defined.",
        "`a.b` is not defined.",
        "The check for `None` is missing.",
        "`await` is missing before the call.",
        "",
    ],
)
def test_what_cannot_be_looked_up_is_no_claim(text):
    assert list(claims(text)) == []


def test_a_condition_of_one_sentence_says_nothing_of_the_next():
    text = "It fails if xs is empty. `load` is not defined."
    assert list(claims(text)) == [Claim(UNDEFINED, "load")]
