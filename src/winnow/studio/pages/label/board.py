"""The pictures of a dataset in a grid, with classes to give them: our own script draws it and asks `routes.py`."""

from __future__ import annotations

import json
import shlex

from nicegui import ui

from winnow.studio.answering import aside
from winnow.studio.page import Page, Visit
from winnow.studio.parts import same_as


class BoardElement(ui.element, component="board.js"):
    """Where the script draws; it starts and stops with its page.

    Args:
        dataset: its name.
        which: the filter to begin with, as `Desk.order` knows it.
    """

    def __init__(self, dataset: str, which: str) -> None:
        super().__init__()
        self.props["dataset"] = dataset
        self.props["which"] = which


async def build(visit: Visit) -> None:
    """The board, and the same in words that a terminal understands."""
    record = await aside(visit.workspace.find_dataset, visit.path["name"])
    ui.add_head_html('<link rel="stylesheet" href="/static/label/label.css">')
    only = visit.query.get("only")
    BoardElement(record.name, f"only:{only}" if only else visit.query.get("show", "all"))
    name, quoted = shlex.quote(record.name), json.dumps(record.name, ensure_ascii=False)
    same_as(
        f"winnow suggest {name}\nwinnow relabel {name} PICTURE --label CLASS\nwinnow log {name}",
        f"import winnow\nfrom winnow.api.suggesting import suggest\ndata = winnow.load({quoted})\n"
        'suggest(data, how="useful")\ndata.relabel({"PICTURE": "CLASS"})',
    )


BOARD = Page("/label/{name}", lambda visit: f"Label {visit.path['name']}", build, room="Label")
