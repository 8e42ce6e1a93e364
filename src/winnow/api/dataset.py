"""A dataset: a name, an immutable version, and its examples; and how to get one."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from winnow.data.digits import write_digits
from winnow.data.importing import import_examples
from winnow.data.manifest import Example, Manifest
from winnow.data.sources.source import ImportOptions, Refused
from winnow.errors import NotFoundError, UserError, WorkspaceError
from winnow.events import Progress, Tell, tell_nobody
from winnow.workspace.names import name_from_source
from winnow.workspace.workspace import Workspace

EXAMPLE = "digits"
"""The name under which the embedded example can be imported: 1,797 real handwritten digits of 8 x 8 pixels."""


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
        notes: tuple[str, ...] = (),
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


def load(
    source: Any,
    y: Any = None,
    *,
    name: str | None = None,
    workspace: str | Path | Workspace | None = None,
    test_share: float = 0.2,
    seed: int = 0,
    path_column: str | None = None,
    label_column: str | None = None,
    version: int | None = None,
    tell: Tell = tell_nobody,
) -> Dataset:
    """A dataset from files or arrays, imported into the workspace; or one that is there already, by its name.

    Importing the same files again changes nothing; changed files make a new version. The files are only read.

    Args:
        source: a folder of class folders (with or without train/ validation/ test/ on top), a zip of it, a CSV of
            paths and labels, a DataFrame, an array (N, H, W, 3) with `y`, MNIST's IDX files, the name of a dataset,
            or "digits", the embedded example.
        y: labels (N,) where `source` is an array or a list of pictures.
        name: what to call the dataset; default: after its source.
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.
        test_share: share of each class put aside for the test, in (0, 1), where the source has no test split.
        seed: draws the test split.
        path_column: of a table, where its name is not one that Winnow knows.
        label_column: likewise.
        version: of a dataset that is there already; default: the newest.
        tell: hears progress and notes.

    Raises:
        NotFoundError: no such file, folder, dataset or version.
        BadDataError: nothing can be learned from it.
        WorkspaceError: the workspace cannot be opened or written.
    """
    if not 0 < test_share < 1:
        raise UserError(
            f"The test share must lie between 0 and 1, not {test_share}: 0.2 puts every fifth picture aside."
        )
    opened = workspace if isinstance(workspace, Workspace) else Workspace.open(_folder(workspace))
    if isinstance(source, str) and y is None and not Path(source).expanduser().exists():
        taken = {record.name.lower(): record for record in opened.datasets()}
        if (record := taken.get(source.lower())) is not None and name in (None, record.name):
            if record.newest is None:
                raise NotFoundError(
                    f"The dataset '{record.name}' has no pictures: its import was broken off. Import again."
                )
            return Dataset(opened, record.name, opened.find_version(record.name, version).number)
        if source == EXAMPLE:
            return _load_example(opened, name or EXAMPLE, test_share, seed, tell)
        if not any(mark in source for mark in "/\\."):
            opened.find_dataset(source)  # a bare word: say which datasets are near rather than "no such file"
    if version is not None:
        raise UserError("A version can be chosen of a dataset in the workspace only; name the dataset, not its files.")
    given = source if y is None else (source, y)
    text = (
        str(Path(source).expanduser().resolve())
        if isinstance(source, (str, Path))
        else f"{type(source).__name__} in memory"
    )
    imported = import_examples(
        given,
        opened.blobs,
        test_share=test_share,
        seed=seed,
        options=ImportOptions(path_column=path_column, label_columns=() if label_column is None else (label_column,)),
        tell=tell,
    )
    return _keep(opened, imported.manifest, text, name, imported.refused, imported.notes)


def _folder(workspace: str | Path | None) -> Path | None:
    return None if workspace is None else Path(workspace).expanduser()


def _keep(
    workspace: Workspace,
    manifest: Manifest,
    source: str,
    name: str | None,
    refused: tuple[Refused, ...],
    notes: tuple[str, ...],
) -> Dataset:
    """Add the manifest as a version: of the named dataset, of the one with the same source, or of a new one."""
    records = workspace.datasets()
    if name is None:
        # Data in memory has no place to be known by: only the very same pictures and labels are the same dataset.
        in_memory = source.endswith(" in memory")
        digest = manifest.digest() if in_memory else ""
        same = next(
            (
                record.name
                for record in records
                if record.source == source
                and (not in_memory or (record.newest is not None and record.newest.digest == digest))
            ),
            None,
        )
        name = same or name_from_source(source, [record.name for record in records])
    if name.lower() not in {record.name.lower() for record in records}:
        name = workspace.add_dataset(name, source).name
    what = f"imported {len(manifest):,} pictures"
    try:
        version = workspace.add_version(name, manifest, what)
    except OSError as error:
        raise WorkspaceError(f"The dataset cannot be written ({error.strerror}); check space and rights.") from error
    return Dataset(workspace, name, version, refused=refused, notes=notes)


def _load_example(workspace: Workspace, name: str, test_share: float, seed: int, tell: Tell) -> Dataset:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="winnow-digits-") as folder:
        tell(Progress("writing the embedded example", 0))
        write_digits(Path(folder))
        imported = import_examples(Path(folder), workspace.blobs, test_share=test_share, seed=seed, tell=tell)
    return _keep(workspace, imported.manifest, EXAMPLE, name, imported.refused, imported.notes)
