"""CVAT's XML "for images" 1.1: one file with all pictures, their tags and shapes; `subset` says the split.

Boxes are kept in pixels from 0. Other shapes (polygons, masks, ellipses, turned boxes ...) become the box around them.

Format: https://docs.cvat.ai/docs/other/xml_format (annotation mode).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from xml.etree.ElementTree import Element

from winnow.data.sources.annotated import Annotated
from winnow.data.sources.boxes import Marks, number, rotated_corners, stated_size
from winnow.data.sources.pictures_of import split_word
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.data.sources.text_file import beginning, loose_text
from winnow.data.sources.tree import Tree, other_files
from winnow.data.sources.xml_file import children, root_tag
from winnow.events import Note

_MAX_LOOKED_AT = 16
_CORNERS = ("xtl", "ytl", "xbr", "ybr")


class Cvat:
    """An XML file with an element for each picture."""

    name = "CVAT annotations for images (XML) with their pictures"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """XML files that begin as CVAT's do."""
        paths = [only] if only is not None else other_files(tree)
        files = sorted((p for p in paths if p.casefold().endswith(".xml")), key=lambda p: (p.count("/"), p))
        return sorted(path for path in files[:_MAX_LOOKED_AT] if _is_cvat(tree, path)) or None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The pictures in the order of the file.

        Raises:
            RefusedSourceError: E_ANN_XML, a file is damaged; E_ANN_SCHEMA, it is about a video.
        """
        annotated = Annotated(tree, files)
        for path in files:
            every: list[Marks] = []
            for element in children(tree, path):
                if element.tag == "track":
                    raise RefusedSourceError(
                        "E_ANN_SCHEMA", f"{path} is about a video: export the task as 'CVAT for images 1.1'."
                    )
                if element.tag == "image" and (marks := _read(element, path, annotated)) is not None:
                    every.append(marks)
            if any(marks.labels is not None for marks in every):
                # Annotating is done picture by picture here: one without a mark among others shows nothing.
                for marks in every:
                    marks.looked_at()
        return annotated.found()


def _is_cvat(tree: Tree, path: str) -> bool:
    if root_tag(tree, path) != "annotations":
        return False
    text = loose_text(beginning(tree, path))
    return any(sign in text for sign in ("<image", "<meta", "<version", "<track"))


def _read(element: Element, path: str, annotated: Annotated) -> Marks | None:
    split = split_word(element.get("subset", ""))
    stated = stated_size(element.get("width"), element.get("height"))
    marks = annotated.picture(element.get("name"), near=path, split=split, stated=stated)
    for shape in element if marks is not None else ():
        assert marks is not None
        if shape.find("attribute") is not None:
            annotated.tally.name("W_UNKNOWN_KEY", "attribute")
        label = marks.named(shape.get("label", ""))
        if label is not None and shape.tag != "tag":
            _shape(shape, label, marks, annotated)
    return marks


def _shape(shape: Element, label: str, marks: Marks, annotated: Annotated) -> None:
    turn = number(shape.get("rotation", "0")) or 0.0
    if shape.tag == "box" and not turn:
        marks.corners(label, [number(shape.get(corner)) for corner in _CORNERS])
        return
    annotated.tally.count("W_SEG_DROPPED", label)
    points = _OUTLINES.get(shape.tag, _points)(shape)
    marks.around(label, points)


def _points(shape: Element) -> list[list[str]]:
    """Of polygons, polylines and points: "x,y;x,y"; of a skeleton those of its parts."""
    texts = [part.get("points", "") for part in (shape, *shape)]
    return [pair.split(",") for text in texts for pair in text.split(";") if pair]


def _cuboid(shape: Element) -> list[tuple[object, object]]:
    corners = [f"{side}{nth}" for side in ("xtl", "xbl", "xtr", "xbr") for nth in (1, 2)]
    return [(shape.get(corner), shape.get(corner.replace("x", "y"))) for corner in corners]


def _ellipse(shape: Element) -> list[tuple[float, float]]:
    cx, cy, rx, ry = (number(shape.get(key)) for key in ("cx", "cy", "rx", "ry"))
    if cx is None or cy is None or rx is None or ry is None:
        return []
    turn = number(shape.get("rotation", "0")) or 0.0
    return rotated_corners(cx - rx, cy - ry, 2 * rx, 2 * ry, turn, about=(cx, cy))


def _mask(shape: Element) -> list[tuple[float, float]]:
    left, top, width, height = (number(shape.get(key)) for key in ("left", "top", "width", "height"))
    if left is None or top is None or width is None or height is None:
        return []
    return [(left, top), (left + width, top + height)]


def _turned_box(shape: Element) -> list[tuple[float, float]]:
    left, top, right, bottom = (number(shape.get(corner)) for corner in _CORNERS)
    if left is None or top is None or right is None or bottom is None:
        return []
    centre = ((left + right) / 2, (top + bottom) / 2)
    turn = number(shape.get("rotation", "0")) or 0.0
    return rotated_corners(left, top, right - left, bottom - top, turn, about=centre)


_OUTLINES: Mapping[
    str, Callable[[Element], list[tuple[object, object]] | list[tuple[float, float]] | list[list[str]]]
] = {
    "box": _turned_box,
    "cuboid": _cuboid,
    "ellipse": _ellipse,
    "mask": _mask,
}
