"""Playground: a small network, a race of optimisers and back-propagation by hand, computed in the browser itself."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from winnow.studio.page import Page, Visit
from winnow.studio.parts import drawing, para, same_as

STUDIES = ("xor", "momentum", "optimisers")
"""What measures the same with PyTorch, seed by seed."""
_MARKUP = Path(__file__).parents[1] / "static" / "playground" / "playground.html"
_HEAD = (
    '<link rel="stylesheet" href="/static/playground/playground.css">'
    '<script type="module" src="/static/playground/page.js"></script>'
)


async def build(visit: Visit) -> None:
    """Our own markup: the scripts in `static/playground/` make it work, and nothing is sent anywhere."""
    del visit
    ui.add_head_html(_HEAD)
    para("Nothing here needs a dataset: all is computed in this browser, and the same seed gives the same again.")
    drawing(_MARKUP.read_text("utf-8"), "playground")
    same_as(
        "\n".join(f"winnow study {name}" for name in STUDIES),
        "\n".join(["import winnow", *(f'print(winnow.study("{name}").sentence)' for name in STUDIES)]),
    )


PAGE = Page("/playground", lambda _: "Playground", build, room="Playground")
