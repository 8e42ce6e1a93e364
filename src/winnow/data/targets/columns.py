"""The columns that a table of pictures has beside the picture and its labels, called as an import knows them again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from winnow.data.manifest import Example
from winnow.data.sources.tables.names import LABEL_NAME_COLUMNS, USUAL_NAMES, plain
from winnow.data.targets.target import Outgoing
from winnow.events import Note


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns are written.

    Attributes:
        said: those of group, weight and taken that are needed.
        metadata: what else is said of the pictures: the name in the manifest to that of the column.
    """

    said: tuple[str, ...]
    metadata: Mapping[str, str]

    @classmethod
    def of(cls, going: Outgoing, *, picture: str) -> Columns:
        """The columns that a dataset needs.

        Args:
            picture: what the column of pictures is called.
        """
        names = _metadata_names(going)
        # A column that is full of defaults is left out. But where there is metadata, all are written: without a
        # column called group, an import may take the metadata "patient" for one.
        said = tuple(name for name in ("group", "weight", "taken") if names or _is_said(going, name))
        taken = set(_taken_names(picture))
        columns: dict[str, str] = {}
        for name in names:
            columns[name] = next(choice for choice in _choices(name) if plain(choice) not in taken)
            taken.add(plain(columns[name]))
        return cls(said, columns)

    @property
    def numbers(self) -> frozenset[str]:
        """Those of numbers; the others are of text."""
        return frozenset({"weight"} & set(self.said))

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in their order."""
        return (*self.said, *self.metadata.values())

    def notes(self) -> list[Note]:
        """Which columns have another name now."""
        renamed = [f"'{name[:50]}' becomes '{new[:50]}'" for name, new in self.metadata.items() if name != new]
        if not renamed:
            return []
        text = f"Columns with names that an import would take for something else: {', '.join(renamed[:5])}."
        return [Note(text, is_warning=True, code="W_COLUMN_RENAMED")]

    def values(self, example: Example) -> list[str | float | None]:
        """One for each of `names`."""
        said = {"group": example.group, "weight": example.weight, "taken": example.taken}
        return [*(said[name] for name in self.said), *(example.metadata.get(name) for name in self.metadata)]


def _is_said(going: Outgoing, name: str) -> bool:
    values = going.table[name]
    return values.null_count < len(values) if name != "weight" else set(values.unique().to_pylist()) - {1.0} != set()


def _metadata_names(going: Outgoing) -> list[str]:
    """All names of metadata, in the order in which they occur first."""
    names: dict[str, None] = {}
    for chunk in going.table["metadata"].chunks:
        names.update(dict.fromkeys(chunk.keys.unique().to_pylist()))
    return list(names)


def _taken_names(picture: str) -> Iterable[str]:
    """What no metadata may be called: our own columns, and what an import would believe rather than these."""
    usual = USUAL_NAMES["picture"]
    yield from usual[: usual.index(picture) + 1]
    yield from ("label", "labels", *LABEL_NAME_COLUMNS, "split", "group", "weight")
    yield from USUAL_NAMES["time"]  # where no picture of a file has a time, the next best column is taken for it


def _choices(name: str) -> Iterator[str]:
    yield name
    number = 2
    while True:
        yield f"{name} ({number})"
        number += 1
