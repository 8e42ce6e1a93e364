"""COCO's JSON: one file or several, with the pictures beside it, in images/, in train2017/ ... .

Labels are the categories of a picture's annotations, in the order of the file's categories. Boxes are kept (`iscrowd`,
too), outlines, keypoints and captions are not.

Format: https://cocodataset.org/#format-data (boxes are [x, y, width, height] in pixels from 0, ids need not be
consecutive: COCO's own 80 categories lie in 1..90).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Any

from winnow.data.sources.annotated import Annotated
from winnow.data.sources.boxes import Marks, class_named, stated_size
from winnow.data.sources.json_file import first_keys, json_files, read_json
from winnow.data.sources.pictures_of import shown, split_word
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.data.sources.tables.times import iso_time
from winnow.data.sources.tally import Tally
from winnow.data.sources.tree import Tree
from winnow.events import Note

_SIGNS = (
    {"images[].file_name"},
    {"annotations[].image_id"},
    {"images", "annotations", "categories"},
)
_OUTLINES = frozenset({"segmentation"})
_KNOWN_KEYS = frozenset({"id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation"})
_ADDRESSES = ("coco_url", "flickr_url", "url")
# COCO's own files on the same pictures: what they have beyond the instances is not kept.
_SAME_PICTURES = ("person_keypoints_", "captions_", "stuff_", "panoptic_")

_Id = int | str


class Coco:
    """A COCO file names pictures, categories, and annotations that join them."""

    name = "COCO annotations (JSON) with their pictures"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """JSON files that begin with COCO's lists."""
        files = [path for path in json_files(tree, only) if _is_coco(first_keys(tree, path))]
        return _without_twins(files) or None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The pictures in the order of the files' lists.

        Raises:
            RefusedSourceError: E_ANN_JSON, a file is no JSON; E_ANN_SCHEMA, a list is missing or none; E_ANN_REF, two
                pictures or categories share an id; E_NAME, a category has no name.
        """
        annotated = Annotated(tree, files)
        for path in files:
            _read(tree, path, annotated)
        return annotated.found()


def _is_coco(keys: frozenset[str]) -> bool:
    return any(sign <= keys for sign in _SIGNS)


def _without_twins(files: list[str]) -> list[str]:
    """Without COCO's other files about pictures whose instances are here, too."""
    names = {posixpath.basename(path) for path in files}

    def is_twin(path: str) -> bool:
        name = posixpath.basename(path)
        return any(name.startswith(start) and f"instances_{name[len(start) :]}" in names for start in _SAME_PICTURES)

    return [path for path in files if not is_twin(path)]


def _read(tree: Tree, path: str, annotated: Annotated) -> None:
    tally = annotated.tally
    document = read_json(tree, path, tally, only_whether=_OUTLINES)
    if not isinstance(document, dict):
        raise _schema(path, "is a list, not an object with images, annotations and categories")
    categories = _categories(path, document, tally)
    split = split_word(posixpath.basename(path)) or split_word(posixpath.basename(posixpath.dirname(path)))
    pictures = _pictures(path, document, annotated, split)
    annotations = _list(path, document, "annotations") if "annotations" in document else []
    if annotations:
        # A list of annotations is work that was done: what it does not name shows nothing.
        for marks in pictures.values():
            if marks is not None:
                marks.looked_at()
    _annotate(path, annotations, pictures, categories, tally)
    order = {name: place for place, name in enumerate(categories.values())}
    for marks in pictures.values():
        if marks is not None and marks.labels is not None and len(marks.labels) > 1:
            marks.labels = dict.fromkeys(sorted(marks.labels, key=lambda name: order.get(name, -1)))


def _categories(path: str, document: Mapping[str, Any], tally: Tally) -> dict[_Id, str]:
    if "categories" not in document:
        raise _schema(path, "has no list of categories")
    found: dict[_Id, str] = {}
    names: set[str] = set()
    for entry in _list(path, document, "categories"):
        number = _id(path, entry.get("id"), "a category", tally)
        name = class_named(entry.get("name"))
        if name is None:
            raise RefusedSourceError("E_NAME", f"{path}: category {shown(str(number))} has no name: give it one.")
        if number in found:
            raise _reference(path, f"two categories have the id {shown(str(number))}")
        if not isinstance(entry["name"], str):
            tally.count("W_TYPE_COERCED", name)
        if name in names:
            tally.name("W_CLASS_MERGED", name)
        names.add(name)
        found[number] = name
    return found


def _pictures(
    path: str, document: Mapping[str, Any], annotated: Annotated, split: str | None
) -> dict[_Id, Marks | None]:
    """What is to be said of each picture, by its id; None where the picture is not there."""
    found: dict[_Id, Marks | None] = {}
    n_addresses = 0
    for entry in _list(path, document, "images"):
        number = _id(path, entry.get("id"), "a picture", annotated.tally)
        if number in found:
            raise _reference(path, f"two pictures have the id {shown(str(number))}")
        stated = stated_size(entry.get("width"), entry.get("height"))
        taken = _taken(entry.get("date_captured"))
        marks = annotated.picture(entry.get("file_name"), near=path, split=split, stated=stated, taken=taken)
        n_addresses += marks is not None and any(entry.get(key) for key in _ADDRESSES)
        found[number] = marks
    annotated.tally.count("W_URL_IGNORED", path, n_addresses)
    return found


def _annotate(
    path: str,
    annotations: list[dict[str, Any]],
    pictures: Mapping[_Id, Marks | None],
    categories: Mapping[_Id, str],
    tally: Tally,
) -> None:
    unsure: list[Marks] = []
    seen: set[object] = set()
    for entry in annotations:
        if isinstance(number := entry.get("id"), int | str):
            tally.count("W_DUP", f"annotation {shown(str(number))}", int(number in seen))
            seen.add(number)
        picture = _id(path, entry.get("image_id"), "an annotation's picture", tally)
        if picture not in pictures:
            tally.count("W_ANN_DANGLING", f"picture {shown(str(picture))}")
            continue
        for key in entry.keys() - _KNOWN_KEYS:
            tally.name("W_UNKNOWN_KEY", key)
        tally.count("W_SEG_DROPPED", path, int(bool(entry.get("segmentation"))))
        if (marks := pictures[picture]) is None:
            continue
        category = _id(path, entry.get("category_id"), "an annotation's category", tally)
        label = categories.get(category)
        if label is None:
            tally.count("W_ANN_DANGLING", f"category {shown(str(category))}")
            marks.warn("W_ANN_DANGLING")
            unsure.append(marks)
            continue
        marks.label(label)
        _box(entry, label, marks)
    for marks in unsure:
        if not marks.labels:  # something is there, but nobody can tell what: that is not "no class applies"
            marks.labels = None


def _box(entry: Mapping[str, Any], label: str, marks: Marks) -> None:
    if "bbox" not in entry:
        return
    box = entry["bbox"]
    marks.box(label, box if isinstance(box, list) else (), is_crowd=entry.get("iscrowd") in (1, True))


def _list(path: str, document: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    entries = document.get(key)
    if not isinstance(entries, list):
        raise _schema(path, f"has no list of {key}")
    if not all(isinstance(entry, dict) for entry in entries):
        raise _schema(path, f"has something else than objects in its list of {key}")
    return entries


def _id(path: str, value: object, whose: str, tally: Tally) -> _Id:
    """An id as a whole number where it is one in any form, so that "1" finds 1; other text stays."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        tally.count("W_TYPE_COERCED", f"id {value}")
        return int(value)
    if isinstance(value, str) and 0 < len(value) <= 200:
        if value.isascii() and value.isdigit() and len(value) < 19 and str(int(value)) == value:
            tally.count("W_TYPE_COERCED", f"id '{value}'")
            return int(value)
        return value
    raise _schema(path, f"gives {whose} an id that is neither a number nor a short text")


def _taken(value: object) -> str | None:
    """ISO 8601, out of "2013-11-14 17:02:52" or ISO itself; tools that do not know write 0."""
    return iso_time(value) if isinstance(value, str) else None


def _schema(path: str, what: str) -> RefusedSourceError:
    return RefusedSourceError("E_ANN_SCHEMA", f"{path} {what}: it is no COCO file of boxes; export it anew.")


def _reference(path: str, what: str) -> RefusedSourceError:
    return RefusedSourceError("E_ANN_REF", f"{path}: {what}, so nobody knows which is meant: give each its own.")
