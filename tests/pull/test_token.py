"""The environment that is left once the token is given away."""

import pytest

from dsreview.cli.pull_token import take_token, without_credentials
from dsreview.errors import UsageError
from dsreview.outputs.github_pr.client import GITHUB

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
    assert take_token({"GITHUB_TOKEN": f" {TOKEN}\n", "GH_TOKEN": "x"}, None, GITHUB) == TOKEN
    assert take_token({"GITHUB_TOKEN": "", "GH_TOKEN": TOKEN}, None, GITHUB) == TOKEN


ENTERPRISE = "https://ghe.example/api/v3"
OF_ENTERPRISE = {"GITHUB_API_URL": ENTERPRISE, "GITHUB_SERVER_URL": "https://ghe.example"}
ON_GITHUB = {"GITHUB_API_URL": GITHUB, "GITHUB_SERVER_URL": "https://github.com"}


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"GITHUB_TOKEN": TOKEN}, GITHUB),
        ({"GITHUB_TOKEN": TOKEN} | ON_GITHUB, GITHUB),
        ({"GITHUB_TOKEN": TOKEN} | OF_ENTERPRISE, ENTERPRISE),
        ({"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": ENTERPRISE}, ENTERPRISE),
        ({"GITHUB_TOKEN": TOKEN, "GITHUB_SERVER_URL": "https://GHE.example/"}, ENTERPRISE),
        ({"GITHUB_TOKEN": "x", "GH_ENTERPRISE_TOKEN": TOKEN} | ON_GITHUB, ENTERPRISE),
        ({"GH_TOKEN": "x", "GITHUB_ENTERPRISE_TOKEN": TOKEN}, ENTERPRISE),
        ({"GITHUB_TOKEN": "x", "GH_ENTERPRISE_TOKEN": TOKEN} | OF_ENTERPRISE, ENTERPRISE),
        ({"GITHUB_TOKEN": TOKEN, "GH_ENTERPRISE_TOKEN": "x"}, GITHUB),
    ],
)
def test_a_token_is_sent_to_the_server_that_it_is_of(environment, address):
    assert take_token(environment, None, address) == TOKEN


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({"GITHUB_TOKEN": TOKEN}, ENTERPRISE),
        ({"GH_TOKEN": TOKEN} | ON_GITHUB, ENTERPRISE),
        ({"GITHUB_TOKEN": TOKEN} | OF_ENTERPRISE, GITHUB),
        ({"GITHUB_TOKEN": TOKEN} | OF_ENTERPRISE, "https://other.example/api/v3"),
        ({"GITHUB_TOKEN": TOKEN}, "https://github.com.evil.example/api/v3"),
        ({"GH_ENTERPRISE_TOKEN": TOKEN}, GITHUB),
    ],
)
def test_and_to_no_other(environment, address):
    with pytest.raises(UsageError, match=r"no token for .*--token-fd N") as raised:
        take_token(environment, None, address)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "\u00e9", "x" * 5000, "\x00"])
def test_what_is_no_token_is_not_quoted(text):
    with pytest.raises(UsageError) as raised:
        take_token({"GITHUB_TOKEN": text}, None, GITHUB)
    assert str(raised.value) == "GITHUB_TOKEN: holds no token"
