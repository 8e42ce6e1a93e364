"""COCO's JSON and pictures: train/, val/ and test/ beside annotations/instances_train.json ... .

Pictures without a label are listed as COCO lists those of its test set: in image_info_train.json, which has no
annotations. A label without a box is an annotation without `bbox`.

Format: https://cocodataset.org/#format-data
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import pyarrow.compute as pc

from winnow.data.manifest import Box, Example
from winnow.data.targets.file_names import FileNames
from winnow.data.targets.losses import losses
from winnow.data.targets.target import Out, Outgoing, Told, pictures
from winnow.events import Note, Tell

_FOLDERS = {"train": "train", "validation": "val", "test": "test"}
# Its functions are made at run time, where no type checker sees them.
_compute: Any = pc


class Coco:
    """Boxes, and labels without boxes, of any number of classes a picture."""

    name = "coco"
    title = "COCO annotations (JSON)"
    is_file = False

    def notes(self, going: Outgoing) -> list[Note]:
        """What COCO does not hold, or holds in a way that other programs may not expect."""
        return [
            *losses(going, self.title, ("group", "weight", "metadata")),
            *_about_boxes(going),
            *_about_empty_splits(going),
        ]

    def write(self, going: Outgoing, out: Out, tell: Tell) -> None:
        """A folder, and a file or two, for each split; numbers run through all of them."""
        names, told = FileNames(), Told(going, tell)
        n_pictures = n_annotations = 0
        for split in going.splits():
            for file, is_labelled in (("instances", True), ("image_info", False)):
                if not any(_examples(going, split, is_labelled)):
                    continue
                folder = _FOLDERS[split]
                with out.open(f"annotations/{file}_{folder}.json") as opened:
                    opened.write(b'{"info": ' + _json(_info(going)) + b', "licenses": [], "images": [')
                    examples = _examples(going, split, is_labelled)
                    n = _write_list(opened, _images(examples, n_pictures, folder, going, out, names, told))
                    if is_labelled:
                        opened.write(b'], "annotations": [')
                        examples = _examples(going, split, is_labelled)
                        entries = _annotations(examples, n_pictures, n_annotations, going.classes)
                        n_annotations += _write_list(opened, entries)
                    opened.write(b'], "categories": ' + _json(_categories(going.classes)) + b"}\n")
                n_pictures += n


def _about_boxes(going: Outgoing) -> Iterator[Note]:
    n_old = 0
    bare = int(_compute.sum(_compute.greater(_compute.list_value_length(going.table["labels"]), 0)).as_py() or 0)
    for example in going.with_boxes():
        kept = _boxes(example)
        n_old += len(example.boxes) - len(kept)
        bare -= bool(example.labels) and {box.label for box in kept} == set(example.labels)
    if bare:
        text = f"{pictures(bare)} with a class that has no box: it is written as an annotation without bbox."
        yield Note(text, code="W_NO_BOX")
    if n_old:
        text = f"Not written: boxes of classes that their pictures no longer have ({n_old:,})."
        yield Note(text, is_warning=True, code="W_NOT_WRITTEN")


def _about_empty_splits(going: Outgoing) -> Iterator[Note]:
    for split in going.splits():
        labels = going.table.filter(_compute.equal(going.table["split"], split))["labels"]
        if labels.null_count < len(labels) and not len(_compute.list_flatten(labels)):
            text = (
                f"No picture of the {split} split shows any class, which COCO cannot tell from pictures that nobody "
                "labelled: an import will take them for unlabelled."
            )
            yield Note(text, is_warning=True, code="W_NOT_WRITTEN")


def _examples(going: Outgoing, split: str, is_labelled: bool) -> Iterator[Example]:
    return (example for example in going.examples(split) if (example.labels is not None) == is_labelled)


def _boxes(example: Example) -> tuple[Box, ...]:
    """The boxes of classes that the picture (still) has: a label that somebody took off must not come back."""
    return tuple(box for box in example.boxes if box.label in (example.labels or ()))


def _info(going: Outgoing) -> dict[str, str]:
    # No date: the same version makes the same file.
    return {"description": f"{going.name}, version {going.version}", "version": str(going.version)}


def _categories(classes: Iterable[str]) -> list[dict[str, Any]]:
    return [{"id": number, "name": name} for number, name in enumerate(classes, start=1)]


def _images(
    examples: Iterable[Example], n_before: int, folder: str, going: Outgoing, out: Out, names: FileNames, told: Told
) -> Iterator[dict[str, Any]]:
    """Writes the files on the way. No two have one name, not even in different splits: readers look for mere names."""
    for number, example in enumerate(examples, start=n_before + 1):
        name = names.name(example)
        out.write(f"{folder}/{name}", going.read(example.content))
        image = {"id": number, "file_name": name, "width": example.width, "height": example.height}
        yield image if example.taken is None else image | {"date_captured": example.taken}
        told.one_more()


def _annotations(
    examples: Iterable[Example], n_pictures: int, n_before: int, classes: Iterable[str]
) -> Iterator[dict[str, Any]]:
    numbers = {name: number for number, name in enumerate(classes, start=1)}
    number = n_before
    for picture, example in enumerate(examples, start=n_pictures + 1):
        boxes = _boxes(example)
        have_boxes = {box.label for box in boxes}
        bare = (label for label in example.labels or () if label not in have_boxes)
        for label, box in [*((box.label, box) for box in boxes), *((label, None) for label in bare)]:
            number += 1
            entry = {"id": number, "image_id": picture, "category_id": numbers[label], "iscrowd": 0}
            yield entry if box is None else entry | _box(box)


def _box(box: Box) -> dict[str, Any]:
    return {
        "bbox": [box.x, box.y, box.width, box.height],
        "area": box.width * box.height,
        "iscrowd": int(box.is_crowd),
        "segmentation": [],  # we keep no outlines, and many readers want the key
    }


def _write_list(file: BinaryIO, entries: Iterable[dict[str, Any]]) -> int:
    """The entries, one a line; gives how many."""
    n = 0
    for n, entry in enumerate(entries, start=1):
        file.write((b",\n" if n > 1 else b"\n") + _json(entry))
    return n


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
