"""Train: choose what to learn from; all climbs under way, waiting and over."""

from __future__ import annotations

from nicegui import ui

from winnow.api.inventory import inventory
from winnow.studio.answering import aside
from winnow.studio.choosing import choose_dataset
from winnow.studio.page import Page, Visit
from winnow.studio.pages.train.climbs import Climbs
from winnow.studio.parts import box, heading, para, same_as


async def build(visit: Visit) -> None:
    """A table of datasets, and one of climbs."""
    ui.add_head_html('<link rel="stylesheet" href="/static/train/train.css">')
    found = await aside(inventory, visit.workspace)
    para("A climb tries methods from cheap to dear and keeps the one that earned its place.", "lead")
    with box("section", "card"):
        heading("What to learn from")
        nothing = "There is no dataset yet. Bring pictures first, one folder for each class."
        choose_dataset(found["datasets"], "train", "Choose a dataset", nothing=nothing)
    await Climbs(visit.workspace).keep_looking()
    same_as("winnow jobs", "from winnow.api.jobs import jobs\nfor job in jobs():\n    print(job.as_dict())")


PAGE = Page("/train", lambda _: "Train", build, room="Train")
