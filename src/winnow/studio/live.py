"""Work that goes on in the background, shown while it goes: what is done now, how far, and a way to stop it."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from winnow.events import Progress
from winnow.report import words
from winnow.studio.answering import Handler, guarded
from winnow.studio.background import Background
from winnow.studio.parts import box, button, para, text


def follow(work: Background[Any], then: Handler, *, stop: str = "") -> None:
    """A line and a bar that follow the work; both stay when it is over, for `then` to replace.

    Args:
        work: whoever started it; leaving the page does not touch it.
        then: called on this page when the work is over, at once if it is.
        stop: words of a button that stops it; "": no such button.
    """
    with box("div", "follow"):
        line = para(_words(work))
        with box("div", "row"):
            bar = box("progress", max=1, value=_share(work), aria_label="How far it is")
            if stop:
                button(stop, work.stop)
        notes = box("ul", "notes")

    async def look() -> None:
        if line.is_deleted:
            timer.cancel()
            return
        line.text = _words(work)
        bar.props.set_optional("value", _share(work))
        with notes:
            for note in work.notes[len(notes.default_slot.children) :]:
                text("li", note.text)
        if not work.is_running:
            timer.cancel()
            await guarded(then)

    # In the page's own layout: `then` may draw anew the part in which this stands, and a timer goes with its part.
    with ui.context.client.layout:
        timer = ui.timer(0.25, look)


def progress_in_words(progress: Progress) -> str:
    """Such as "Reading pictures: 300 of 1,797"."""
    what = words.capital(progress.what)
    if not progress.total:
        return f"{what}: {words.number(progress.done)} so far" if progress.done else what
    return f"{what}: {words.number(progress.done)} of {words.number(progress.total)}"


def _words(work: Background[Any]) -> str:
    if work.is_stopping and work.is_running:
        return "Stopping"
    return "Beginning" if work.progress is None else progress_in_words(work.progress)


def _share(work: Background[Any]) -> float | None:
    progress = work.progress
    return None if progress is None or not progress.total else min(1.0, progress.done / progress.total)
