"""Cells of Arrow as Python's values; one that Python cannot hold costs its row, not its table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

_UNHELD = (pa.ArrowException, ValueError, OverflowError)
"""What pyarrow raises for times of the year 300,000, zones that nobody knows, and text that is no UTF-8."""


@dataclass(frozen=True, slots=True)
class Unheld:
    """Stands where a cell would be; `why`: what Python says of it."""

    why: str


def cells_of(column: Any) -> list[Any]:
    """The values of a column (a pyarrow Array), with `Unheld` for those that Python cannot hold."""
    try:
        return column.to_pylist()
    except _UNHELD:
        return [_cell(scalar) for scalar in column]


def _cell(scalar: Any) -> Any:
    try:
        return scalar.as_py()
    except _UNHELD as error:
        return Unheld(str(error)[:100])


def unheld_among(cells: Iterable[Any]) -> str | None:
    """Why the row of these cells cannot be used, or None."""
    return next((f"A cell cannot be read ({c.why}): write it anew." for c in cells if isinstance(c, Unheld)), None)
