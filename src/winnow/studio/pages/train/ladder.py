"""The part of a climb's page that holds its ladder."""

from __future__ import annotations

from winnow.report.page.ladder import how_to_read, ladder_table, left_out
from winnow.report.schema import Report, RungResult
from winnow.studio.pages.train.drawings import LADDER_ID, growing_ladder
from winnow.studio.pages.train.story import Story
from winnow.studio.parts import box, details, drawing, heading, para

_GROWING = (
    "Methods from cheap to dear, all judged on the same pictures. Further right is better; the bar is where the true "
    "value may lie. Gains are held against the comparisons so far; the verdict at the end heeds them all."
)
_WHOLE = (
    "Methods from cheap to dear, all judged on the same pictures. Further right is better; the bar is where the true "
    "value may lie."
)


class LadderView:
    """A ladder that grows.

    Args:
        metric: the name of what is optimised.
        task: of the dataset.
    """

    def __init__(self, metric: str, task: str) -> None:
        self._metric, self._task = metric, task
        with box("section", "card") as self._section:
            heading("The ladder", id=LADDER_ID)
            self._hint = para(_GROWING, "hint")
            self._table = drawing("")
            with details("How to read this"):
                self._explained = drawing("")
            self._left_out = drawing("")
        self._section.set_visibility(False)

    def show(self, story: Story) -> None:
        """As far as it has grown."""
        self._section.set_visibility(bool(story.tries))
        self._table.content = growing_ladder(story, self._metric, self._task)
        self._explain(story.results)

    def conclude(self, story: Story, report: Report | None) -> None:
        """The whole ladder with its verdict; without a model, how far it grew, if it did."""
        self._hint.text = _WHOLE
        rungs = story.results if report is None else report.ladder
        self._section.set_visibility(any(rung.score is not None for rung in rungs))
        self._table.content = ladder_table(rungs, self._metric, self._task, labelled_by=LADDER_ID)
        self._explain(rungs)

    def _explain(self, rungs: tuple[RungResult, ...]) -> None:
        self._explained.content = how_to_read(rungs, self._metric)
        self._left_out.content = left_out(rungs) or ""
