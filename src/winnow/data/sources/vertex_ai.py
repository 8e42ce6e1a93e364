"""Exports and import files of Google's Vertex AI and AutoML Vision: JSON Lines, or CSV without a header.

Pictures are named by their place in a bucket (gs://...). They are looked for among the files here by the end of that
place: as much of it as there is. Nothing is fetched.

Formats: https://cloud.google.com/vertex-ai/docs/image-data/classification/prepare-data and
.../object-detection/prepare-data (coordinates are shares of the picture); AutoML's CSV,
https://cloud.google.com/vision/automl/object-detection/docs/csv-format.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, cast

from winnow.data.sources.annotated import Annotated
from winnow.data.sources.boxes import Marks, number
from winnow.data.sources.json_file import first_keys, json_files, read_json, read_json_lines
from winnow.data.sources.pictures_of import shown
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError, split_named
from winnow.data.sources.tables.delimited import rows_of_text
from winnow.data.sources.text_file import as_text, beginning, loose_text, read_bytes
from winnow.data.sources.tree import Tree, other_files
from winnow.events import Note

_USE = "aiplatform.googleapis.com/ml_use"
_USES = ("train", "training", "validation", "test", "unassigned", "")
_ROW = re.compile(r'\s*"?(?:(?:train|training|validation|test|unassigned)?"?,"?)?gs://', re.IGNORECASE)
_KNOWN_KEYS = frozenset(
    {
        "imageGcsUri",
        "classificationAnnotation",
        "classificationAnnotations",
        "boundingBoxAnnotations",
        "dataItemResourceLabels",
    }
)
_CORNERS = ("xMin", "yMin", "xMax", "yMax")
_N_COORDINATES = 8


class VertexAi:
    """A line for each picture of a bucket."""

    name = "Vertex AI or AutoML Vision exports (JSON Lines or CSV) with the downloaded pictures"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """JSON whose objects have an imageGcsUri, or CSV that begins with a place in a bucket."""
        found = [path for path in json_files(tree, only) if {"imageGcsUri", "[].imageGcsUri"} & first_keys(tree, path)]
        tables = [path for path in (other_files(tree) if only is None else [only]) if path.casefold().endswith(".csv")]
        return found or [path for path in tables[:16] if _ROW.match(loose_text(beginning(tree, path)))] or None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The pictures in the order of the lines; a broken line costs itself only.

        Raises:
            RefusedSourceError: E_ANN_JSON or E_ANN_SCHEMA, a file is no text, or none of its lines is sound.
        """
        annotated = Annotated(tree, files)
        for path in files:
            if path.casefold().endswith(".csv"):
                _read_csv(tree, path, annotated)
            else:
                _read_json(tree, path, annotated)
        return annotated.found()


def _read_json(tree: Tree, path: str, annotated: Annotated) -> None:
    if "imageGcsUri" not in first_keys(tree, path):
        for place, entry in annotated.objects(path, read_json(tree, path, annotated.tally)):
            _mark(entry, place, path, annotated)
        return
    errors: list[RefusedSourceError] = []
    is_any_sound = False
    for line, entry in read_json_lines(tree, path, annotated.tally):
        place = f"{path}, line {line}"
        if isinstance(entry, RefusedSourceError):
            errors.append(entry)
            annotated.refuse(Refused(place, entry.code, entry.reason))
        elif isinstance(entry, dict):
            is_any_sound = True
            _mark(cast(dict[str, Any], entry), place, path, annotated)
        else:
            annotated.refuse(Refused(place, "E_ANN_SCHEMA", "It is no object that tells of a picture."))
    if errors and not is_any_sound:
        raise errors[0]


def _mark(entry: dict[str, Any], place: str, path: str, annotated: Annotated) -> None:
    if "imageGcsUri" not in entry:
        annotated.refuse(Refused(place, "E_ANN_SCHEMA", "It names no picture (imageGcsUri)."))
        return
    for key in entry.keys() - _KNOWN_KEYS:
        if "egmentation" in key or "olygon" in key:
            annotated.tally.count("W_SEG_DROPPED", place)
        else:
            annotated.tally.name("W_UNKNOWN_KEY", key)
    about = entry.get("dataItemResourceLabels")
    use = cast(dict[str, Any], about).get(_USE) if isinstance(about, dict) else None
    split = split_named(use) if isinstance(use, str) else None
    if use is not None and split is None and str(use).casefold() not in _USES:
        annotated.tally.count("W_SPLIT_UNKNOWN", shown(use))
    marks = annotated.picture(entry["imageGcsUri"], near=path, split=split)
    if marks is None:
        return
    marks.whole = 1
    for said in (*_objects(entry.get("classificationAnnotation")), *_objects(entry.get("classificationAnnotations"))):
        marks.named(said.get("displayName"))
    for said in _objects(entry.get("boundingBoxAnnotations")):
        if (label := marks.named(said.get("displayName"))) is not None:
            marks.corners(label, [said.get(corner) for corner in _CORNERS])


def _objects(value: object) -> list[dict[str, Any]]:
    values = cast(list[Any], value) if isinstance(value, list) else [] if value is None else [value]
    return [cast(dict[str, Any], each) if isinstance(each, dict) else {} for each in values]


def _read_csv(tree: Tree, path: str, annotated: Annotated) -> None:
    try:
        text, has_mark = as_text(read_bytes(tree, path))
    except UnicodeDecodeError as error:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{path} is not in UTF-8 ({error.reason}): save it as UTF-8."
        ) from error
    if has_mark:
        annotated.tally.count("W_BOM", path)
    for line, row in rows_of_text(partial(io.StringIO, text, newline="")):
        place = f"{path}, line {line}"
        if isinstance(row, str):
            annotated.refuse(Refused(place, "E_ANN_SCHEMA", f"The line cannot be read ({row}): mend it."))
        else:
            _mark_row([cell.strip() for cell in row], place, path, annotated)


def _mark_row(row: list[str], place: str, path: str, annotated: Annotated) -> None:
    use, *rest = row if row[0].casefold() in _USES else ["", *row]
    if not rest or not rest[0].casefold().startswith("gs://"):
        reason = f"It names no picture of a bucket (gs://...) but {shown(rest[0] if rest else '')[:40]}."
        annotated.refuse(Refused(place, "E_ANN_SCHEMA", reason))
        return
    picture, *said = rest
    marks = annotated.picture(picture, near=path, split=split_named(use), is_listed_twice=False)
    if marks is None:
        return
    marks.whole = 1
    numbers = said[1:]
    # A label and four corners (two are enough): AutoML's form of a box; all empty where there is none.
    if len(numbers) == _N_COORDINATES and all(cell == "" or number(cell) is not None for cell in numbers):
        _mark_box(said[0], numbers, marks)
    elif len(numbers) == _N_COORDINATES and sum(number(cell) is not None for cell in numbers) >= 2:
        marks.named(said[0])
        marks.warn("W_BOX_DROPPED")  # one of its numbers is none: it is a box all the same, not a row of classes
    else:
        for label in filter(None, said):
            marks.named(label)


def _mark_box(label: str, numbers: Sequence[str], marks: Marks) -> None:
    marks.looked_at()
    if label:
        marks.label(label)
        xs, ys = ([float(cell) for cell in numbers[axis::2] if cell] for axis in (0, 1))
        if xs or ys:
            marks.corners(label, (min(xs), min(ys), max(xs), max(ys)) if xs and ys else ())
