"""How what was made leaves the workspace: a dataset version in a format that other programs read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from winnow.api.dataset import Dataset, dataset_named, using
from winnow.data.sources.source import split_named
from winnow.data.targets import TARGETS, write_dataset
from winnow.data.targets.target import SPLITS, Outgoing, Target
from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.events import Note, Tell, tell_nobody
from winnow.workspace.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        path: the new folder or file.
        format: such as "coco".
        dataset: whose pictures.
        version: of it.
        split: the one that was written; None: all.
        pictures: how many.
        bytes: the size of their files.
        notes: what the format cannot hold, and the like.
    """

    path: Path
    format: str
    dataset: str
    version: int
    split: str | None
    pictures: int
    bytes: int
    notes: tuple[Note, ...]


def export(
    name: str,
    *,
    to: str,
    out: str | Path | None = None,
    version: int | None = None,
    split: str | None = None,
    workspace: str | Path | Workspace | None = None,
    tell: Tell = tell_nobody,
) -> Exported:
    """Write a dataset in a format (`to`) of `winnow.data.targets.TARGETS`; see `export_dataset`.

    Args:
        out: a folder (or file) that is not there yet; default: <name>-<to> here.
        version: default: the newest.

    Raises:
        NotFoundError: no such format, dataset, version or split.
        UserError, WorkspaceError: as `export_dataset`.
    """
    target = _find_target(to)
    with using(workspace) as opened:
        dataset = _find_dataset(opened, name, to, version)
        chosen = _default_path(dataset.name, target, split) if out is None else out
        return export_dataset(dataset, chosen, to=to, split=split, tell=tell)


def export_dataset(
    dataset: Dataset, path: str | Path, *, to: str = "folders", split: str | None = None, tell: Tell = tell_nobody
) -> Exported:
    """Write a dataset version to `path`, whole or not at all; importing it gives the same pictures, labels and splits.

    Args:
        path: a folder (or file) that is not there yet, or an empty folder.
        to: the format: folders, csv, coco, parquet or zip.
        split: "train", "validation" or "test" alone; None: all.
        tell: hears progress, and notes of what the format cannot hold, before anything is written.

    Raises:
        NotFoundError: no such format, or no picture of that split.
        UserError: the format cannot hold this dataset (the sentence says which can), or something is at `path`.
        WorkspaceError: the disk refused, or a picture is missing or damaged.
    """
    target = _find_target(to)
    going = Outgoing(dataset.name, dataset.version, dataset.manifest, _known(split), dataset.workspace.blobs.read)
    if not len(going):
        has = ", ".join(Outgoing(going.name, going.version, going.whole, None, going.read).splits()) or "none"
        raise NotFoundError(f"'{going.name}' has no pictures in its {going.only or 'only'} split; it has {has}.")
    path = Path(path).expanduser().absolute()
    notes = write_dataset(going, target, path, tell)
    return Exported(path, target.name, going.name, going.version, going.only, len(going), going.n_bytes, notes)


def _find_target(to: str) -> Target:
    targets = {target.name: target for target in TARGETS}
    if (target := targets.get(to.strip().casefold())) is not None:
        return target
    known = ", ".join(targets)
    hint = did_you_mean(to, targets, otherwise=f"Datasets can be written as {known}.")
    raise NotFoundError(f"There is no format '{to}'. {hint}")


def _find_dataset(workspace: Workspace, name: str, to: str, version: int | None) -> Dataset:
    try:
        return dataset_named(workspace, name, version)
    except NotFoundError:
        model = next((model for model in workspace.models() if name in (model.name, model.full_name)), None)
        if model is None or version is not None:
            raise
        raise UserError(
            f"'{name}' is a model, and {to} is a format for datasets: its dataset is '{model.dataset}'."
        ) from None


def _default_path(name: str, target: Target, split: str | None) -> Path:
    part = name if split is None else f"{name}-{split}"
    return Path(f"{part}.{target.name}" if target.is_file else f"{part}-{target.name}")


def _known(split: str | None) -> str | None:
    if split is None:
        return None
    if (known := split_named(split)) is None:
        raise NotFoundError(f"There is no split '{split}': it is one of {', '.join(SPLITS)}.")
    return known
