"""From what an annotation file says of its pictures to what is found: the part that is the same for every format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from winnow.data.sources.boxes import Marks
from winnow.data.sources.pictures_of import Pictures, is_address, picture_size, shown
from winnow.data.sources.source import Found, Refused, RefusedSourceError
from winnow.data.sources.tally import Tally
from winnow.data.sources.tree import Tree
from winnow.events import Note


@dataclass(slots=True)
class _Entry:
    """A picture that was named, and how."""

    name: str
    path: str
    marks: Marks
    split: str | None
    taken: str | None = None


class Annotated:
    """The pictures that annotations name, in the order in which they name them first.

    Args:
        files: the annotation files.

    Attributes:
        tally: what was mended on the way.
    """

    def __init__(self, tree: Tree, files: Sequence[str]) -> None:
        self.tally = Tally()
        # A single file on top may be all that the user named, in a folder full of other things.
        self._is_alone = len(files) == 1 and "/" not in files[0]
        self.pictures = Pictures(tree, is_lazy=self._is_alone)
        self._tree = tree
        self._items: list[_Entry | Refused] = []
        self._entries: dict[str, _Entry] = {}

    def picture(
        self,
        name: object,
        *,
        near: str,
        split: str | None = None,
        stated: tuple[float, float] | None = None,
        is_listed_twice: bool = True,
        taken: str | None = None,
        path: str | Refused | None = None,
    ) -> Marks | None:
        """Where to put what is said of the picture called `name`; None if it cannot be found (a line says why).

        Args:
            near: the annotation file.
            is_listed_twice: is naming a picture again worth a note? (Some formats have a line for each box.)
            path: the picture, where the format has its own way to find it.
        """
        path = self.pictures.find(name, near=near, split=split) if path is None else path
        if isinstance(path, Refused):
            self.refuse(path)
            return None
        known = self._entries.get(path)
        if known is None:
            known = _Entry(shown(name), path, Marks(stated), split, taken)
            self._entries[path] = known
            self._items.append(known)
            return known.marks
        if is_address(name) and shown(name) != known.name:
            reason = f"{known.name} and {shown(name)} would both be this file: keep their folders when downloading."
            known.marks.refusal = ("E_ANN_REF", reason)
        if is_listed_twice:
            self.tally.count("W_DUP", path)
        return known.marks

    def objects(self, path: str, values: object) -> Iterator[tuple[str, dict[str, Any]]]:
        """The objects in a JSON list, each with a name for messages; what is no object costs a line.

        Raises:
            RefusedSourceError: E_ANN_SCHEMA, it is no list.
        """
        if not isinstance(values, list):
            raise RefusedSourceError("E_ANN_SCHEMA", f"{path} holds no list of pictures: export the annotations anew.")
        for place, value in enumerate(cast(list[Any], values)):
            if isinstance(value, dict):
                yield f"{path}[{place}]", cast(dict[str, Any], value)
            else:
                self.refuse(Refused(f"{path}[{place}]", "E_ANN_SCHEMA", "It is no object that tells of a picture."))

    def refuse(self, line: Refused) -> None:
        """Leave something out."""
        if line.code == "E_MISSING":
            self.tally.count("W_FILE_MISSING", line.source)
        self._items.append(line)

    def found(self) -> Iterator[Found | Refused | Note]:
        """The pictures, what was refused, and notes of what was mended."""
        splits = {entry.split for entry in self._entries.values()} - {None}
        # One part alone (somebody's val.json) is all there is to learn from: its name says nothing.
        has_splits = "train" in splits and len(splits) > 1
        if self._entries and all(entry.marks.labels is None for entry in self._entries.values()):
            self.tally.count("W_NO_ANNOTATIONS", self._tree.name)
        yield from self.tally.notes()
        yield from self._unused()
        for item in self._items:
            if isinstance(item, Refused):
                yield item
            else:
                split = item.split if has_splits else None
                yield found_picture(self._tree, item.path, item.marks, split=split, taken=item.taken)

    def _unused(self) -> Iterator[Note]:
        if not self._is_alone and (unused := self.pictures.count_unused(self._entries)):
            yield Note(f"{unused} pictures here are named in no annotation: they were left out.")


def found_picture(
    tree: Tree,
    path: str,
    marks: Marks,
    *,
    split: str | None = None,
    taken: str | None = None,
) -> Found | Refused:
    """A picture with its labels, and its boxes checked against the size in its file's header."""
    if marks.refusal is not None:
        return Refused(path, *marks.refusal)
    real = picture_size(tree, path) if marks.needs_size else None
    boxes = marks.boxes(real)
    return Found(
        path,
        tree.picture(path),
        None if marks.labels is None else tuple(marks.labels),
        split=split,
        taken=taken,
        boxes=boxes,
        warnings=tuple(marks.codes),
        path=tree.file(path),
    )
