"""Label Studio's exports: JSON (all annotations of each task), JSON-MIN and CSV (one record an annotation).

Of several annotations of a picture the latest that was not cancelled counts. Pictures are matched by the end of what
the task calls them: /data/upload/1/0a1b2c3d-cat.jpg is 0a1b2c3d-cat.jpg, or cat.jpg as it was called before uploading.

Formats: https://labelstud.io/guide/task_format and https://labelstud.io/guide/export (coordinates are percent);
records as label_studio_converter writes them (https://github.com/HumanSignal/label-studio-converter).
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from winnow.data.sources.annotated import Annotated
from winnow.data.sources.boxes import Marks, number, rotated_corners, stated_size
from winnow.data.sources.json_file import first_keys, json_files, read_json
from winnow.data.sources.pictures_of import is_address, is_picture_name, shown
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.data.sources.tables.delimited import rows_of_text
from winnow.data.sources.text_file import as_text, beginning, loose_text, read_bytes
from winnow.data.sources.tree import Tree, other_files
from winnow.events import Note

_IMAGE_KEYS = ("image", "img", "picture", "photo", "image_url", "url", "ocr")
_LABEL_KEYS = ("choice", "choices", "label", "labels", "class", "category", "tag", "tags")
# What records have besides a task's data and what was said of it.
_RECORD_KEYS = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "was_cancelled", "agreement"}
    | {"completed_by", "task_id", "ground_truth", "prediction", "draft"}
)
_UPLOAD_PREFIX = re.compile(r"[0-9a-f]{8}-")
_SIDES = ("x", "y", "width", "height")
_MAX_CELL = 16 << 20
# What could be read of JSON is text no more; names of classes do not begin so.
_JSON_STARTS = ('{"', '["', "[{")

_Record = Mapping[str, Any]


class LabelStudio:
    """Tasks or annotations of Label Studio."""

    name = "Label Studio exports (JSON, JSON-MIN or CSV) with their pictures"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """JSON lists of tasks or records, CSV with the columns of records."""
        found = [path for path in json_files(tree, only) if _is_tasks(k := first_keys(tree, path)) or _is_records(k)]
        tables = [path for path in (other_files(tree) if only is None else [only]) if path.casefold().endswith(".csv")]
        return found or [path for path in tables[:16] if _is_record_table(tree, path)] or None

    def find(self, tree: Tree, files: list[str], options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The pictures in the order of the tasks.

        Raises:
            RefusedSourceError: E_ANN_JSON, a file is no JSON; E_ANN_SCHEMA, it holds no list, or several columns may
                hold the labels.
        """
        annotated = Annotated(tree, files)
        for path in files:
            if path.casefold().endswith(".csv"):
                _read_records(_table(tree, path, annotated), path, options, annotated)
            elif _is_tasks(first_keys(tree, path)):
                for place, task in annotated.objects(path, read_json(tree, path, annotated.tally)):
                    _read_task(task, place, path, annotated)
            else:
                records = annotated.objects(path, read_json(tree, path, annotated.tally))
                _read_records([record for _, record in records], path, options, annotated)
        return annotated.found()


def _is_tasks(keys: frozenset[str]) -> bool:
    return "[].data" in keys and bool({"[].annotations", "[].completions", "[].predictions"} & keys)


def _is_records(keys: frozenset[str]) -> bool:
    return "[].annotation_id" in keys and bool({"[].annotator", "[].lead_time", "[].updated_at"} & keys)


def _is_record_table(tree: Tree, path: str) -> bool:
    header = next(iter(loose_text(beginning(tree, path)).splitlines()), "")
    columns = set(next(csv.reader([header.strip()]), []))
    return "annotation_id" in columns and bool({"annotator", "lead_time"} & columns)


# Tasks


def _read_task(task: _Record, place: str, path: str, annotated: Annotated) -> None:
    data = task.get("data")
    name = _image(cast(_Record, data)) if isinstance(data, dict) else None
    if name is None:
        annotated.refuse(Refused(place, "E_ANN_SCHEMA", "The task has no picture among its data."))
        return
    marks = _picture(name, path, annotated)
    all_said = task.get("annotations", task.get("completions"))
    finished = [said for said in _objects(all_said) if not said.get("was_cancelled") and "result" in said]
    if marks is None or not finished:
        return
    marks.looked_at()
    for region in _objects(_latest(finished)["result"]):
        value = region.get("value")
        about = {**region, **(cast(dict[str, Any], value) if isinstance(value, dict) else {})}
        _region(str(region.get("type", "")), about, marks, annotated)


def _image(data: _Record) -> str | None:
    """What a task calls its picture: under a usual key, or else the first that looks like one."""
    values = [data[key] for key in _IMAGE_KEYS if key in data] + list(data.values())
    texts = [value for value in values if isinstance(value, str) and value.strip()]
    return next((text for text in texts if _names_picture(text)), None)


def _names_picture(text: str) -> bool:
    is_served = text.startswith(("/data/upload/", "/data/local-files/"))
    return len(text) < 4096 and (is_served or is_address(text) or is_picture_name(text))


def _picture(name: str, path: str, annotated: Annotated) -> Marks | None:
    marks = annotated.picture(name, near=path, is_listed_twice=False, path=_file(name, path, annotated))
    if marks is not None:
        marks.whole = 100
        if is_address(name):
            annotated.tally.count("W_URL_IGNORED", path)
    return marks


def _file(name: str, path: str, annotated: Annotated) -> str | Refused:
    """The file of a task's picture; one that the server gave out is looked for by the end of its name."""
    pictures = annotated.pictures
    is_served = name.startswith(("/data/upload/", "/data/local-files/"))
    found = None if is_served else pictures.find(name, near=path)
    if isinstance(found, str) or "\0" in name:
        return found or Refused(shown(name), "E_ANN_PATH", "No file can have this name: mend the task.")
    try:
        parts = urlsplit(name)
        asked = parse_qs(parts.query).get("d") if parts.path.startswith("/data/local-files") else None
        whole = asked[0] if asked else unquote(parts.path)
    except ValueError:
        whole = name
    steps = [step for step in whole.replace("\\", "/").split("/") if step not in ("", ".", "..")]
    if steps and (is_served or is_address(name)):
        ways = [steps, [*steps[:-1], _UPLOAD_PREFIX.sub("", steps[-1], count=1)]]
        at = next((at for way in ways if (at := pictures.ending_like(way, near=path)) is not None), None)
        if at is not None:
            return at
    return found or Refused(shown(name), "E_MISSING", "There is no such file: put the picture beside the export.")


def _latest(annotations: Sequence[_Record]) -> _Record:
    """The one that was changed last; of equal ones the last in the file."""

    def when(place: int) -> tuple[str, int]:
        said = annotations[place]
        return str(said.get("updated_at") or said.get("created_at") or ""), place

    return annotations[max(range(len(annotations)), key=when)]


# What was said


def _region(kind: str, about: _Record, marks: Marks, annotated: Annotated) -> None:
    """One result: a choice for the whole picture, or a shape with labels."""
    if kind in ("choices", "taxonomy"):
        for choice in _values(about.get(kind)):
            marks.named("/".join(map(str, cast(list[Any], choice))) if isinstance(choice, list) else choice)
        return
    labels = _values(about.get(kind)) if kind.endswith("labels") else []
    if not labels:
        # A bare shape whose labels are another result of the same id, a number, a text: nothing to learn from here.
        if kind not in ("rectangle", "polygon", "ellipse", "brush", "keypoint"):
            annotated.tally.name("W_UNKNOWN_KEY", kind or "result")
        return
    for value in labels:
        if (label := marks.named(value)) is not None:
            _shape(label, about, marks, annotated)


def _shape(label: str, about: _Record, marks: Marks, annotated: Annotated) -> None:
    stated = stated_size(about.get("original_width"), about.get("original_height"))
    if stated is not None and not number(about.get("image_rotation", 0)):
        marks.stated = stated
    if "points" in about:
        annotated.tally.count("W_SEG_DROPPED", label)
        points = about["points"]
        marks.around(label, [p if isinstance(p, list) else () for p in points] if isinstance(points, list) else ())
    elif "radiusX" in about:
        annotated.tally.count("W_SEG_DROPPED", label)
        x, y, across, down = (number(about.get(key)) or 0.0 for key in ("x", "y", "radiusX", "radiusY"))
        marks.box(label, (x - across, y - down, 2 * across, 2 * down))
    elif "rle" in about:
        annotated.tally.count("W_SEG_DROPPED", label)
    elif "width" in about and "height" in about:
        _rectangle(label, about, stated, marks)
    else:
        annotated.tally.name("W_UNKNOWN_KEY", "keypoint")


def _rectangle(label: str, about: _Record, stated: tuple[float, float] | None, marks: Marks) -> None:
    sides = [about.get(side) for side in _SIDES]
    turn = number(about.get("rotation", 0))
    numbers = [number(side) for side in sides]
    if not turn or any(n is None for n in numbers):
        marks.box(label, sides)
        return
    # Turned about the left top corner, in pixels; percents of a picture that is not square turn into a rhomboid.
    wide, high = stated or (1.0, 1.0)
    if stated is None:
        marks.warn("W_BOX_SUSPICIOUS")
    x, y, width, height = (n for n in numbers if n is not None)
    x, y, width, height = x * wide, y * high, width * wide, height * high
    corners = rotated_corners(x, y, width, height, turn, about=(x, y))
    marks.around(label, [(across / wide, down / high) for across, down in corners])


# Records


def _table(tree: Tree, path: str, annotated: Annotated) -> list[_Record]:
    """The rows of a CSV export; cells that hold JSON are read as such."""
    try:
        text, has_mark = as_text(read_bytes(tree, path))
    except UnicodeDecodeError as error:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{path} is not in UTF-8 ({error.reason}): save it as UTF-8."
        ) from error
    if has_mark:
        annotated.tally.count("W_BOM", path)
    header: list[str] | None = None
    records: list[_Record] = []
    for line, row in rows_of_text(partial(io.StringIO, text, newline="")):
        place = f"{path}, line {line}"
        if isinstance(row, str):
            annotated.refuse(Refused(place, "E_ANN_SCHEMA", f"The line cannot be read ({row}): export it anew."))
        elif header is None:
            header = row
        elif len(row) < len(header) or any(row[len(header) :]):
            why = f"The row has {len(row)} cells where the table has {len(header)} columns: export it anew."
            annotated.refuse(Refused(place, "E_ANN_SCHEMA", why))
        else:
            records.append({key: _cell(cell) for key, cell in zip(header, row, strict=False)})
    return records


def _cell(cell: str) -> object:
    if cell[:1] in "[{" and len(cell) < _MAX_CELL:
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell


def _read_records(records: Sequence[_Record], path: str, options: ImportOptions, annotated: Annotated) -> None:
    kept: dict[str, list[_Record]] = {}
    for place, record in enumerate(records):
        if (name := _image({k: v for k, v in record.items() if k not in _RECORD_KEYS})) is None:
            annotated.refuse(Refused(f"{path}[{place}]", "E_ANN_SCHEMA", "The record names no picture."))
        else:
            kept.setdefault(name, []).append(record)
    columns = _label_columns(path, kept, options)
    for name, said in kept.items():
        marks = _picture(name, path, annotated)
        finished = [record for record in said if str(record.get("was_cancelled", "")).casefold() not in ("true", "1")]
        finished = [record for record in finished if record.get("annotation_id") not in (None, "")]
        if marks is None or not finished:
            continue
        marks.looked_at()
        record = _latest(finished)
        for column in columns:
            _said(record.get(column), marks, annotated)


def _label_columns(path: str, kept: Mapping[str, list[_Record]], options: ImportOptions) -> list[str]:
    """The columns that say what is in the picture: the user's, else those with shapes or choices, else a usual one."""
    if options.label_columns:
        return list(options.label_columns)
    records = [record for said in kept.values() for record in said]
    names = list(dict.fromkeys(key for record in records for key in record if key not in _RECORD_KEYS))
    structured = [name for name in names if any(isinstance(record.get(name), dict | list) for record in records)]
    texts = [name for name in names if name not in structured and not _is_image_column(name, records)]
    usual = [name for name in texts if name.casefold() in _LABEL_KEYS]
    if structured or usual or len(texts) <= 1:
        return structured + (usual or ([] if structured else texts))
    raise RefusedSourceError(
        "E_ANN_SCHEMA", f"{path}: any of {', '.join(texts[:9])} may hold the labels: say which, with label_columns."
    )


def _is_image_column(name: str, records: Sequence[_Record]) -> bool:
    values = [record.get(name) for record in records]
    return all(value in (None, "") or (isinstance(value, str) and _names_picture(value)) for value in values)


def _said(value: object, marks: Marks, annotated: Annotated) -> None:
    """A cell: one choice as text, several as {"choices": [...]}, shapes as a list of objects."""
    if value in (None, "", [], {}):
        return
    if isinstance(value, dict):
        about = cast(dict[str, Any], value)
        kind = next((key for key in about if key in ("choices", "taxonomy") or key.endswith("labels")), "")
        _region(kind, about, marks, annotated)
    elif isinstance(value, list):
        for each in cast(list[Any], value):
            _said(each, marks, annotated)
    elif isinstance(value, str) and value.startswith(_JSON_STARTS):
        marks.refusal = ("E_ANN_SCHEMA", "What was said of it is JSON that is cut off or damaged: export it anew.")
    else:
        marks.named(value)


def _values(value: object) -> list[Any]:
    return cast(list[Any], value) if isinstance(value, list) else [] if value is None else [value]


def _objects(value: object) -> list[dict[str, Any]]:
    return [cast(dict[str, Any], each) for each in _values(value) if isinstance(each, dict)]
