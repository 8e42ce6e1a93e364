"""The part of a climb's page that shows how networks learn."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from winnow.studio.pages.train.drawings import learning_charts, learning_drawing, learning_rows
from winnow.studio.pages.train.story import Lesson
from winnow.studio.parts import box, details, drawing, heading, para, text

_CHARTS = 2
_COLUMNS = ("Network", "Epoch", "Loss", "Score while it learns")


class LearningView:
    """Curves with their table; there is nothing to see until a network learns."""

    def __init__(self) -> None:
        with box("section", "card") as self._section:
            heading("How networks learn")
            para(
                "An epoch is one look at every picture to learn from. The loss is what the network is taught to make "
                "small: it should fall, quickly at first.",
                "hint",
            )
            with box("div", "columns"):
                self._charts = [drawing("", "drawing learning") for _ in range(_CHARTS)]
            with details("The same as a table"):
                self._rows = self._table()
        self._section.set_visibility(False)

    def show(self, lessons: Sequence[Lesson]) -> None:
        """As far as they have learned."""
        charts = learning_charts(lessons)
        self._section.set_visibility(bool(charts))
        for place, element in enumerate(self._charts):
            element.content = learning_drawing(charts[place]) if place < len(charts) else ""
        self._rows.clear()
        with self._rows:
            for row in learning_rows(lessons):
                with box("tr"):
                    text("th", row[0], scope="row")
                    for cell in row[1:]:
                        text("td", cell)

    def _table(self) -> ui.element:
        with box("div", "scroll tall", tabindex=0, role="region", aria_label="How networks learn"), box("table"):
            text("caption", "Mean loss of each epoch")
            with box("thead"), box("tr"):
                for column in _COLUMNS:
                    text("th", column, scope="col")
            return box("tbody")
