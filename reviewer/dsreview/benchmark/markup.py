"""HTML and SVG from values: what is not `Markup` is text, and escaped."""

from html import escape

from dsreview.sanitize import terminal_line


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Child = str | Markup


def text(content: str) -> Markup:
    """`content` as it reads: escaped, on one line, without invisible or reordering characters."""
    return Markup(escape(terminal_line(content)))


def tag(name: str, *children: Child, **attributes: str | float | None) -> Markup:
    """An element; `class_="a"` and `stroke_width=2` become `class="a" stroke-width="2"`.

    >>> tag("p", "1 < 2", class_="note")
    '<p class="note">1 &lt; 2</p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Markup:
    return Markup(
        "".join(child if isinstance(child, Markup) else text(child) for child in children)
    )


def _attribute(value: str | float) -> str:
    """Coordinates need no more than a hundredth of a pixel."""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return str(text(str(value)))
