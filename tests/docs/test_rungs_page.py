"""The page of rungs names every rung there is, in ladder order, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from winnow.tasks.classify.rungs import all_rungs

PAGE = Path(__file__).parents[2] / "docs" / "rungs.md"


def test_the_page_lists_the_ladder():
    named = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert named == [rung.name for rung in all_rungs()]
