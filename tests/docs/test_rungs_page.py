"""The page of rungs names every rung there is, in ladder order, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from winnow.tasks.classify.rungs import all_rungs
from winnow.tasks.multilabel.rungs import all_rungs as all_multilabel_rungs

PAGE = Path(__file__).parents[2] / "docs" / "rungs.md"


def test_the_page_lists_the_ladder():
    named = re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert named == [rung.name for rung in all_rungs()]


def test_it_tells_how_the_ladder_of_several_classes_differs():
    page = PAGE.read_text(encoding="utf-8")
    others = {rung.name for rung in all_multilabel_rungs()} - {rung.name for rung in all_rungs()}
    assert all(f"`{name}`" in page for name in others)
