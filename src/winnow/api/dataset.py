"""A dataset: a name, an immutable version, and its examples."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from winnow.data.manifest import Example, Manifest
from winnow.data.sources.source import Refused
from winnow.errors import NotFoundError, UserError
from winnow.events import Note
from winnow.workspace.workspace import Workspace


@contextmanager
def using(workspace: str | Path | Workspace | None) -> Generator[Workspace]:
    """A workspace given open, by its folder, or the default one; closed again if it was opened here."""
    if isinstance(workspace, Workspace):
        yield workspace
        return
    with Workspace.open(None if workspace is None else Path(workspace).expanduser()) as opened:
        yield opened


class Dataset:
    """One version of a dataset in a workspace; never changes. Editing gives a new one.

    Attributes:
        name: of the dataset.
        version: its number, from 1.
        refused: what the import left out and why (empty if this was not just imported).
        notes: what the import wants a user to read.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        version: int,
        *,
        refused: tuple[Refused, ...] = (),
        notes: tuple[Note, ...] = (),
    ) -> None:
        self.workspace = workspace
        self.name = name
        self.version = version
        self.refused = refused
        self.notes = notes

    @cached_property
    def manifest(self) -> Manifest:
        """The table of its examples."""
        return self.workspace.manifest(self.name, self.version)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names in alphabetical order."""
        return self.manifest.classes

    def counts(self) -> dict[str, dict[str, int]]:
        """Pictures by class, then by split."""
        return self.manifest.counts()

    def examples(self, split: str | None = None) -> list[Example]:
        """Its examples, all or of one split ("train", "validation", "test")."""
        return self.manifest.examples(split)

    def __len__(self) -> int:
        return len(self.manifest)

    def __repr__(self) -> str:
        return f"<Dataset {self.name}, version {self.version}: {len(self)} pictures of {len(self.classes)} classes>"

    def relabel(self, labels: Mapping[str, str]) -> Dataset:
        """A new version with other labels for some pictures.

        Args:
            labels: a picture's source (as in `examples()`) or content hash to its new label.

        Raises:
            NotFoundError: no picture of that name.
            UserError: an empty label.
        """
        wanted = dict(labels)
        if empty := [source for source, label in wanted.items() if not label.strip()]:
            raise UserError(f"The new label of '{empty[0]}' is empty; give a class name.")
        known = {example.source for example in self.examples()} | {example.content for example in self.examples()}
        if missing := [source for source in wanted if source not in known]:
            raise NotFoundError(f"No picture '{missing[0]}' is in {self.name}, version {self.version}.")
        examples = [
            example if label is None else replace(example, labels=(label,))
            for example in self.examples()
            for label in [wanted.get(example.source, wanted.get(example.content))]
        ]
        what = f"relabelled {len(wanted)} picture{'s' if len(wanted) > 1 else ''}"
        manifest = Manifest.of(examples, {**self.manifest.provenance, "parent": self.version, "what": what})
        return Dataset(self.workspace, self.name, self.workspace.add_version(self.name, manifest, what, self.version))
