"""labels.csv beside images/: one row a picture. What spreadsheets and pandas read, with all but the boxes.

UTF-8 without a byte order mark: with one, most programs would call the first column "\\ufeffpath". Excel asks for the
encoding when the file is imported rather than double-clicked.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable

from winnow.data.sources.tables.formulas import as_text
from winnow.data.sources.tables.labels import separator_of
from winnow.data.targets.columns import Columns
from winnow.data.targets.file_names import FileNames
from winnow.data.targets.losses import losses
from winnow.data.targets.target import Out, Outgoing, Told
from winnow.events import Note, Tell

TABLE = "labels.csv"
_OWN = ("path", "label", "split")

_Labels = tuple[str, ...] | None


class CsvFolder:
    """Several labels are written cat|dog, or as a JSON list where a name or an empty list does not allow that."""

    name = "csv"
    title = "a table (CSV) beside the pictures"
    is_file = False

    def notes(self, going: Outgoing) -> list[Note]:
        """Boxes have no place here; which columns are renamed."""
        return [*losses(going, self.title, ("boxes",)), *Columns.of(going, picture=_OWN[0]).notes()]

    def write(self, going: Outgoing, out: Out, tell: Tell) -> None:
        """The table, and the files as they are, in the folders in which they were."""
        columns, names, told = Columns.of(going, picture=_OWN[0]), FileNames(), Told(going, tell)
        label_cell = _label_cells(going)
        with out.open(TABLE) as file:
            text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
            rows = csv.writer(text)  # lines end with CR LF (RFC 4180)
            rows.writerow(_cells([*_OWN, *columns.names]))
            for example in going.examples():
                path = names.path(example, "images")
                out.write(path, going.read(example.content))
                rows.writerow(_cells([path, label_cell(example.labels), example.split, *columns.values(example)]))
                told.one_more()
            text.detach()


def _cells(values: Iterable[str | float | None]) -> list[str]:
    # No text that is read as CSV holds a NUL.
    return [as_text(v).replace("\0", "%00") if isinstance(v, str) else "" if v is None else repr(v) for v in values]


def _label_cells(going: Outgoing) -> Callable[[_Labels], str]:
    """How labels are written: the plainest way in which an import reads the same again."""
    all_labels = going.different_labels()
    for way, separator in ((_bare, ""), (_joined, "|")):
        if all(labels is None or _divided(way(labels), separator) == labels for labels in all_labels):
            # An import looks at all different cells and finds out what divides them.
            cells = [cell for labels in all_labels if (cell := way(labels).strip())]
            if separator_of(sorted(cells), "label")[0] == separator:
                return way
    return _listed


def _divided(cell: str, separator: str) -> tuple[str, ...]:
    return tuple(cell.split(separator)) if separator else (cell,)


def _bare(labels: _Labels) -> str:
    return "" if labels is None else "".join(labels[:1])


def _joined(labels: _Labels) -> str:
    return "" if labels is None else "|".join(labels)


def _listed(labels: _Labels) -> str:
    return "" if labels is None else json.dumps(labels, ensure_ascii=False)
