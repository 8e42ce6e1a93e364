"""Pictures from the camera: stored as files for a moment, then imported as any others."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from winnow.api.dataset import Dataset
from winnow.data.class_names import class_name
from winnow.data.sources.tables.formulas import as_text
from winnow.errors import BadDataError, UserError
from winnow.workspace.workspace import Workspace

_MOST_PICTURES, _MOST_BYTES = 200, 4 * 1024 * 1024


def add_captured(workspace: Workspace, dataset: str, label: str, pictures: Sequence[str], *, who: str) -> int:
    """Add pictures to a dataset as examples of one class; gives how many are new.

    Args:
        workspace: that holds the dataset.
        dataset: its name.
        label: their class.
        pictures: JPEG files in base64, as the page made them.
        who: took them, for the log.

    Raises:
        BadDataError: one is no picture.
        UserError: there are none, or too many at once, or the label is no name.
    """
    if not 0 < len(pictures) <= _MOST_PICTURES:
        raise UserError(f"{len(pictures)} pictures came at once: send 1 to {_MOST_PICTURES}.")
    label, _ = class_name(label)
    before = workspace.find_version(dataset)
    with tempfile.TemporaryDirectory(prefix="winnow-camera-") as text:
        folder = Path(text)
        # A table, not a folder a class: a class may be called what no folder can be.
        with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["path", "label"])
            for picture in pictures:
                data = _decoded(picture)
                # Named after what is in it: sent again, because the answer was lost, it is not added again.
                name = f"camera-{hashlib.sha256(data).hexdigest()[:16]}.jpg"
                (folder / name).write_bytes(data)
                table.writerow([name, as_text(label)])
        made = Dataset(workspace, dataset, before.number).add(folder, who=who)
    return len(made) - before.examples


def _decoded(picture: str) -> bytes:
    try:
        data = base64.b64decode(picture, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadDataError("A picture of the camera did not arrive whole: take it again.") from error
    if len(data) > _MOST_BYTES:
        raise BadDataError("A picture of the camera is larger than 4 MB: choose a smaller one.")
    return data
