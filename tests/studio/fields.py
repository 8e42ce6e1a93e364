"""Fields by their labels, as a visitor finds them, and patience."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction


def labelled(visitor: User, label: str) -> ui.element:
    """The field, list or box to tick that these words belong to."""
    assert visitor.client is not None
    elements = list(visitor.client.elements.values())
    found: list[ui.element] = []
    for one in elements:
        if getattr(one, "text", None) != label:
            continue
        if one.tag == "label":
            found += [other for other in elements if other.html_id == one.props["for"]]
        elif one.tag == "span" and one.parent_slot is not None:
            found += [other for other in one.parent_slot.children if other.tag == "input"]
    (only,) = found
    return only


async def change(visitor: User, label: str, value: object) -> None:
    """Choose or tick, as a person does: both events that a browser sends."""
    element = labelled(visitor, label)
    act(visitor, element, "input", value)
    act(visitor, element, "change", value)
    await asyncio.sleep(0)


def fill(visitor: User, label: str, words: str) -> None:
    """Type these words."""
    act(visitor, labelled(visitor, label), "input", words)


def act(visitor: User, element: ui.element, event: str, args: Any = None) -> None:
    """Let an event happen on an element."""
    UserInteraction(visitor, {element}, None).trigger(event, args)


async def until(holds: Callable[[], bool], patience_s: float = 20.0) -> None:
    """Wait while pages and background work go on."""
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)
