"""What holds for every page: anyone can use it, at any width, in both themes, and it speaks to nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from winnow.studio.pages import PAGES

from .window import Studio, Watched

AXE = Path(os.environ.get("AXE_CORE", Path(__file__).parents[3] / ".venv-dev/npm/node_modules/axe-core/axe.min.js"))
NAMES = {"name": "digits", "model": "digits", "job": "1", "number": "1"}
ADDRESSES = [page.path.format(**NAMES) for page in PAGES]
LOOKS = {"wide and light": (1440, "light"), "narrow and dark": (400, "dark")}


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.is_file():
        pytest.skip("needs axe-core: make test fetches it with npm")
    return AXE.read_text("utf-8")


@pytest.fixture
def studio(stocked: Path, open_studio: Callable[[Path], Studio]) -> Iterator[Studio]:
    return open_studio(stocked)


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_shuts_anyone_out(look: str, studio: Studio, watched: Callable[..., Watched], axe: str):
    width, theme = LOOKS[look]
    window = watched(studio, width=width, theme=theme)
    found: list[str] = []
    for address in ADDRESSES:
        window.go(address)
        window.page.evaluate(axe)
        outcome = window.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            f"{address}: {one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
            for one in outcome["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        if window.page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{address}: wider than {width} px")
    assert not found
