"""One import: how it goes, then what came of it, what was left out and why, and what to do next."""

from __future__ import annotations

import shlex
from functools import partial
from urllib.parse import quote

from nicegui import ui

from winnow.api.dataset import Dataset
from winnow.data.codes import noticed
from winnow.errors import UserError
from winnow.events import Note
from winnow.report.words import count, duration
from winnow.studio.answering import Handler, aside
from winnow.studio.live import follow
from winnow.studio.page import Page, Visit
from winnow.studio.pages.importing.imports import Import, imports_of
from winnow.studio.pages.importing.refused import RefusedFiles
from winnow.studio.parts import Cell, box, details, heading, link, para, same_as, table, text

_MOST_CLASSES_OPEN = 30


async def build(visit: Visit) -> None:
    """Progress while it runs, the report when it is over."""
    ui.add_head_html('<link rel="stylesheet" href="/static/importing/import.css">')
    one = imports_of(visit.workspace).find(visit.path["number"])
    around = box("div")

    async def show() -> None:
        # Reading the table of a large dataset takes a moment.
        facts = None if one.work.outcome is None else await aside(_facts, one.work.outcome)
        around.clear()
        with around:
            if one.work.is_running:
                _progress(one, show)
            elif facts is None or one.work.outcome is None:
                _failure(one)
            else:
                _report(one, one.work.outcome, *facts)

    await show()
    same_as(*_same(one))


def _progress(one: Import, then: Handler) -> None:
    with box("section", "card"):
        heading(f"Importing {one.said}")
        follow(one.work, then, stop="Stop the import")
        para("You may leave this page or close it: the import goes on, and Import shows it again.", "hint")


def _failure(one: Import) -> None:
    with box("section", "card"):
        if one.work.state == "stopped":
            para("The import was stopped. What was read is kept: the same import goes on where it was.", "lead")
        else:
            para(one.work.error, "notice wrong", role="alert")
        link("Import again", "/import", "button")


def _facts(dataset: Dataset) -> tuple[int, dict[str, dict[str, int]], list[tuple[str, int, str]]]:
    return len(dataset), dataset.counts(), noticed(dataset.manifest.column("warnings"))


def _report(
    one: Import,
    dataset: Dataset,
    n_pictures: int,
    counts: dict[str, dict[str, int]],
    remarks: list[tuple[str, int, str]],
) -> None:
    name = quote(dataset.name)
    with box("section", "card"):
        para(
            f"{dataset.name}, version {dataset.version}: {count(n_pictures, 'picture')} of "
            f"{count(len(counts), 'class', 'classes')}, from {one.said}, in {duration(one.work.seconds)}.",
            "lead",
            role="status",
        )
        left_out = count(len(dataset.refused), "file")
        para(f"{left_out} {'was' if len(dataset.refused) == 1 else 'were'} left out." if dataset.refused else "")
        with box("div", "row"):
            link("Check the data", f"/health/{name}", "button main-action")
            link("Label", f"/label/{name}", "button")
            link("Train", f"/train/{name}", "button")
    _notes(dataset.notes)
    if dataset.refused:
        with box("section", "card"):
            RefusedFiles(dataset.refused)
    if remarks:
        with box("section", "card"):
            heading("Taken, with a remark")
            rows: list[list[Cell]] = [
                [f"{count(n, 'picture')} {what}", partial(link, code, f"/codes#{code}")] for code, n, what in remarks
            ]
            table("What was odd about pictures that came in all the same", ("What", "Code"), rows)
    _classes(counts)


def _notes(notes: tuple[Note, ...]) -> None:
    if not notes:
        return
    with box("section", "card"):
        heading("What to know")
        with box("ul"):
            for note in notes:
                with box("li"):
                    if note.is_warning:
                        text("strong", "Warning: ")
                    text("span", f"{note.text} ")
                    if note.code:
                        link(note.code, f"/codes#{note.code}")


def _classes(counts: dict[str, dict[str, int]]) -> None:
    splits = [split for split in ("train", "validation", "test") if any(split in by for by in counts.values())]
    rows: list[list[Cell]] = [
        [label, *(f"{by_split.get(split, 0):,}" for split in splits)] for label, by_split in counts.items()
    ]

    def draw() -> None:
        table("Pictures of each class", ("Class", *splits), rows)

    with box("section", "card"):
        heading("Classes")
        if not rows:
            para("No picture has a label yet: give labels on the page Label.")
        elif len(rows) <= _MOST_CLASSES_OPEN:
            draw()
        else:
            with details(f"All {len(rows)} classes"):
                draw()


def _same(one: Import) -> tuple[str, str]:
    wish = one.wish
    command = ["winnow", "import", one.named]
    said = [repr(one.named)]
    for option, value in (
        ("name", wish.name),
        ("label-column", wish.label_column),
        ("group-column", wish.group_column),
    ):
        if value:
            command += [f"--{option}", value]
            said.append(f"{option.replace('-', '_')}={value!r}")
    for option, is_on in (("add", wish.adds), ("in-place", wish.in_place)):
        if is_on:
            command.append(f"--{option}")
            said.append(f"{option.replace('-', '_')}=True")
    return shlex.join(command), f"import winnow\ndataset = winnow.load({', '.join(said)})\nprint(dataset.refused)"


def _title(visit: Visit) -> str:
    try:
        return f"Import of {imports_of(visit.workspace).find(visit.path['number']).name}"
    except UserError:  # which the page says
        return "Import"


PAGE = Page("/import/{number}", _title, build, room="Import")
