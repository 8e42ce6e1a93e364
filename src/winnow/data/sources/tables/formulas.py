"""Cells of CSV that a spreadsheet would run as formulas, written as text; and read back to the last sign.

Excel and others take a cell that begins with = + - or @ for a formula, wherever the file came from (OWASP, "CSV
injection"). An apostrophe in front makes it text. So that reading can tell our apostrophe from one that was there,
a cell that begins with apostrophes and such a sign gets one more, and reading takes one away. Plain numbers stay as
they are: -1 is a usual label, and no harm.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")


def as_text(cell: str) -> str:
    """The cell as a spreadsheet shows it.

    >>> as_text("=1+1"), as_text("-1"), as_text("'=1+1"), as_text("cat")
    ("'=1+1", '-1', "''=1+1", 'cat')
    """
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def from_text(cell: str) -> str:
    """The cell as it was before `as_text`; others are left alone.

    >>> from_text("'=1+1"), from_text("=1+1"), from_text("'cat'")
    ('=1+1', '=1+1', "'cat'")
    """
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
