"""HTML that cannot be broken by what a user wrote: text is escaped unless it is `Html` already.

Class and file names come from strangers. Only `tag` and `joined` make `Html`, and both escape every plain
string they are given, so forgetting to escape is not possible, only forgetting to use them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from html import escape

_VOID = frozenset({"circle", "img", "input", "line", "link", "meta", "path", "rect", "br"})


# Control signs; lone surrogates, which odd file names bring and UTF-8 cannot write; and the signs that turn
# the direction of all text after them.
_UNSEEN = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f\\ud800-\\udfff\\u202a-\\u202e\\u2066-\\u2069]")
_TURNS_IN_JSON = re.compile(r"\\u(202[a-e]|206[6-9])")


class Html(str):
    """A string that is safe to put into the page as it is."""

    __slots__ = ()


def text(value: object) -> Html:
    """Any value as text of the page; `Html` passes unchanged.

    >>> text("<b>")
    '&lt;b&gt;'
    """
    if isinstance(value, Html):
        return value
    return Html(escape(_UNSEEN.sub("�", str(value)), quote=True))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """One element with its children.

    Attribute names are written as in Python: ``class_`` is ``class``, ``data_key`` is ``data-key``. An
    attribute that is None or False is left out; True writes the bare name.

    >>> tag("td", "a < b", class_="name", hidden=True, title=None)
    '<td class="name" hidden>a &lt; b</td>'
    """
    parts = [f"<{name}"]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written = _attribute_name(key)
        parts.append(f" {written}" if value is True else f' {written}="{text(value)}"')
    # SVG's elements must be closed; the slash does no harm in HTML.
    parts.append("/>" if name in _VOID and not children else f">{joined(children)}</{name}>")
    return Html("".join(parts))


def joined(parts: Iterable[object], separator: str = "") -> Html:
    """Several parts as one, each escaped unless it is `Html`."""
    return Html(text(separator).join(text(part) for part in parts if part is not None))


def data_block(element_id: str, value: object) -> Html:
    """A JSON value inside the page, for the page's script.

    ``<``, ``>`` and ``&`` are written as Unicode escapes, so no text inside can end the element or open a
    comment; the JSON stays the same.
    """
    written = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    written = _TURNS_IN_JSON.sub(r"\\ufffd", written)
    for sign in "<>&":
        written = written.replace(sign, f"\\u{ord(sign):04x}")
    return Html(f'<script type="application/json" id="{text(element_id)}">{written}</script>')


def _attribute_name(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
