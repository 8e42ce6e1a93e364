"""Home: datasets, climbs under way, models; and what to do first."""

from __future__ import annotations

from winnow.api.inventory import inventory
from winnow.report.words import count
from winnow.studio.page import Page, Visit
from winnow.studio.parts import Cell, aside, box, heading, link, para, same_as, table


async def build(visit: Visit) -> None:
    """Three tables, or an invitation."""
    found = await aside(inventory, visit.workspace)
    if not found["datasets"]:
        with box("section", "card"):
            para("Nothing is here yet. Bring pictures, one folder for each class, or try the digits that come along.")
            link("Import pictures", "/import", "button")
    else:
        with box("section", "card"):
            heading("Datasets")
            rows: list[list[Cell]] = [
                [
                    lambda name=one["name"]: link(name, f"/label/{name}"),
                    count(one["pictures"], "picture"),
                    count(one["classes"], "class", "classes"),
                    str(one["version"]),
                ]
                for one in found["datasets"]
            ]
            table("What there is to learn from", ("Name", "Pictures", "Classes", "Version"), rows)
    same_as("winnow list", "import winnow\nwinnow.inventory()")


PAGE = Page("/", lambda _: "Winnow", build, room="Home")
