"""Versions as plain values: what happened to a dataset, what differs between two versions, labels from a table."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from winnow.data.differences import Change, Differences
from winnow.data.sources.source import label_text
from winnow.data.sources.tables.formulas import from_text
from winnow.data.sources.tables.labels import divided, separator_of
from winnow.errors import BadDataError, NotFoundError, UserError
from winnow.workspace.records import VersionRecord
from winnow.workspace.workspace import Workspace

_PICTURE_COLUMNS = ("source", "picture", "path", "file", "filename", "image", "content")
_LABEL_COLUMNS = ("label", "labels", "class")


def event_facts(record: VersionRecord) -> dict[str, Any]:
    """A version and the event that made it, for JSON."""
    return {
        "dataset": record.dataset,
        "version": record.number,
        "parent": record.parent,
        "kind": record.kind,
        "what": record.what,
        "who": record.who,
        "created": record.created,
        "pictures": record.examples,
        "classes": record.classes,
    }


def difference_facts(found: Differences) -> dict[str, Any]:
    """Differences for JSON: how many of each, then which."""
    return {"counts": found.counts, **{name: _plain(getattr(found, name)) for name in found.counts}}


def named_pictures(workspace: Workspace, dataset: str, pictures: Iterable[str]) -> list[str]:
    """Pictures as edits name them: a file on this disk that no source is called after is known by its content.

    Raises:
        NotFoundError: no such dataset.
        UserError: a file cannot be read.
    """
    known: set[str] | None = None
    named: list[str] = []
    for picture in pictures:
        if Path(picture).is_file():
            known = set(workspace.manifest(dataset).column("source")) if known is None else known
            named.append(picture if picture in known else _content(Path(picture)))
        else:
            named.append(picture)
    return named


def labels_from_csv(path: str | Path) -> dict[str, tuple[str, ...] | None]:
    """The labels of a CSV by picture: one label a row; a picture of several rows has several labels.

    An empty label takes the label off. The apostrophe that tables of ours have before names such as "=1.png" is none of
    the name.

    Raises:
        NotFoundError: there is no such file.
        BadDataError: it has no column of pictures or labels, or no rows.
    """
    path = Path(path).expanduser()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}: check the path.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadDataError(f"{path} cannot be read as CSV ({error}): save it as CSV in UTF-8.") from error
    header = list(rows[0]) if rows else []
    pictures, labels = (_column(path, header, names) for names in (_PICTURE_COLUMNS, _LABEL_COLUMNS))
    found: dict[str, list[str]] = {}
    for number, row in enumerate(rows, start=1):
        if row[labels] is None:
            raise BadDataError(
                f"Row {number} of {path} has no cell for its label: an empty one would take the label off. Complete it."
            )
        label = label_text(from_text(row[labels]))
        found.setdefault(from_text(row[pictures] or ""), []).extend(() if label is None else (label,))
    return {picture: tuple(dict.fromkeys(several)) or None for picture, several in found.items()}


def labels_as_exported(
    workspace: Workspace, dataset: str, labels: dict[str, tuple[str, ...] | None]
) -> dict[str, tuple[str, ...] | None]:
    """The labels of a table that `winnow export --to csv` wrote, as the dataset has them: "images/sky.jpg" is
    "sky.jpg", and where pictures have several labels, "cat|dog" or '["cat", "dog"]' are two.

    Raises:
        NotFoundError: no such dataset.
    """
    manifest = workspace.manifest(dataset)
    known = set(manifest.column("source"))
    sign = ""
    if manifest.task == "multilabel":
        sign, _ = separator_of(sorted({cell for cells in labels.values() for cell in cells or ()}), "label")
    found: dict[str, tuple[str, ...] | None] = {}
    for picture, cells in labels.items():
        inside = picture.removeprefix("images/")
        several = cells
        if sign and cells is not None:
            several = tuple(dict.fromkeys(str(one).strip() for cell in cells for one in divided(cell, sign) or ()))
        found[inside if picture not in known and inside in known else picture] = several
    return found


def one_label_each(labels: dict[str, tuple[str, ...] | None], task: str) -> None:
    """Refuse two labels of one picture where a picture has one class.

    Raises:
        BadDataError: a picture has several.
    """
    for picture, several in labels.items():
        if task == "classify" and several is not None and len(several) > 1:
            raise BadDataError(
                f"'{picture}' is given {len(several)} labels ({' and '.join(several)}), but a picture of this dataset "
                "has one class: leave one row for each picture."
            )


def _column(path: Path, header: Sequence[str | None], names: Sequence[str]) -> str:
    by_name = {(column or "").strip().casefold(): column for column in reversed(header)}
    for name in names:
        if (column := by_name.get(name)) is not None:
            return column
    raise BadDataError(
        f"{path} has no column '{names[0]}' (it has {', '.join(map(str, header)) or 'no rows'}): its first line should "
        "be: source,label."
    )


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): check its rights.") from error


def _plain(part: Sequence[str | Change]) -> list[Any]:
    return [asdict(one) if isinstance(one, Change) else one for one in part]
