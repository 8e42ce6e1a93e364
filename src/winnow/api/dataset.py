"""A dataset: a name, an immutable version, and its examples."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winnow.data.differences import Differences, differences
from winnow.data.edits import Edit, MergeClasses, MoveToSplit, Relabel, Remove, RenameClass
from winnow.data.manifest import Example, Manifest
from winnow.data.sources.source import Refused
from winnow.events import Note, Tell, tell_nobody
from winnow.workspace.records import VersionRecord
from winnow.workspace.workspace import Workspace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from winnow.api.exporting import Exported
    from winnow.api.health import Health


@contextmanager
def using(workspace: str | Path | Workspace | None) -> Generator[Workspace]:
    """A workspace given open, by its folder, or the default one; closed again if it was opened here."""
    if isinstance(workspace, Workspace):
        yield workspace
        return
    with Workspace.open(None if workspace is None else Path(workspace).expanduser()) as opened:
        yield opened


def dataset_named(workspace: Workspace, name: str, version: int | None = None) -> Dataset:
    """A version of the dataset of that name (whatever its case), the newest by default.

    Raises:
        NotFoundError: no such dataset or version, or it has no pictures yet.
    """
    record = workspace.find_version(name, version)
    return Dataset(workspace, record.dataset, record.number)


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

    def folds(self, k: int = 5, *, repeats: int = 1, seed: int = 0) -> NDArray[np.int64]:
        """Folds for cross-validation of your own: every class spread evenly, no copy or group cut in two.

        Args:
            k: folds.
            repeats: how often they are dealt anew.
            seed: of the dealing.

        Returns:
            (repeats, N) the fold, 0..k-1, of each labelled picture of the training and validation splits, in the order
            of `examples()`; -1 for all others.

        Raises:
            UserError: fewer than 2 folds, more than there are independent pictures, or no repeat.
        """
        from winnow.api.folds import folds_of  # what deals them takes long to import

        return folds_of(self.manifest, k, repeats, seed)

    def __len__(self) -> int:
        return len(self.manifest)

    def __repr__(self) -> str:
        return f"<Dataset {self.name}, version {self.version}: {len(self)} pictures of {len(self.classes)} classes>"

    def check(self, *, backbone: str | Path | None = None, tell: Tell = tell_nobody) -> Health:
        """What is wrong with it, how bad it is and what would mend it; see `winnow.check`.

        What a finding offers is done with `dataset.edit(finding.fixes[0].edits)`.
        """
        from winnow.api.health import check_dataset  # it stands above this class

        return check_dataset(self, backbone=backbone, tell=tell)

    def relabel(self, labels: Mapping[str, str | Sequence[str] | None]) -> Dataset:
        """A new version with other labels for some pictures.

        Args:
            labels: a picture's source (as in `examples()`) or content hash to its new label, to several of them
                (none: no class applies), or to None, which takes the label off.

        Raises:
            NotFoundError: no picture of that name.
            UserError: an empty label.
        """
        return self.edit([Relabel(labels)])

    def remove(self, pictures: Sequence[str]) -> Dataset:
        """A new version without these pictures (sources or content hashes); no file is deleted."""
        return self.edit([Remove(pictures)])

    def merge_classes(self, names: Sequence[str], *, into: str) -> Dataset:
        """A new version in which these classes are one, called `into`."""
        return self.edit([MergeClasses(names, into)])

    def rename_class(self, old: str, new: str) -> Dataset:
        """A new version in which a class has another name, that no other class has."""
        return self.edit([RenameClass(old, new)])

    def move(self, pictures: Sequence[str], split: str) -> Dataset:
        """A new version with these pictures, and exact copies of them, in another split."""
        return self.edit([MoveToSplit(pictures, split)])

    def edit(self, edits: Sequence[Edit], *, expected_version: int | None = None, who: str | None = None) -> Dataset:
        """A new version made by these edits (`winnow.data.edits`), all or none.

        They apply to the newest version at that moment, which may be newer than this one: nobody's edit is lost, and
        where two change the same picture, the later one holds.

        Args:
            edits: what to change, in order; one event in the log.
            expected_version: refuse if a picture that is named here was changed after that version.
            who: did it; default: the user of this process.

        Raises:
            NotFoundError: a picture or class is not there.
            ConflictError: see `expected_version`.
            UserError: an edit makes no sense.
        """
        made = self.workspace.edit(self.name, edits, who=who, expected_version=expected_version)
        return Dataset(self.workspace, made.dataset, made.number)

    def add(self, source: Any, y: Any = None, **options: Any) -> Dataset:
        """A new version with more pictures, as `winnow.load(source, y, name=..., add=True, **options)` makes it.

        Pictures that are there keep their splits and the labels that somebody gave them; new ones get theirs.

        Raises:
            BadDataError: nothing of the source can be used.
            NotFoundError: there is no such file or folder.
        """
        # `load` gives datasets, so it stands above this class; this is its name for those who hold one.
        from winnow.api.loading import load

        return load(source, y, name=self.name, workspace=self.workspace, add=True, **options)

    def export(
        self, path: str | Path, to: str = "folders", *, split: str | None = None, tell: Tell = tell_nobody
    ) -> Exported:
        """Write it to a new folder (or file) for other programs: as `winnow.api.exporting.export_dataset`.

        Args:
            path: a folder (or file) that is not there yet.
            to: "folders", "csv", "coco", "parquet" or "zip".
            split: one split alone; None: all.
            tell: hears progress, and notes of what the format cannot hold.

        Raises:
            NotFoundError: no such format, or no picture of that split.
            UserError: the format cannot hold this dataset, or something is at `path` already.
            WorkspaceError: the disk refused, or a picture is missing or damaged.
        """
        # What exports is given datasets, so it stands above this class; this is its name for those who hold one.
        from winnow.api.exporting import export_dataset

        return export_dataset(self, path, to=to, split=split, tell=tell)

    def restore(self, version: int) -> Dataset:
        """A new version that equals an older one: the way to undo; NotFoundError if there is none."""
        restored = self.workspace.restore(self.name, version)
        return Dataset(self.workspace, restored.dataset, restored.number)

    def log(self) -> list[VersionRecord]:
        """What happened to the dataset, the newest first: `what`, `who` and `created` of each version."""
        return self.workspace.versions(self.name)[::-1]

    def diff(self, other: Dataset | int) -> Differences:
        """What leads from this version to another one, older or newer; NotFoundError if there is none."""
        after = other.manifest if isinstance(other, Dataset) else self.workspace.manifest(self.name, other)
        return differences(self.manifest, after)
