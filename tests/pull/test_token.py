"""The environment that is left once the token is given away."""

import pytest

from dsreview.cli.pull_token import take_token, without_credentials
from dsreview.errors import UsageError

TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyzA"


def test_the_token_and_its_like_are_gone_under_every_name():
    kept = {"PATH": "/bin", "HOME": "/home/x", "DSREVIEW_MODEL": "m", "OPENAI_API_KEY": "other"}
    given = kept | {
        "GITHUB_TOKEN": TOKEN,
        "GH_TOKEN": "another",
        "INPUT_TOKEN": TOKEN,
        "AUTHORIZATION": f"Bearer {TOKEN}",
        "ACTIONS_RUNTIME_TOKEN": "x",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
    }
    assert without_credentials(given, TOKEN) == kept


def test_a_short_token_takes_no_other_variable_along():
    assert without_credentials({"PATH": "/bin", "A": "b"}, "b") == {"PATH": "/bin"}


def test_the_first_name_that_is_set_counts():
    assert take_token({"GITHUB_TOKEN": f" {TOKEN}\n", "GH_TOKEN": "x"}, None) == TOKEN
    assert take_token({"GITHUB_TOKEN": "", "GH_TOKEN": TOKEN}, None) == TOKEN


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "\u00e9", "x" * 5000, "\x00"])
def test_what_is_no_token_is_not_quoted(text):
    with pytest.raises(UsageError) as raised:
        take_token({"GITHUB_TOKEN": text}, None)
    assert str(raised.value) == "GITHUB_TOKEN: holds no token"
