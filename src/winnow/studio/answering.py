"""How a page answers what its visitor does: aside, so that others go on, and in words where they can mend something."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from nicegui import Client, run, ui
from nicegui.elements.mixins.text_element import TextElement

from winnow.errors import UserError

T = TypeVar("T")
Handler = Callable[[], Awaitable[None] | None]

_log = logging.getLogger(__name__)


class Notices:
    """The place of a page where news is told, one at a time."""

    def __init__(self) -> None:
        with ui.element("div").classes("notices") as around:
            self._words = TextElement(tag="p", text="").classes("notice")
        around.props.update({"role": "status", "aria-live": "polite"})
        self._words.set_visibility(False)
        _notices[ui.context.client] = self

    @property
    def is_gone(self) -> bool:
        """Whether its page was left."""
        return self._words.is_deleted

    def tell(self, words: str, *, is_wrong: bool) -> None:
        """Show these words instead of the last ones."""
        self._words.text = words
        self._words.classes(add="wrong" if is_wrong else "", remove="" if is_wrong else "wrong")
        self._words.set_visibility(bool(words))


_notices: WeakKeyDictionary[Client, Notices] = WeakKeyDictionary()


def say(words: str, *, is_wrong: bool = False) -> None:
    """Tell at the top of this page, where screen readers hear it; the next word replaces it."""
    _notices[ui.context.client].tell(words, is_wrong=is_wrong)


async def guarded(handler: Handler) -> None:
    """Run a handler; what the visitor can mend is told on the page, what we must mend goes to the log as well."""
    told = _notices[ui.context.client]  # found now: the handler may remove the place that it was called from
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
