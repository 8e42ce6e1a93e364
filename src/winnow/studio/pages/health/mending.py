"""Mending a finding: the buttons, then what would change and the question, then a new version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from nicegui import ui

from winnow.api.dataset import Dataset
from winnow.api.fixing import Fixed, mend
from winnow.data.edits import MergeClasses, MoveToSplit
from winnow.data.health.finding import Finding, Fix, Shown
from winnow.errors import UserError
from winnow.report.words import count
from winnow.studio.answering import aside
from winnow.studio.checks import checks_of
from winnow.studio.fields import tick
from winnow.studio.media import picture_address
from winnow.studio.parts import box, button, details, focus, para, picture, text

Changed = Callable[[str], Awaitable[None]]
"""Told what was done after a change; draws the page anew."""


def fix_words(fix: Fix) -> str:
    """What a button says that does it.

    >>> fix_words(Fix("move", (MoveToSplit(["a.png", "b.png"], "train"),)))
    'Move 2 pictures to train'
    """
    n = count(len(_pictures(fix)), "picture")
    splits = {edit.split for edit in fix.edits if isinstance(edit, MoveToSplit)}
    into = [f"'{edit.into}'" for edit in fix.edits if isinstance(edit, MergeClasses)]
    match fix.action:
        case "drop":
            return f"Leave out {n}"
        case "move":
            return f"Move {n}" + (f" to {splits.pop()}" if len(splits) == 1 else "")
        case "relabel":
            return f"Change the labels of {n}"
        case "merge":
            return "Merge the classes" + (f" into {into[0]}" if len(into) == 1 else "")


class Mending:
    """The fixes of one finding; one is asked about at a time."""

    def __init__(self, data: Dataset, finding: Finding, changed: Changed) -> None:
        self._data = data
        self._finding = finding
        self._changed = changed
        self._openers: dict[int, ui.element] = {}
        self._question: ui.element | None = None

    def draw_buttons(self) -> None:
        """One for each fix."""
        for place, fix in enumerate(self._finding.fixes):
            self._openers[place] = button(fix_words(fix), partial(self._ask, place))

    def draw_question(self) -> None:
        """The place where the question will stand."""
        self._question = box("div")

    async def _ask(self, place: int) -> None:
        assert self._question is not None
        fix = self._finding.fixes[place]
        planned = await aside(_mended, self._data, self._finding, fix, (), True)
        self._question.clear()
        with self._question, box("section", "question", role="group", aria_label=fix_words(fix)):
            words = text("h4", f"{fix_words(fix)}, as a new version?", tabindex=-1)
            para("No file is deleted, older versions stay, and it can be undone.", "hint")
            _told(planned)
            chooser = _Chooser(self._finding, fix) if fix.is_judgement else None
            with box("div", "row"):
                button("Make the new version", partial(self._do, fix, chooser), "main-action")
                button("Cancel", partial(self._cancel, place))
        focus(words)

    def _cancel(self, place: int) -> None:
        assert self._question is not None
        self._question.clear()
        focus(self._openers[place])

    async def _do(self, fix: Fix, chooser: _Chooser | None) -> None:
        only = () if chooser is None else chooser.chosen()
        fixed = await aside(_mended, self._data, self._finding, fix, only, False)
        checks_of(self._data.workspace).last_fix[self._data.name] = fixed
        await self._changed(f"Version {fixed.version} is made and is being checked.")


class _Chooser:
    """Which of the pictures a person agrees with, where a model's opinion alone would not do."""

    def __init__(self, finding: Finding, fix: Fix) -> None:
        touched = _pictures(fix)
        shown = [one for one in finding.examples if one.source in touched and one.content]
        self._others = [picture for picture in touched if picture not in {one.source for one in shown}]
        para("Look first: these pictures may be right as they are. Untick those.")
        self._ticks: list[tuple[str, ui.element]] = []
        with box("div", "to-tick", tabindex=0, role="group", aria_label="Pictures that would change"):
            for one in shown:
                self._tick(one)
        self._rest = None
        if self._others:
            self._rest = tick(f"Also the {count(len(self._others), 'picture')} not shown here")

    def _tick(self, one: Shown) -> None:
        with box("div", "choice"):
            picture(picture_address(one.content, 96), "")
            said = f", {one.said}" if one.said else ""
            self._ticks.append((one.source, tick(f"{one.source}: {one.label or 'no label'}{said}", is_on=True)))

    def chosen(self) -> tuple[str, ...]:
        """The pictures that shall change.

        Raises:
            UserError: none.
        """
        chosen = [source for source, box_ in self._ticks if box_.props["checked"]]
        if self._rest is not None and self._rest.props["checked"]:
            chosen += self._others
        if not chosen:
            raise UserError("No picture is ticked: tick those that shall change, or cancel.")
        return tuple(chosen)


def _mended(data: Dataset, finding: Finding, fix: Fix, only: tuple[str, ...], is_dry: bool) -> Fixed:
    return mend(data, finding, fix, only=only, dry_run=is_dry)


def _pictures(fix: Fix) -> dict[str, None]:
    """In order."""
    return dict.fromkeys(picture for edit in fix.edits for picture in edit.pictures)


def _told(planned: Fixed) -> None:
    for words, lines in planned.told():
        with details(words), box("ul"):
            for line in lines[:200]:
                text("li", line, dir="auto")
            if len(lines) > 200:
                text("li", f"and {len(lines) - 200:,} more")
