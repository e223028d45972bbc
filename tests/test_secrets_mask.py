"""Planted secrets of every kind are masked wherever they stand; code is left alone."""

import random
import string
import time
from pathlib import Path

import pytest

import dsreview
from dsreview.secrets_mask import KINDS, mask_secrets, secrets_in

HEX, UPPER = "0123456789abcdef", string.ascii_uppercase + string.digits
WORD = string.ascii_letters + string.digits
TEXT = WORD + "-_"
# kind: parts; a number of characters of an alphabet is secret, text is not
SHAPES = {
    "private key": [
        "-----BEGIN RSA PRIVATE KEY-----\n",
        (64, WORD),
        "\n",
        (64, WORD),
        "\n-----END",
    ],
    "AWS access key": ["AKIA", (16, UPPER)],
    "AWS secret key": ["aws_secret_access_key = ", (40, WORD + "/+")],
    "GitHub token": ["ghs_", (36, WORD)],
    "GitHub fine-grained token": ["github_pat_", (22, WORD), "_", (59, WORD)],
    "GitLab token": ["glpat-", (20, TEXT)],
    "Slack token": ["xoxb-", (12, "0123456789"), "-", (24, WORD)],
    "Slack app token": ["xapp-1-", (30, WORD)],
    "Slack webhook": [
        "https://hooks.slack.com/services/T",
        (8, UPPER),
        "/B",
        (8, UPPER),
        "/",
        (24, WORD),
    ],
    "Stripe key": ["sk_live_", (24, WORD)],
    "Google API key": ["AIza", (35, TEXT)],
    "Google client secret": ["GOCSPX-", (28, TEXT)],
    "Google access token": ["ya29.", (60, TEXT)],
    "Anthropic key": ["sk-ant-", (90, TEXT)],
    "OpenAI key": ["sk-proj-", (48, WORD)],
    "Hugging Face token": ["hf_", (34, WORD)],
    "npm token": ["npm_", (36, WORD)],
    "PyPI token": ["pypi-", (150, TEXT)],
    "Twilio key": ["SK", (32, HEX)],
    "SendGrid key": ["SG.", (22, TEXT), ".", (43, TEXT)],
    "Mailgun key": ["key-", (32, HEX)],
    "Mailchimp key": [(32, HEX), "-us12"],
    "Telegram bot token": [(9, "123456789"), ":AA", (33, TEXT)],
    "Discord bot token": ["M", (23, WORD), ".", (6, TEXT), ".", (27, TEXT)],
    "Discord webhook": ["https://discord.com/api/webhooks/", (18, "0123456789"), "/", (68, TEXT)],
    "DigitalOcean token": ["dop_v1_", (64, HEX)],
    "Shopify token": ["shpat_", (32, HEX)],
    "Square token": ["sq0atp-", (22, TEXT)],
    "Databricks token": ["dapi", (32, HEX)],
    "Grafana token": ["glsa_", (32, WORD), "_", (8, HEX)],
    "Vault token": ["hvs.", (90, TEXT)],
    "Terraform token": [(14, WORD), ".atlasv1.", (64, TEXT)],
    "Docker token": ["dckr_pat_", (27, TEXT)],
    "Doppler token": ["dp.pt.", (43, WORD)],
    "Linear key": ["lin_api_", (40, WORD)],
    "Notion token": ["ntn_", (46, WORD)],
    "Postman key": ["PMAK-", (24, HEX), "-", (34, HEX)],
    "New Relic key": ["NRAK-", (27, UPPER)],
    "Sentry token": ["sntrys_", (80, WORD)],
    "age key": ["AGE-SECRET-KEY-1", (58, UPPER)],
    "Azure storage key": ["AccountKey=", (86, WORD + "+/"), "=="],
    "Azure signature": ["https://x.blob.core.windows.net/a?sv=1&sig=", (44, WORD)],
    "JSON web token": ["eyJ", (30, TEXT), ".eyJ", (60, TEXT), ".", (43, TEXT)],
    "password in an address": ["postgres://app:", (16, WORD), "@db.example/x"],
    "authorization header": ["Authorization: Bearer ", (40, WORD)],
    "named value": ['password = "', (16, WORD), '"'],
    "environment variable": ["DB_PASSWORD=", (16, WORD)],
}
PLACES = ["{}", 'x = "{}"\ny = 1', "the token ({}) is public", "a\n{}\nb", "<{}>", "`{}`"]
BY_LINE = {"environment variable"}


def planted(kind, choices):
    """A secret, and the parts of it that must not be seen."""
    text, hidden = "", []
    for part in SHAPES[kind]:
        if not isinstance(part, str):
            length, alphabet = part
            part = "7g" if alphabet == WORD else ""
            part += "".join(choices.choices(alphabet, k=length - len(part)))
            hidden.append(part)
        text += part
    return text, hidden


def test_every_kind_has_a_shape_here():
    assert list(SHAPES) == [kind.name for kind in KINDS]
    assert len(SHAPES) >= 20


@pytest.mark.parametrize("kind", SHAPES)
def test_a_planted_secret_is_masked(kind):
    choices = random.Random(kind)
    for number in range(30):
        secret, hidden = planted(kind, choices)
        place = "a\n{}\nb" if kind in BY_LINE else PLACES[number % len(PLACES)]
        text = place.format(secret)
        safe = mask_secrets(text)
        for part in hidden:
            seen = part[4:] if len(part) > 12 else part
            assert seen not in safe, (text, safe)
        assert safe.count("\n") == text.count("\n")
        assert mask_secrets(safe) == safe
        assert any(secrets_in(text))


@pytest.mark.parametrize(
    "text",
    [
        "password = 'password'",
        "token = get_token(user)",
        'secret = os.environ["SECRET_2"]',
        "api_key: str = ''",
        "password=${PASSWORD_1}",
        "https://example.org/a:b@c",
        "sk-learn-contrib-with-a-long-name",
        "task-force-of-ten-and-more-people",
        "risk-based-authentication-of-users",
        "e31de680a0698cbaeae336fbb828b0af4676cb36",
        "KEY_LENGTH = 2048",
        "SECRET_KEY=changeme",
        "MAX.length.of.the.line",
    ],
)
def test_what_is_no_secret_stays(text):
    assert mask_secrets(text) == text


def test_our_own_source_holds_nothing_to_mask():
    for path in Path(dsreview.__file__).parent.rglob("*.py"):
        text = path.read_text()
        assert mask_secrets(text) == text or path.name == "secrets_mask.py", path


def hostile_lines():
    yield from ("eyJ", "eyJaaaaaaaaaa.", "aws", "aws secret ", "sk-", "SG.", "a://", "x://a:", "a")
    yield from ("password", "password = '", "-----BEGIN PRIVATE KEY-----", ":AA", "12345678:AA")
    yield from (
        "0123456789abcdef",
        "Bearer ",
        "token: ",
        "A_KEY",
        "KEY=",
        "MAAAAAAAAAAAAAAAAAAAAAAA.",
    )


@pytest.mark.parametrize("piece", list(hostile_lines()))
def test_time_grows_with_the_length_alone(piece):
    """Twice and four times the text: a pattern that goes back would take 16 times as long."""

    def seconds(size):
        text = piece * (size // len(piece))
        best = []
        for _ in range(3):
            started = time.process_time()
            mask_secrets(text)
            best.append(time.process_time() - started)
        return min(best)

    assert seconds(240_000) < 10 * seconds(60_000) + 0.02
