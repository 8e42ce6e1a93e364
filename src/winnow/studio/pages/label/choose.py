"""Choose the dataset whose pictures shall be labelled."""

from __future__ import annotations

from winnow.api.inventory import inventory
from winnow.studio.answering import aside
from winnow.studio.choosing import choose_dataset
from winnow.studio.page import Page, Visit
from winnow.studio.parts import box, same_as


async def build(visit: Visit) -> None:
    """A table of datasets, or where to get one."""
    datasets = (await aside(inventory, visit.workspace))["datasets"]
    with box("section", "card"):
        nothing = "There are no pictures to label yet: import some first, with or without classes."
        choose_dataset(datasets, "label", "Datasets that can be labelled", nothing=nothing)
    same_as("winnow list", "import winnow.api.inventory\nwinnow.api.inventory.inventory()")


CHOOSE = Page("/label", lambda _: "Label", build, room="Label")
