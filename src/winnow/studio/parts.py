"""What pages are made of: plain HTML elements with the house's classes, so that keyboards and screen readers know them.

User text is always text or an attribute's value, never markup and never NiceGUI's props language.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from nicegui import run, ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

from winnow.errors import UserError

T = TypeVar("T")
Handler = Callable[[], Awaitable[None] | None]
Hears = Callable[[Any], Awaitable[None] | None]
Cell = str | Callable[[], object]
"""Words, or what draws the cell."""

_log = logging.getLogger(__name__)


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


def field(label: str, *, value: str = "", hint: str = "", kind: str = "text", **attributes: Any) -> ui.element:
    """A labelled input; read it with `.props["value"]`, which follows what is typed.

    Args:
        label: says what belongs there.
        value: what stands there first.
        hint: a line below, read along with the label.
        kind: HTML's type of input.
        attributes: others of the input.
    """
    return _labelled("input", label, hint, {"value": value, "type": kind, **attributes})


def choice(label: str, options: Mapping[str, str], *, value: str, hint: str = "", **attributes: Any) -> ui.element:
    """A labelled list to choose from, {value: words}; read it with `.props["value"]`."""
    element = _labelled("select", label, hint, {"value": value, **attributes})
    with element:
        for one, words in options.items():
            text("option", words, value=one, selected=True if one == value else None)
    return element


def area(label: str, *, value: str = "", hint: str = "", **attributes: Any) -> ui.element:
    """As `field`, for text of several lines."""
    return _labelled("textarea", label, hint, {"value": value, **attributes})


def tick(label: str, *, is_on: bool = False, **attributes: Any) -> ui.element:
    """A box to tick, its words behind it; read it with `.props["checked"]`, which is True or False."""
    with box("label", "tick"):
        element = box("input", type="checkbox", checked=is_on, **attributes)
        text("span", label)
    element.on(
        "change", lambda event: _keep(element, event, "checked"), js_handler="(event) => emit(event.target.checked)"
    )
    return element


def _labelled(tag: str, label: str, hint: str, attributes: Mapping[str, Any]) -> ui.element:
    with box("div", "field"):
        words = text("label", label)
        element = box(tag, **attributes)
        name = f"c{element.id}"  # NiceGUI's own id of the element in the page
        words.props["for"] = name
        if hint:
            text("small", hint, id=f"{name}-hint")
            element.props["aria-describedby"] = f"{name}-hint"
    element.on("input", lambda event: _keep(element, event), js_handler=_TYPED)
    return element


# Vue writes a field's value anew whenever anything on the page changes: it has to know what was typed. `element` is
# NiceGUI's own record of the field in the browser.
_TYPED = "(event) => { element.props.value = event.target.value; emit(event.target.value); }"


def _keep(element: ui.element, event: GenericEventArguments, name: str = "value") -> None:
    # The browser shows it already: only remember it, and send nothing back that would move the cursor.
    with element.props.suspend_updates():
        element.props[name] = event.args


def focus(element: ui.element) -> None:
    """Put the keyboard on an element, where what it was on is gone."""
    # After the next frame: an element that was made just now is not in the page before. By the element's own client:
    # what is being handled may have removed the place that it was called from.
    element.client.run_javascript(f"requestAnimationFrame(() => document.getElementById({element.html_id!r})?.focus())")


def on_change(element: ui.element, hear: Hears) -> None:
    """Call `hear` with the new value whenever a field or choice was changed."""

    async def changed(event: GenericEventArguments) -> None:
        await guarded(lambda: hear(event.args))

    element.on("change", changed, js_handler="(event) => emit(event.target.value)")


def table(caption: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], classes: str = "") -> ui.element:
    """A table with a caption; the first cell of a row names it. A cell is words, or a function that draws it."""
    with box("div", "scroll", tabindex=0, role="region", aria_label=caption) as around, box("table", classes):
        text("caption", caption)
        with box("thead"), box("tr"):
            for column in columns:
                text("th", column, scope="col")
        with box("tbody"):
            for row in rows:
                with box("tr"):
                    for place, cell in enumerate(row):
                        _cell(cell, is_first=place == 0)
    return around


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


def say(words: str, *, is_wrong: bool = False) -> None:
    """Tell at the top of this page, where screen readers hear it; the next word replaces it."""
    from winnow.studio.frame import notices

    notices().tell(words, is_wrong=is_wrong)


async def guarded(handler: Handler) -> None:
    """Run a handler; what the visitor can mend is told on the page, what we must mend goes to the log as well."""
    from winnow.studio.frame import notices

    told = notices()  # found now: the handler may remove the place that it was called from
    try:
        outcome = handler()
        if inspect.isawaitable(outcome):
            await outcome
    except UserError as error:
        told.tell(str(error), is_wrong=True)
    except Exception:
        if told.is_gone:  # the visitor left while it worked: what it wanted to draw on is no more
            return _log.debug("a page that was left failed", exc_info=True)
        _log.exception("a page failed")
        told.tell("Something went wrong inside Winnow; the terminal that runs the studio says more.", is_wrong=True)


async def aside(function: Callable[..., T], *arguments: Any) -> T:
    """The function's outcome, computed in a thread, so that other pages go on."""
    # Not `run.io_bound`: where the page is left or the server ends meanwhile, that gives None for an outcome.
    return await asyncio.get_running_loop().run_in_executor(run.thread_pool, partial(function, *arguments))
