"""What pages are made of: plain HTML elements with the house's classes, so that keyboards and screen readers know them.

User text is always text or an attribute's value, never markup and never NiceGUI's props language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from winnow.studio.answering import Handler, guarded

Cell = str | Callable[[], object]
"""Words, or what draws the cell."""


def box(tag: str = "div", classes: str = "", **attributes: Any) -> ui.element:
    """An element to put others into: `with box("section", "card"): ...`.

    Attributes are written as in Python: `aria_label="..."`, `for_="..."`.
    """
    return _attributed(ui.element(tag), classes, attributes)


def text(tag: str, words: str, classes: str = "", **attributes: Any) -> TextElement:
    """An element with words; assign its `text` to change them."""
    return _attributed(TextElement(tag=tag, text=words), classes, attributes)


def _attributed(element: Any, classes: str, attributes: Mapping[str, Any]) -> Any:
    if classes:
        element.classes(classes)
    for name, value in attributes.items():
        if value is not None:
            element.props[name.rstrip("_").replace("_", "-")] = value
    return element


def heading(words: str, level: int = 2, **attributes: Any) -> TextElement:
    """A heading."""
    return text(f"h{level}", words, **attributes)


def para(words: str, classes: str = "", **attributes: Any) -> TextElement:
    """A paragraph."""
    return text("p", words, classes, **attributes)


def link(words: str, href: str, classes: str = "", **attributes: Any) -> TextElement:
    """A link to another page of the studio, or to a file it gives (`download="name"`)."""
    return text("a", words, classes, href=href, **attributes)


def button(words: str, on_click: Handler, classes: str = "", **attributes: Any) -> TextElement:
    """A button; while its handler works further clicks do nothing, and a `UserError` is told at the top of the page."""
    element = text("button", words, classes, type="button", **attributes)

    async def clicked() -> None:
        if "aria-busy" in element.props:
            return
        # Not disabled: a browser would take the keyboard away from it.
        element.props["aria-busy"] = "true"
        try:
            await guarded(on_click)
        finally:
            if not element.is_deleted:  # what it did may have drawn its part of the page anew
                element.props.pop("aria-busy", None)

    element.on("click", clicked, args=[])
    return element


def picture(src: str, alt: str, classes: str = "", **attributes: Any) -> ui.element:
    """An image that loads when it comes into sight."""
    return box("img", classes, src=src, alt=alt, loading="lazy", **attributes)


def drawing(svg: str, classes: str = "drawing") -> ui.html:
    """Markup of our own drawing functions (`winnow.report`), which escape what users wrote; change its `content`."""
    return ui.html(svg, sanitize=False).classes(classes)


def focus(element: ui.element) -> None:
    """Put the keyboard on an element, where what it was on is gone."""
    # After the next frame: an element that was made just now is not in the page before. By the element's own client:
    # what is being handled may have removed the place that it was called from.
    element.client.run_javascript(f"requestAnimationFrame(() => document.getElementById({element.html_id!r})?.focus())")


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], classes: str = "") -> ui.element:
    """A table with a caption; the first cell of a row names it. A cell is words, or a function that draws it."""
    around, body = growing_table(caption, columns, classes)
    with body:
        for row in rows:
            with box("tr"):
                for place, cell in enumerate(row):
                    _cell(cell, is_first=place == 0)
    return around


def growing_table(caption: str, columns: Sequence[str], classes: str = "") -> tuple[ui.element, ui.element]:
    """A table without rows, and its body, to put rows into."""
    with box("div", "scroll", tabindex=0, role="region", aria_label=caption) as around, box("table", classes):
        text("caption", caption)
        with box("thead"), box("tr"):
            for column in columns:
                text("th", column, scope="col")
        body = box("tbody")
    return around, body


def _cell(cell: Cell, *, is_first: bool) -> None:
    tag, scope = ("th", "row") if is_first else ("td", None)
    if isinstance(cell, str):
        text(tag, cell, scope=scope)
    else:
        with box(tag, scope=scope):
            cell()


def details(summary: str, classes: str = "") -> ui.element:
    """What is one click deeper: `with details("For experts"): ...`."""
    around = box("details", classes)
    with around:
        text("summary", summary)
    return around


def same_as(command: str, python: str) -> tuple[TextElement, TextElement]:
    """The same from the command line and from Python, ready to copy; both elements, for pages whose lines change."""
    with details("The same from the command line, or from Python", "same"):
        with box("figure"):
            text("figcaption", "Command line")
            first = copied(command)
        with box("figure"):
            text("figcaption", "Python")
            return first, copied(python)


def copied(code: str) -> TextElement:
    """Lines of code with a button that copies them; assign its `text` to change them."""
    with box("div", "code"):
        lines = text("code", code, tabindex=0)
        element = text("button", "Copy", "quiet", type="button", aria_label=f"Copy: {code.splitlines()[0][:60]}")
        element.on("click", js_handler=_COPY)
    return lines


_COPY = """(event) => { const button = event.currentTarget;
  const code = button.previousElementSibling.textContent;
  navigator.clipboard.writeText(code).then(() => { button.textContent = "Copied" });
}"""
