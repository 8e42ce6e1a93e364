"""Choosing a dataset: the first step of Label and of Train."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from winnow.report.words import count
from winnow.studio.parts import Cell, link, para, table


def choose_dataset(datasets: Sequence[dict[str, Any]], room: str, caption: str, *, nothing: str) -> None:
    """A table of datasets, or the way to the first one.

    Args:
        datasets: as `winnow.api.inventory` tells of them.
        room: where a dataset's name leads: "label" to /label/NAME.
        caption: of the table.
        nothing: said where there is none.
    """
    if not datasets:
        para(nothing)
        link("Import pictures", "/import", "button main-action")
        return
    rows: list[list[Cell]] = [
        [
            partial(link, one["name"], f"/{room}/{quote(one['name'])}"),
            count(one["pictures"], "picture"),
            count(one["classes"], "class", "classes"),
            str(one["version"]),
        ]
        for one in datasets
    ]
    table(caption, ("Dataset", "Pictures", "Classes", "Version"), rows)
