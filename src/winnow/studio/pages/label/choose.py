"""Choose the dataset whose pictures shall be labelled."""

from __future__ import annotations

from winnow.api.inventory import inventory
from winnow.report.words import count
from winnow.studio.answering import aside
from winnow.studio.page import Page, Visit
from winnow.studio.parts import Cell, box, link, para, same_as, table


async def build(visit: Visit) -> None:
    """A table of datasets, or where to get one."""
    datasets = (await aside(inventory, visit.workspace))["datasets"]
    with box("section", "card"):
        if not datasets:
            para("There are no pictures to label yet: import some first, with or without classes.")
            link("Import pictures", "/import", "button main-action")
        else:
            rows: list[list[Cell]] = [
                [
                    lambda name=one["name"]: link(name, f"/label/{name}"),
                    count(one["pictures"], "picture"),
                    count(one["classes"], "class", "classes"),
                ]
                for one in datasets
            ]
            table("Datasets that can be labelled", ("Name", "Pictures", "Classes"), rows)
    same_as("winnow list", "import winnow.api.inventory\nwinnow.api.inventory.inventory()")


CHOOSE = Page("/label", lambda _: "Label", build, room="Label")
