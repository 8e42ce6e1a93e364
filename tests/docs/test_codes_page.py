"""Every code that Winnow gives is explained, and no other."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"\b[EW]_[A-Z0-9_]+\b")


def test_every_code_in_the_source_is_explained_and_no_other():
    given = {
        code
        for path in (ROOT / "src").rglob("*.py")
        for text in re.findall(r'"([EW]_[A-Z0-9_]+)"', path.read_text("utf-8"))
        for code in CODE.findall(text)
    }
    page = (ROOT / "docs" / "codes.md").read_text("utf-8")
    assert set(CODE.findall(page)) == given
