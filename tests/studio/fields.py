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
    """The field that these words belong to."""
    assert visitor.client is not None
    elements = list(visitor.client.elements.values())
    (words,) = [one for one in elements if one.tag == "label" and getattr(one, "text", None) == label]
    (found,) = [one for one in elements if one.html_id == words.props["for"]]
    return found


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
