"""What was done to a dataset, and the ways back."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from winnow.api.dataset import Dataset
from winnow.errors import UserError
from winnow.report.words import count
from winnow.studio.answering import aside
from winnow.studio.checks import checks_of
from winnow.studio.moments import moment
from winnow.studio.pages.health.mending import Changed
from winnow.studio.parts import Cell, box, button, details, para, table
from winnow.workspace.records import VersionRecord

_MOST_LISTED = 50


def last_change(data: Dataset, changed: Changed) -> ui.element | None:
    """What was mended last from this page, with a button that undoes it, which is given; None where nothing was."""
    fixed = checks_of(data.workspace).last_fix.get(data.name)
    if fixed is None or fixed.version != data.version or fixed.parent is None:
        return None
    back_to = fixed.parent

    async def undo() -> None:
        newest = data.workspace.find_version(data.name).number
        if newest != data.version:
            raise UserError(
                f"Version {newest} was made meanwhile, and undoing would lose it: go back in the list of versions."
            )
        await _go_back(data, back_to, changed)

    with box("section", "card"):
        done = "; ".join(words for words, _ in fixed.told())
        para(f"Version {fixed.version} was made. {done}.")
        return button("Undo", undo)


def draw_versions(data: Dataset, versions: list[VersionRecord], changed: Changed) -> ui.element:
    """All versions, with buttons that go back; gives the words that open the list."""
    with details(f"Versions of this dataset ({len(versions)})") as around:
        rows: list[list[Cell]] = [
            [
                str(one.number),
                one.what,
                one.who,
                moment(one.created),
                count(one.examples, "picture"),
                partial(_back, data, one, changed),
            ]
            for one in versions[:_MOST_LISTED]
        ]
        table("The newest first", ("Version", "What was done", "By", "When", "Holds", "Way back"), rows)
        if len(versions) > _MOST_LISTED:
            para(f"{len(versions) - _MOST_LISTED:,} older ones: winnow log shows them.", "hint")
    return around.default_slot.children[0]


def _back(data: Dataset, one: VersionRecord, changed: Changed) -> None:
    if one.number != data.version:
        button(f"Go back to version {one.number}", lambda: _go_back(data, one.number, changed), "quiet")


async def _go_back(data: Dataset, number: int, changed: Changed) -> None:
    restored = await aside(data.restore, number)
    checks_of(data.workspace).last_fix.pop(data.name, None)
    await changed(f"Version {restored.version} equals version {number}.")
