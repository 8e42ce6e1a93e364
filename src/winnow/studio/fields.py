"""Fields with their labels; what stands in one is in its `props`, which follow what is typed, chosen or ticked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from winnow.studio.answering import guarded
from winnow.studio.parts import box, text

Hears = Callable[[Any], Awaitable[None] | None]


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


def on_change(element: ui.element, hear: Hears) -> None:
    """Call `hear` with the new value whenever a field or choice was changed."""

    async def changed(event: GenericEventArguments) -> None:
        await guarded(lambda: hear(event.args))

    element.on("change", changed, js_handler="(event) => emit(event.target.value)")
