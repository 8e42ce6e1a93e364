"""Import: drop a folder or a zip, choose a path on this machine, or paste a table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nicegui import ui
from nicegui.events import GenericEventArguments

from winnow.errors import UserError
from winnow.report.words import count
from winnow.studio.answering import guarded
from winnow.studio.fields import area, choice, field, tick
from winnow.studio.page import Page, Visit
from winnow.studio.pages.importing.browse import Browser
from winnow.studio.pages.importing.imports import Import, ImportWish, imports_of
from winnow.studio.pages.importing.receiving import uploads_of
from winnow.studio.parts import Cell, box, button, details, heading, link, para, same_as, table, text
from winnow.workspace.workspace import Workspace

_STATES = {"running": "under way", "done": "done", "failed": "failed", "stopped": "stopped"}


async def build(visit: Visit) -> None:
    """What was started before, then three ways to bring pictures."""
    ui.add_head_html('<link rel="stylesheet" href="/static/importing/import.css">')
    ui.add_head_html('<script type="module" src="/static/importing/import.js"></script>')
    _earlier(visit.workspace)
    para(
        "Bring pictures in class folders (one folder for each class), with a table of labels, or in any layout that "
        "other tools write. Your files are only read; nothing leaves this machine."
    )
    choices = _Choices(visit)
    _drop(visit.workspace, choices)
    await _path(visit.workspace, choices)
    _table(visit.workspace, choices)
    with box("section", "card"):
        heading("No pictures at hand")
        para("Try the 1,797 handwritten digits that come along.")
        button("Import the digits", lambda: _go(imports_of(visit.workspace).of_example()))
    same_as(
        "winnow import ./photos --name photos",
        'import winnow\nphotos = winnow.load("photos", name="photos")\nprint(photos)',
    )


def _go(one: Import) -> None:
    ui.navigate.to(f"/import/{one.number}")


def _earlier(workspace: Workspace) -> None:
    earlier = imports_of(workspace).all()
    if not earlier:
        return
    with box("section", "card"):
        heading("Imports since the studio was opened")
        rows: list[list[Cell]] = [
            [
                lambda one=one: link(one.name, f"/import/{one.number}"),
                one.said,
                _STATES[one.work.state],
                "" if one.work.outcome is None else count(len(one.work.outcome.refused), "file"),
            ]
            for one in earlier
        ]
        table("The newest first", ("Dataset", "From", "State", "Left out"), rows)


class _Choices:
    """What holds for all three ways."""

    def __init__(self, visit: Visit) -> None:
        joins = visit.query.get("add", "")
        with box("section", "card"):
            with box("div", "row"):
                self._name = field("Name of the dataset", value=joins, hint="If left empty: after the folder or file.")
                self._if_there = choice(
                    "If there is a dataset of that name",
                    {"replace": "The pictures are its new version", "add": "The pictures join those it has"},
                    value="add" if joins else "replace",
                    hint="Older versions stay either way.",
                )
            with details("More choices"):
                self._in_place = tick("Leave the files where they are, and copy nothing (not for dropped files)")
                with box("div", "row"):
                    self._label = field(
                        "Column of the labels", hint="Of a table, where its name is not label or class."
                    )
                    self._group = field(
                        "Column of what belongs together",
                        hint="A patient, a video: never cut in two by a split (group).",
                    )

    def wish(self) -> ImportWish:
        """As it stands now."""
        return ImportWish(
            name=str(self._name.props["value"]),
            adds=self._if_there.props["value"] == "add",
            in_place=bool(self._in_place.props["checked"]),
            label_column=str(self._label.props["value"]),
            group_column=str(self._group.props["value"]),
        ).checked()


def _drop(workspace: Workspace, choices: _Choices) -> None:
    uploads = uploads_of(workspace)

    def uploaded(event: GenericEventArguments) -> None:
        upload_id, said = str(event.args["id"]), str(event.args["said"])
        upload = uploads.find(upload_id)
        try:
            source = upload.source
            wish = replace(choices.wish(), in_place=False)
            upload.is_being_imported = True
            one = imports_of(workspace).start(
                source, wish, said=said, named=said, afterwards=lambda: uploads.remove(upload_id)
            )
        except UserError:
            uploads.remove(upload_id)
            raise
        _go(one)

    with box("section", "card", id="drop") as zone:
        heading("Drop a folder or a zip here")
        with box("div", "row", id="pick"):
            for name, words, more in (
                ("pick-folder", "Choose a folder", {"webkitdirectory": True}),
                ("pick-files", "Choose a zip, a table or pictures", {"multiple": True}),
            ):
                with box("label", "button"):
                    text("span", words)
                    box("input", "unseen", type="file", id=name, **more)
        para("", role="status", id="upload-state")
        with box("div", "row"):
            box("progress", id="upload-progress", max=1, hidden=True, aria_label="How much of it is here")
            text("button", "Give up", id="give-up", type="button", hidden=True)
        para("Keep this page open until all files are here; then it may be closed, and the import goes on.", "hint")
    zone.on("uploaded", lambda event: guarded(lambda: uploaded(event)), js_handler="(event) => emit(event.detail)")


async def _path(workspace: Workspace, choices: _Choices) -> None:
    def begin() -> None:
        _go(imports_of(workspace).of_path(str(path.props["value"]), choices.wish()))

    with box("section", "card"):
        heading("A folder or file on this machine")
        with box("div", "row beside-hints"):
            path = field("Path", hint="A folder, an archive, a table or an annotation file.")
            button("Import this path", begin, "main-action")
        path.on("keydown.enter", lambda: guarded(begin))
        with details("Look through the folders of this machine"):
            browser = Browser(path)
        await guarded(lambda: browser.open(Path.home(), moves=False))


def _table(workspace: Workspace, choices: _Choices) -> None:
    def begin() -> None:
        pasted, where = str(lines.props["value"]), str(folder.props["value"])
        _go(imports_of(workspace).of_text(pasted, where, choices.wish()))

    with box("section", "card"):
        heading("A table that you paste")
        lines = area(
            "Lines of the table",
            hint="From a spreadsheet or a CSV file: the first line names the columns, such as path,label,group. "
            "Give the dataset a name above.",
            rows=6,
            spellcheck="false",
            placeholder="path,label\ncats/1.jpg,cat\ndogs/1.jpg,dog",
        )
        with box("div", "row beside-hints"):
            folder = field("Folder of its pictures", hint="The paths in the table start there.")
            button("Import the table", begin)


PAGE = Page("/import", lambda _: "Import", build, room="Import")
