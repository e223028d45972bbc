"""Passwords, tokens and keys in text, found by their shape and masked.

Each pattern starts with text that its issuer gave the secret, or with the name it is
assigned to, and takes time that grows with the length of the text alone: it may only start
where a word starts, and every repetition has an end. A mask keeps the first characters, so
that people see which secret is meant, and the number of lines.

Source: the formats that the issuers publish for secret scanning.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

MASK = "****"
_NUM_SHOWN = 4
_MIN_ENTROPY_BITS = 2.5
"""Of one character of a value that only its name makes a secret."""


@dataclass(frozen=True, slots=True)
class SecretKind:
    name: str
    hints: tuple[str, ...]
    """One of them is in every text that has such a secret: looked for first."""
    pattern: re.Pattern[str]
    """Its group `secret` is what is masked."""
    needs_entropy: bool = False


def _kind(name: str, pattern: str, *hints: str, starts_word: bool = True) -> SecretKind:
    start = r"(?<![A-Za-z0-9_])" if starts_word else ""
    return SecretKind(name, hints, re.compile(f"{start}(?P<secret>{pattern})"))


def _named(name: str, pattern: str, *hints: str) -> SecretKind:
    """A secret that is told by what stands before it."""
    return SecretKind(name, hints, re.compile(pattern, re.IGNORECASE))


_WORD = "[A-Za-z0-9_-]"
_VALUE_NAMES = (
    r"(?:passw(?:or)?d|passwd|pwd|secret|token|api_?-?key|apikey|access_?-?key|auth_?-?key"
    r"|private_?-?key|client_?-?secret|credentials?)"
)

KINDS: tuple[SecretKind, ...] = (
    SecretKind(
        "private key",
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?P<secret>[^-]{1,20000})"
        ),
    ),
    _kind("AWS access key", r"A(?:KI|SI|BI|CC)A[A-Z0-9]{16}\b", "AKIA", "ASIA", "ABIA", "ACCA"),
    _named(
        "AWS secret key",
        r"aws.{0,20}(?:secret|sk).{0,20}?[\"'=:\s](?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
        "aws",
        "AWS",
        "Aws",
    ),
    _kind("GitHub token", r"gh[pousr]_[A-Za-z0-9]{36,251}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _kind("GitHub fine-grained token", r"github_pat_[A-Za-z0-9_]{22,255}", "github_pat_"),
    _kind(
        "GitLab token",
        rf"gl(?:pat|dt|rt|cbt|ptt|ft|soat|oas|agent)-{_WORD}{{20,255}}",
        "glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "gloas-", "glagent-",
    ),
    _kind("Slack token", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}", "xox"),
    _kind("Slack app token", r"xapp-[0-9]-[A-Za-z0-9-]{10,250}", "xapp-"),
    _kind(
        "Slack webhook",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/]{20,90}",
        "hooks.slack.com",
    ),
    _kind(
        "Stripe key",
        r"(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,250}",
        "sk_", "rk_", "whsec_",
    ),
    _kind("Google API key", rf"AIza{_WORD}{{35}}", "AIza"),
    _kind("Google client secret", rf"GOCSPX-{_WORD}{{28}}", "GOCSPX-"),
    _kind("Google access token", rf"ya29\.{_WORD}{{20,500}}", "ya29."),
    _kind("Anthropic key", rf"sk-ant-{_WORD}{{20,250}}", "sk-ant-"),
    replace(
        _kind("OpenAI key", rf"sk-(?:proj-|svcacct-|admin-)?{_WORD}{{20,250}}", "sk-"),
        needs_entropy=True,  # sk-... is also how some packages are called
    ),
    _kind("Hugging Face token", r"hf_[A-Za-z0-9]{30,60}", "hf_"),
    _kind("npm token", r"npm_[A-Za-z0-9]{36}", "npm_"),
    _kind("PyPI token", rf"pypi-{_WORD}{{50,500}}", "pypi-"),
    _kind("Twilio key", r"(?:SK|AC)[0-9a-f]{32}\b", "SK", "AC"),
    _kind("SendGrid key", rf"SG\.{_WORD}{{16,32}}\.{_WORD}{{16,64}}", "SG."),
    _kind("Mailgun key", r"key-[0-9a-z]{32}\b", "key-"),
    _kind("Mailchimp key", r"[0-9a-f]{32}-us[0-9]{1,2}\b", "-us"),
    _kind("Telegram bot token", rf"[0-9]{{8,10}}:AA{_WORD}{{32,33}}", ":AA"),
    _kind(
        "Discord bot token",
        rf"[MNO][A-Za-z0-9]{{23,27}}\.{_WORD}{{6}}\.{_WORD}{{27,38}}",
        ".",
    ),
    _kind(
        "Discord webhook",
        rf"discord(?:app)?\.com/api/webhooks/[0-9]{{17,20}}/{_WORD}{{60,70}}",
        "/api/webhooks/",
    ),
    _kind("DigitalOcean token", r"do[opr]_v1_[0-9a-f]{64}", "_v1_"),
    _kind(
        "Shopify token",
        r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}",
        "shpat_", "shpca_", "shppa_", "shpss_",
    ),
    _kind("Square token", rf"sq0(?:atp|csp|idp)-{_WORD}{{22,43}}", "sq0"),
    _kind("Databricks token", r"dapi[0-9a-f]{32}(?:-[0-9])?", "dapi"),
    _kind("Grafana token", r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}", "glsa_"),
    _kind("Vault token", rf"hv[sbr]\.{_WORD}{{24,250}}", "hvs.", "hvb.", "hvr."),
    _kind("Terraform token", rf"[A-Za-z0-9]{{14}}\.atlasv1\.{_WORD}{{60,70}}", ".atlasv1."),
    _kind("Docker token", rf"dckr_(?:pat|oat)_{_WORD}{{20,60}}", "dckr_"),
    _kind("Doppler token", r"dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9._-]{20,80}", "dp."),
    _kind("Linear key", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}", "lin_"),
    _kind("Notion token", r"(?:secret|ntn)_[A-Za-z0-9]{40,50}\b", "secret_", "ntn_"),
    _kind("Postman key", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}", "PMAK-"),
    _kind("New Relic key", r"NRAK-[A-Z0-9]{27}", "NRAK-"),
    _kind("Sentry token", r"sntry[su]_[A-Za-z0-9+/=_-]{40,500}", "sntrys_", "sntryu_"),
    _kind("age key", r"AGE-SECRET-KEY-1[A-Z0-9]{58}", "AGE-SECRET-KEY-"),
    _kind("Azure storage key", r"AccountKey=[A-Za-z0-9+/]{60,90}={0,2}", "AccountKey="),
    _named("Azure signature", r"[?&]sig=(?P<secret>[A-Za-z0-9%/+]{40,120}={0,2})", "sig="),
    _kind(
        "JSON web token",
        rf"eyJ{_WORD}{{8,4000}}\.eyJ{_WORD}{{8,4000}}(?:\.{_WORD}{{8,2000}})?",
        "eyJ",
    ),
    _named(
        "password in an address",
        r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>{}]{0,100}:(?P<secret>[^\s/@\"'<>{}$]{3,200})@",
        "://",
    ),
    _named(
        "authorization header",
        r"\b(?:bearer|basic)\s{1,3}(?P<secret>[A-Za-z0-9+/._~-]{20,2000}={0,2})",
        "earer", "EARER", "asic", "ASIC",
    ),
    SecretKind(
        "named value",
        ("=", ":"),
        re.compile(
            rf"{_VALUE_NAMES}[A-Za-z0-9_]{{0,20}}[\"'\]]{{0,2}}\s{{0,4}}(?:=>|:=|=|:)\s{{0,4}}"
            r"[a-z]{0,2}[\"'](?P<secret>[^\s\"'`$<>{}()]{8,200})[\"']",
            re.IGNORECASE,
        ),
        needs_entropy=True,
    ),
    SecretKind(
        "environment variable",
        ("PASS", "SECRET", "TOKEN", "KEY"),
        re.compile(
            r"^[-+ ]?(?:export )?[A-Z0-9_]{0,40}?(?:PASSW(?:OR)?D|SECRET|TOKEN|KEY)[A-Z0-9_]{0,20}"
            r"=(?P<secret>[^\s\"'`$(){}]{8,200})[ \t\r]*$",
            re.MULTILINE,
        ),
        needs_entropy=True,
    ),
)  # fmt: skip


def mask_secrets(text: str) -> str:
    r"""`text` with every secret masked; "\n" stays where it is.

    >>> mask_secrets('key = "AKIAABCDEFGHIJKLMNOP"')
    'key = "AKIA****"'
    """
    for kind in KINDS:
        if any(hint in text for hint in kind.hints):
            text = kind.pattern.sub(partial(_replaced, kind), text)
    return text


def secrets_in(text: str) -> Iterator[str]:
    """The name of the kind of each secret, in the order of `KINDS`."""
    for kind in KINDS:
        if any(hint in text for hint in kind.hints):
            for match in kind.pattern.finditer(text):
                if _is_secret(match, kind):
                    yield kind.name


def _is_secret(match: re.Match[str], kind: SecretKind) -> bool:
    return not kind.needs_entropy or _looks_random(match["secret"])


def _replaced(kind: SecretKind, match: re.Match[str]) -> str:
    if not _is_secret(match, kind):
        return match.group()
    whole, at = match.group(), match.start("secret") - match.start()
    secret = match["secret"]
    return whole[:at] + _mask(secret, kind) + whole[at + len(secret) :]


def _mask(secret: str, kind: SecretKind) -> str:
    if "\n" in secret:
        return "\n".join(MASK if line.strip() else line for line in secret.split("\n"))
    is_told_by_name = kind.pattern.flags & re.IGNORECASE
    return MASK if is_told_by_name else secret[:_NUM_SHOWN] + MASK


def _looks_random(value: str) -> bool:
    """Letters and digits mixed, few repeated: no word, no name of a variable."""
    if not (re.search(r"[0-9]", value) and re.search(r"[A-Za-z]", value)):
        return False
    shares = [num / len(value) for num in Counter(value).values()]
    return -sum(share * math.log2(share) for share in shares) >= _MIN_ENTROPY_BITS
