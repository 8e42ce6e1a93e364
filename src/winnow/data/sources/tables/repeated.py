"""Tables that name the same file in several rows: by accident, or because they have a row for each label or box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from winnow.data.sources.tables.labels import BadLabelError, LabelCells
from winnow.data.sources.tables.names import plain
from winnow.data.sources.tables.table import Row, Table
from winnow.events import Note

Labels = tuple[str, ...] | None

# One picture in a thousand under two classes is a mistake, which must not turn a table of one class each into one of
# several; one in twenty is a way to write.
_LONG_SHARE = 0.05
_BOX_COLUMNS = frozenset({"xmin", "ymin", "xmax", "ymax"})


def joined_labels(table: Table, picture: int, cells: LabelCells) -> tuple[Mapping[str, Labels], list[Note]]:
    """The labels of files that several rows name, and what to say about it; of those, only the first row counts.

    Rows that say the same are one. Rows that say different labels are joined where the table is written so (one picture
    in twenty, or a row for each box); a few that differ are left as they are: somebody made a mistake.

    Args:
        picture: the column of paths.
        cells: how labels are read.
    """
    n_files, repeated = _repeated(table, picture)
    if not repeated:
        return {}, []
    said: dict[str, list[Labels]] = {key: [] for key in repeated}
    for row in table.rows():
        if isinstance(row, Row) and (key := key_of(row.values[picture])) in said:
            try:
                said[key].append(cells.labels(row.values))
            except BadLabelError:
                continue  # the row costs a line of its own
    differ = {key for key, labels in said.items() if len(set(labels)) > 1}
    is_long = len(differ) >= _LONG_SHARE * n_files or {plain(name) for name in table.columns} >= _BOX_COLUMNS
    joined = {key: _union(labels) for key, labels in said.items() if labels and (is_long or key not in differ)}
    n_rows = sum(len(said[key]) - 1 for key in joined)
    if not n_rows:
        return {}, []
    what = "their labels were joined" if is_long and differ else "they say the same labels, and the first row counts"
    text = f"{n_rows} rows of {table.name} name a picture again (the first: {next(iter(joined))[:100]}): {what}."
    return joined, [Note(text, code="W_DUP")]


def key_of(cell: Any) -> str:
    """What a cell calls its file; "" for a picture that lies in the table itself."""
    return cell.strip() if isinstance(cell, str) and len(cell) < 1000 else ""


def _repeated(table: Table, picture: int) -> tuple[int, Sequence[str]]:
    """How many files are named, and which more than once. Hashes of a million paths fit where the paths would not."""
    seen: set[int] = set()
    repeated: dict[str, None] = {}
    for row in table.rows():
        if isinstance(row, Row) and (key := key_of(row.values[picture])):
            if (known := hash(key)) in seen:
                repeated[key] = None
            seen.add(known)
    return len(seen), list(repeated)


def _union(all_labels: Sequence[Labels]) -> Labels:
    """All labels once, in their order; None only if no row says anything."""
    told = [labels for labels in all_labels if labels is not None]
    return tuple(dict.fromkeys(label for labels in told for label in labels)) if told else None
