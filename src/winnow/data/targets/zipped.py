"""One zip of class folders, or of the table and its pictures where a picture may have several labels."""

from __future__ import annotations

from winnow.data.targets.class_folders import ClassFolders
from winnow.data.targets.csv_folder import CsvFolder
from winnow.data.targets.target import Out, Outgoing, Target
from winnow.events import Note, Tell


class Zipped:
    """One file to send to somebody. Nothing is packed: pictures are already."""

    name = "zip"
    title = "a zip of class folders, or of a table (CSV) and pictures where pictures have several labels"
    is_file = True

    def notes(self, going: Outgoing) -> list[Note]:
        """Those of the format inside; raises as it does."""
        return _inside(going).notes(going)

    def write(self, going: Outgoing, out: Out, tell: Tell) -> None:
        """As the format inside."""
        _inside(going).write(going, out, tell)


def _inside(going: Outgoing) -> Target:
    return CsvFolder() if going.has_several_labels else ClassFolders()
