"""Look through the folders of this machine by buttons, and put one into a field."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from winnow.report.words import count
from winnow.studio.answering import aside
from winnow.studio.pages.importing.places import Place, look_into
from winnow.studio.parts import box, button, focus, para, text


class Browser:
    """A list of what is in a folder; what is chosen stands in `target`."""

    def __init__(self, target: ui.element) -> None:
        self._target = target
        self._around = box("div", "browser")

    async def open(self, folder: Path, *, moves: bool = True) -> None:
        """List this folder; `moves`: and put the keyboard there.

        Raises:
            UserError: it cannot be opened.
        """
        place = await aside(look_into, folder)
        self._around.clear()
        with self._around:
            where = text("p", str(place.folder), "here", tabindex=-1)
            self._buttons(place)
            para(_inside(place), "hint")
            with box("ul", "places", aria_label="Folders and files here"):
                for name in place.folders:
                    with box("li"):
                        button(f"{name}/", lambda name=name: self.open(place.folder / name), "quiet")
                for name in place.files:
                    with box("li"):
                        button(name, lambda name=name: self._choose(place.folder / name), "quiet")
        if moves:
            focus(where)

    def _buttons(self, place: Place) -> None:
        above = place.above
        with box("div", "row"):
            if above is not None:
                button("Up", lambda: self.open(above))
            button("Take this folder", lambda: self._choose(place.folder))

    def _choose(self, path: Path) -> None:
        self._target.props["value"] = str(path)
        focus(self._target)


def _inside(place: Place) -> str:
    said = f"{count(len(place.folders), 'folder')} here, {count(place.n_pictures, 'picture')} directly in it."
    return f"{said} {place.n_more:,} more are not listed: type the path." if place.n_more else said
