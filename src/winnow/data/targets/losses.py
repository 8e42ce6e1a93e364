"""What of a dataset a format cannot hold: told before anything is written, with the format that can."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow.compute as pc

from winnow.data.targets.target import Outgoing, pictures
from winnow.events import Note

# Its functions are made at run time, where no type checker sees them.
_compute: Any = pc

# By column: what is lost, and who holds it.
_PARTS = {
    "boxes": ("boxes", "coco"),
    "group": ("groups", "csv or parquet"),
    "weight": ("weights", "csv or parquet"),
    "taken": ("times (those inside of the picture files stay there)", "csv, parquet or coco"),
    "metadata": ("further columns", "csv or parquet"),
}


def losses(going: Outgoing, title: str, lost: Iterable[str]) -> list[Note]:
    """A note for what pictures have and the format does not hold.

    Args:
        title: of the format.
        lost: columns of the manifest out of boxes, group, weight, taken and metadata.
    """
    found = [(column, n) for column in lost if (n := _how_many(going, column))]
    if not found:
        return []
    parts = "; ".join(f"the {_PARTS[column][0]} of {pictures(n)} (--to {_PARTS[column][1]})" for column, n in found)
    return [Note(f"Not written, because there is no place for it in {title}: {parts}.", True, "W_NOT_WRITTEN")]


def _how_many(going: Outgoing, column: str) -> int:
    """How many pictures have something there."""
    values = going.table[column]
    if column == "metadata":  # a map, of which Arrow counts nothing
        return sum(int(np.count_nonzero(np.diff(chunk.offsets.to_numpy()))) for chunk in values.chunks)
    if column == "boxes":
        has = _compute.greater(_compute.list_value_length(values), 0)
    elif column == "weight":
        has = _compute.not_equal(values, 1.0)
    else:
        has = _compute.is_valid(values)
    return int(_compute.sum(has).as_py() or 0)
