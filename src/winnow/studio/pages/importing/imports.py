"""Imports under way and over, kept while the studio runs: a page that is left finds its import again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from winnow.api.dataset import Dataset
from winnow.api.loading import EXAMPLE, load
from winnow.data.paths import at_home, is_there
from winnow.data.sources import open_source
from winnow.data.sources.table_text import TableText
from winnow.errors import UserError
from winnow.events import Tell
from winnow.studio.background import Background
from winnow.studio.per_workspace import PerWorkspace
from winnow.workspace.names import same_name_key, valid_name
from winnow.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class ImportWish:
    """How pictures shall be imported, as `winnow.load` takes it; "" is its default."""

    name: str = ""
    adds: bool = False
    in_place: bool = False
    label_column: str = ""
    group_column: str = ""

    def checked(self) -> ImportWish:
        """The wish with its name as it will be kept.

        Raises:
            UserError: no dataset can be called so, or pictures shall join a dataset that is not named.
        """
        if self.adds and not self.name.strip():
            raise UserError("Say which dataset the pictures join: fill in its name.")
        name = valid_name(self.name) if self.name.strip() else ""
        return ImportWish(name, self.adds, self.in_place, self.label_column.strip(), self.group_column.strip())

    def arguments(self) -> dict[str, Any]:
        """For `winnow.load`."""
        said: dict[str, Any] = {"add": self.adds, "in_place": self.in_place}
        texts = {"name": self.name, "label_column": self.label_column, "group_column": self.group_column}
        return said | {key: text for key, text in texts.items() if text}


@dataclass(frozen=True)
class Import:
    """One import: what of, how, and its work.

    Attributes:
        number: counted from 1 while the studio runs.
        said: where the pictures come from, as the user knows it.
        named: what the same command line names.
        wish: how.
        work: gives the dataset.
    """

    number: int
    said: str
    named: str
    wish: ImportWish
    work: Background[Dataset] = field(repr=False)

    @property
    def name(self) -> str:
        """Of the dataset, as far as it is known."""
        return self.work.outcome.name if self.work.outcome is not None else self.wish.name or self.said


class Imports:
    """All imports of one workspace since the studio was started."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._all: dict[int, Import] = {}

    def all(self) -> list[Import]:
        """The newest first."""
        return list(self._all.values())[::-1]

    def find(self, number: str) -> Import:
        """The import of that number.

        Raises:
            UserError: there is none since the studio was started.
        """
        found = self._all.get(int(number)) if number.isdecimal() and len(number) < 10 else None
        if found is None:
            raise UserError(
                f"There is no import {number[:20]} since the studio was started; what was imported stands on Home."
            )
        return found

    def of_path(self, text: str, wish: ImportWish) -> Import:
        """Import a folder, archive, table or annotation file of this machine.

        Raises:
            NotFoundError: there is nothing at that path.
            UserError: no path was given, or see `ImportWish.checked`.
        """
        if not text.strip():
            raise UserError("No path is given: type the path of a folder, or choose one below.")
        path = at_home(Path(text.strip()))
        if not is_there(path):
            open_source(str(path))  # says what is near; `load` would take a bare word for a dataset's name
        shown = str(path.absolute())
        return self.start(path.absolute(), wish, said=shown, named=shown)

    def of_text(self, text: str, folder: str, wish: ImportWish) -> Import:
        """Import the pictures that a pasted table names, below a folder of this machine.

        Raises:
            UserError: the table or the folder is missing, or see `ImportWish.checked`.
        """
        if not text.strip():
            raise UserError("The table is empty: paste lines such as path,label and then cats/1.jpg,cat.")
        where = at_home(Path(folder.strip()))
        if not folder.strip() or not is_there(where) or not where.is_dir():
            raise UserError(f"There is no folder {folder.strip() or '(none given)'}: say where the pictures lie.")
        if not wish.name.strip():
            raise UserError("A pasted table has no name of its own: fill in what to call the dataset.")
        table = TableText(text, where.absolute())
        return self.start(table, wish, said="a pasted table", named=str(where.absolute() / "labels.csv"))

    def of_example(self) -> Import:
        """Import the embedded digits, or look on where that is under way."""
        for one in self.all():
            if one.named == EXAMPLE and one.work.is_running:
                return one
        return self.start(EXAMPLE, ImportWish(), said="the digits that come along", named=EXAMPLE)

    def start(
        self, source: Any, wish: ImportWish, *, said: str, named: str, afterwards: Callable[[], None] = lambda: None
    ) -> Import:
        """Import what `winnow.load` takes.

        Args:
            source: a path, a table, or "digits".
            wish: how.
            said: where the pictures come from, in words.
            named: what the command line would name.
            afterwards: called when the import is over.

        Raises:
            UserError: see `ImportWish.checked`; or the same dataset is being imported into already.
        """
        wish = wish.checked()
        for other in self.all():
            if wish.name and other.work.is_running and same_name_key(other.name) == same_name_key(wish.name):
                raise UserError(f"Pictures are being imported into '{other.name}' now: wait for it, then go on.")

        def work(tell: Tell) -> Dataset:
            return load(source, workspace=self._workspace, tell=tell, **wish.arguments())

        number = len(self._all) + 1
        self._all[number] = Import(number, said, named, wish, Background(work, afterwards))
        return self._all[number]


imports_of = PerWorkspace(Imports)
"""The imports of a workspace, the same for all pages."""
