"""Train: choose what to learn from; all climbs under way, waiting and over."""

from __future__ import annotations

from urllib.parse import quote

from nicegui import ui

from winnow.api.inventory import inventory
from winnow.report.words import count
from winnow.studio.answering import aside
from winnow.studio.page import Page, Visit
from winnow.studio.pages.train.climbs import Climbs
from winnow.studio.parts import Cell, box, heading, link, para, same_as, table


async def build(visit: Visit) -> None:
    """A table of datasets, and one of climbs."""
    ui.add_head_html('<link rel="stylesheet" href="/static/train/train.css">')
    found = await aside(inventory, visit.workspace)
    para("A climb tries methods from cheap to dear and keeps the one that earned its place.", "lead")
    with box("section", "card"):
        heading("What to learn from")
        if not found["datasets"]:
            para("There is no dataset yet. Bring pictures first, one folder for each class.")
            link("Import pictures", "/import", "button main-action")
        else:
            rows: list[list[Cell]] = [
                [
                    lambda name=one["name"]: link(name, f"/train/{quote(name)}"),
                    count(one["pictures"], "picture"),
                    count(one["classes"], "class", "classes"),
                    str(one["version"]),
                ]
                for one in found["datasets"]
            ]
            table("Choose a dataset", ("Dataset", "Pictures", "Classes", "Version"), rows)
    await Climbs(visit.workspace).keep_looking()
    same_as("winnow jobs", "from winnow.api.jobs import jobs\nfor job in jobs():\n    print(job.as_dict())")


PAGE = Page("/train", lambda _: "Train", build, room="Train")
