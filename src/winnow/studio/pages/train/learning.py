"""The part of a climb's page that shows how networks learn."""

from __future__ import annotations

from collections.abc import Sequence

from winnow.studio.pages.train.drawings import learning_charts, learning_drawing, learning_table
from winnow.studio.pages.train.story import Lesson
from winnow.studio.parts import box, details, drawing, heading, para

_CHARTS = 2


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
            with (
                details("The same as a table"),
                box("div", "scroll tall", tabindex=0, role="region", aria_label="How networks learn"),
            ):
                self._table = drawing("")
        self._section.set_visibility(False)

    def show(self, lessons: Sequence[Lesson]) -> None:
        """As far as they have learned."""
        charts = learning_charts(lessons)
        self._section.set_visibility(bool(charts))
        for place, element in enumerate(self._charts):
            element.content = learning_drawing(charts[place]) if place < len(charts) else ""
        self._table.content = learning_table(lessons)
