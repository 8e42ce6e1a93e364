"""train/cats/1.jpg: a folder for each split, in it one for each class. What every program reads, and people, too."""

from __future__ import annotations

from winnow.data.manifest import Example
from winnow.data.sources.disk_names import UNLABELLED, folders_of_classes
from winnow.data.targets.file_names import FileNames
from winnow.data.targets.losses import losses
from winnow.data.targets.target import Out, Outgoing, Told, pictures
from winnow.errors import UserError
from winnow.events import Note, Tell


class ClassFolders:
    """One class a picture. Pictures without a label lie in a folder of their own, that an import knows again."""

    name = "folders"
    title = "one folder for each class"
    is_file = False

    def notes(self, going: Outgoing) -> list[Note]:
        """What folders do not hold, and what other programs will make of pictures without a label.

        Raises:
            UserError: a picture has several labels, or a class has a name that no folder can have.
        """
        if going.has_several_labels:
            raise UserError(
                f"Pictures of '{going.name}' have several labels or none that applies, and a file lies in one folder: "
                "export to csv, coco or parquet."
            )
        folders_of_classes(going.classes)
        notes = losses(going, self.title, ("boxes", "group", "weight", "taken", "metadata"))
        if n := going.table["labels"].null_count:
            text = f"{pictures(n)} without a label: in {UNLABELLED}, which other programs will take for a class."
            notes.append(Note(text, is_warning=True, code="W_UNLABELLED"))
        return notes

    def write(self, going: Outgoing, out: Out, tell: Tell) -> None:
        """The files as they are."""
        folders, names, told = folders_of_classes(going.classes), FileNames(), Told(going, tell)
        for example in going.examples():
            out.write(names.name(example, _folder(example, folders)), going.read(example.content))
            told.one_more()


def _folder(example: Example, folders: dict[str, str]) -> str:
    return f"{example.split}/{UNLABELLED if example.label is None else folders[example.label]}"
