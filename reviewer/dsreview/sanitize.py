"""Where text of others leaves the program: one sink for each kind of reader.

Code, paths and a model's words are hostile. Terminals obey control codes, GitHub obeys
`::command::` lines of a log, Markdown turns text into links, mentions and HTML. Every
sink makes a character that would act, or that nobody can see, visible instead.
"""

import json
import re
from itertools import cycle

_INVISIBLE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # drawn as nothing
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2"  # format characters of some scripts
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # zero width, line ends, bidi
    "\ufff0-\uffff\ufdd0-\ufdef"  # annotations and no characters at all
    "\ud800-\udfff"  # lone surrogates: bytes that are not UTF-8
    "\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"  # tags and variation selectors: can carry hidden text
)
_SYMBOLS = "\u203c\u2049\u2100-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_UNSAFE = re.compile(
    rf"[{_INVISIBLE}]|[\ufe00-\ufe0e]|(?<![{_SYMBOLS}])\ufe0f"  # U+FE0F only makes an emoji
)
_LOG_COMMAND = re.compile(r"##(\w*)\[")  # GitHub and Azure obey it anywhere in a line

_FENCE = re.compile(r"`+")
_MARKER = re.compile(r"\A<!--(?= dsreview:)")


def terminal_safe(text: str) -> str:
    r"""`text` that moves no cursor, sets no colour and hides nothing; keeps "\n" and "\t".

    >>> terminal_safe("a\x1b[31mb\u202e\udcff")
    'a\\x1b[31mb\\u{202e}\\xff'
    """
    return _LOG_COMMAND.sub(r"##\1\\x5b", _UNSAFE.sub(_escaped, text))


def terminal_line(text: str) -> str:
    r"""The same, on one line: for paths, names and rules.

    >>> terminal_line("two\nlines")
    'two\\x0alines'
    """
    return terminal_safe(text).replace("\n", "\\x0a").replace("\t", "\\x09")


def _escaped(match: re.Match[str]) -> str:
    point = ord(match.group())
    if 0xDC80 <= point <= 0xDCFF:  # how "surrogateescape" keeps a byte
        return f"\\x{point - 0xDC00:02x}"
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{{{point:x}}}"


def utf8(text: str) -> bytes:
    """The bytes that `text` was decoded from; "?" for what no bytes can be."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def command_data(text: str) -> str:
    r"""`text` as the message of a GitHub workflow command.

    >>> command_data("100%\n::error::x")
    '100%25%0A::error::x'
    """
    return terminal_safe(text).replace("%", "%25").replace("\n", "%0A")


def command_property(text: str) -> str:
    """`text` as the value of a property of a GitHub workflow command."""
    return command_data(text).replace(":", "%3A").replace(",", "%2C")


def ascii_json(value: object) -> str:
    """JSON in ASCII alone, safe to print anywhere; lone surrogates become U+FFFD.

    Everything else reads back exactly as it was.
    """
    text = json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False)
    text = _LONE_SURROGATE.sub(_replaced, text)
    text = _LOG_COMMAND.sub(r"##\1\\u005b", text)
    return text.replace("\x7f", "\\u007f")


_LONE_SURROGATE = re.compile(
    r"(?P<kept>(?:\\\\)+|\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2})|\\ud[89a-f][0-9a-f]{2}"
)


def _replaced(match: re.Match[str]) -> str:
    return match["kept"] or "\\ufffd"


_LIVE = re.compile(
    r"[@#]"  # mentions, issues
    r"|[!$%~&^](?=[\w\"'\[{(])"  # GitLab's references, mathematics
    r"|:(?=//)|(?<=mailto):|(?<=xmpp):|(?<=www)\."  # addresses
    r"|:(?=[\w+-]+(?::|$))"  # emoji, also of what is written behind it
    r"|(?<=[A-Z])-(?=[0-9])"  # GH-1, or a tracker's PROJECT-1
    r"|\[(?=\[|\w+:)|\*(?=iteration)"  # GitLab's wiki pages, alerts, iterations
    r"|[0-9a-f]{6}(?=[0-9a-f])",  # commits
    re.IGNORECASE,
)
_QUOTED = re.compile(r"(?<![`\w$])`([^`|\\\s](?:[^`|\\]{0,198}[^`|\\\s])?)`(?![`\w$])")
_PUNCTUATION = re.compile(r"[\\`*_\[\]<>&|~$#@^]")
_LINE_START = re.compile(r"\A(\d*)([-+=:/.()])")  # lists, rules, underlines, commands


def markdown_safe(text: str) -> str:
    """`text` as one line of prose without any Markdown, mention, link or HTML in it.

    Entities alone do not stop GitHub from notifying people or linking issues, so a
    zero-width space stands behind each character that would.
    """
    return _line_start(_inside(" ".join(terminal_safe(text).split())))


def markdown_prose(text: str) -> str:
    """The same, with words `in backticks` as code spans."""
    parts = _QUOTED.split(" ".join(terminal_safe(text).split()))
    shown = [
        f"`{part}`" if is_code else _inside(part) for part, is_code in zip(parts, cycle((0, 1)))
    ]
    return _line_start("".join(shown))


def _inside(line: str) -> str:
    return _PUNCTUATION.sub(_entity, _LIVE.sub("\\g<0>\u200b", line))


def _line_start(line: str) -> str:
    return _LINE_START.sub(lambda match: f"{match[1]}&#{ord(match[2])};", line)


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"


def markdown_code(text: str) -> str:
    """`text` as a code span, or as prose where a code span could not hold it."""
    line = terminal_line(text)
    plain = line.strip() == line and not re.search(r"[`|\\]", line)
    return f"`{line}`" if line and plain else markdown_safe(text)


def markdown_fence(lines: list[str], language: str = "") -> str:
    """A fenced block that no run of backticks in `lines` can close.

    A line that looks like a hidden marker of ours is spelled so that it is none.
    """
    body = [_MARKER.sub("<\\\\x21--", terminal_safe(line).replace("\n", "\\x0a")) for line in lines]
    longest = max((len(run) for line in body for run in _FENCE.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join((f"{fence}{language}", *body, fence))
