"""Apple Create ML's JSON: a list of pictures, each with its labels, or with boxes around their centres in pixels.

Formats: boxes, https://developer.apple.com/documentation/createml/building-an-object-detector-data-source (its
defaults: pixels, origin at the top left, anchor in the centre); labels,
https://developer.apple.com/documentation/createmlcomponents/creating-a-multi-label-image-classifier.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any, cast

from winnow.data.sources.annotated import Annotated
from winnow.data.sources.boxes import Marks
from winnow.data.sources.json_file import first_keys, json_files, read_json
from winnow.data.sources.pictures_of import split_of_folders, split_word
from winnow.data.sources.source import Found, ImportOptions, Refused
from winnow.data.sources.tree import Tree
from winnow.events import Note

_NAMES = ("image", "imagefilename", "imageFilename", "imageFileName", "filename")
_MARKS = ("annotations", "annotation", "labels", "label")
_SIDES = ("x", "y", "width", "height")


class CreateMl:
    """A list of objects with an image and its annotations."""

    name = "Create ML annotations (JSON) with their pictures"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """JSON lists whose objects name a picture, what is in it, and nothing else (that would be a table)."""
        return [path for path in json_files(tree, only) if _is_create_ml(first_keys(tree, path))] or None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The pictures in the order of the lists.

        Raises:
            RefusedSourceError: E_ANN_JSON, a file is no JSON; E_ANN_SCHEMA, it holds no list.
        """
        annotated = Annotated(tree, files)
        for path in files:
            split = split_word(posixpath.basename(path)) or split_of_folders(path)
            for _, entry in annotated.objects(path, read_json(tree, path, annotated.tally)):
                name = next((entry[key] for key in _NAMES if key in entry), None)
                if (marks := annotated.picture(name, near=path, split=split)) is not None:
                    _mark(entry, marks, annotated)
        return annotated.found()


def _is_create_ml(keys: frozenset[str]) -> bool:
    top = {key[3:] for key in keys if key.startswith("[].") and "." not in key[3:] and "[" not in key[3:]}
    names, said = top & set(_NAMES), top & set(_MARKS)
    return bool(names and said) and top <= {*_NAMES, *_MARKS}


def _mark(entry: dict[str, Any], marks: Marks, annotated: Annotated) -> None:
    for key in _MARKS:
        if (value := entry.get(key)) is None:
            continue
        marks.looked_at()
        for said in cast(list[Any], value) if isinstance(value, list) else [value]:
            if isinstance(said, dict):
                _thing(cast(dict[str, Any], said), marks, annotated)
            else:
                marks.named(said)


def _thing(said: dict[str, Any], marks: Marks, annotated: Annotated) -> None:
    label = marks.named(said.get("label"))
    for key in said.keys() - {"label", "coordinates"}:
        annotated.tally.name("W_UNKNOWN_KEY", key)
    if label is None or "coordinates" not in said:
        return
    sides = said["coordinates"]
    marks.centred(label, [sides.get(side) for side in _SIDES] if isinstance(sides, dict) else ())
