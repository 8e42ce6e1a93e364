"""Pascal VOC's XML: one file a picture, with the picture's name in it, and lists of splits in ImageSets/Main.

Labels are the names of the objects, in order. Coordinates count from 1 and the last pixel belongs to the box, so
xmin..xmax becomes (xmin - 1, xmax - xmin + 1); tools that count from 0 are a pixel off, which no one can tell.

Format: Everingham and Winn, The PASCAL VOC 2012 Development Kit, section 8 (annotation) and 4 (image sets),
http://host.robots.ox.ac.uk/pascal/VOC/voc2012/htmldoc/devkit_doc.html.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from winnow.data.sources.annotated import found_picture
from winnow.data.sources.boxes import Marks, number, stated_size
from winnow.data.sources.pictures_of import Pictures, is_picture_name, shown, split_of_folders
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.data.sources.tally import Tally
from winnow.data.sources.text_file import loose_text, read_bytes
from winnow.data.sources.tree import Tree, other_files
from winnow.data.sources.xml_file import read_xml, root_tag
from winnow.events import Note

_MAX_LOOKED_AT = 16
_CORNERS = ("xmin", "ymin", "xmax", "ymax")
# What a later one lists stays with the earlier: trainval holds train and validation.
_LISTS = (("train", "train"), ("val", "validation"), ("test", "test"), ("trainval", "train"))


class PascalVoc:
    """Each XML file tells what is in one picture."""

    name = "Pascal VOC annotations (XML) with their pictures"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """XML files, if the first few are annotations of one picture."""
        if only is not None:
            return [only] if only.casefold().endswith(".xml") and root_tag(tree, only) == "annotation" else None
        files = [path for path in other_files(tree) if path.casefold().endswith(".xml")]
        return files if any(root_tag(tree, path) == "annotation" for path in files[:_MAX_LOOKED_AT]) else None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The pictures in the order of the XML files; a damaged XML file costs one line.

        Raises:
            RefusedSourceError: E_ANN_XML or E_ANN_SCHEMA, the only file is damaged or says nothing of a picture.
        """
        pictures = Pictures(tree, is_lazy=len(files) == 1 and "/" not in files[0])
        splits = _splits(tree, files)
        tally = Tally()
        used: set[str] = set()
        for path in files:
            try:
                item = _read(tree, path, pictures, splits, tally)
            except RefusedSourceError as error:
                if len(files) == 1:
                    raise
                item = Refused(path, error.code, error.reason)
            if isinstance(item, Found):
                if item.source in used:
                    tally.count("W_DUP", item.source)
                    item = Refused(path, "E_ANN_REF", f"It is of {item.source}, as another one is: keep one of them.")
                else:
                    used.add(item.source)
            elif item.code == "E_MISSING":
                tally.count("W_FILE_MISSING", item.source)
            yield item
        yield from tally.notes()
        if (len(files) > 1 or "/" in files[0]) and (unused := pictures.count_unused(used)):
            yield Note(f"{unused} pictures here are named in no annotation: they were left out.")


def _read(tree: Tree, path: str, pictures: Pictures, splits: dict[str, str], tally: Tally) -> Found | Refused:
    root = read_xml(tree, path)
    if root.tag != "annotation":
        raise RefusedSourceError(
            "E_ANN_SCHEMA",
            f"{path} holds <{shown(root.tag)[:30]}>, not the <annotation> of Pascal VOC: export it anew.",
        )
    stem = posixpath.splitext(posixpath.basename(path))[0]
    split = splits.get(stem) or splits.get(path)
    picture = _picture(root, path, stem, pictures, split)
    if isinstance(picture, Refused):
        return picture
    marks = Marks(stated_size(root.findtext("size/width"), root.findtext("size/height")))
    marks.looked_at()
    for thing in root.findall("object"):
        _mark(thing, marks, tally)
    if not marks.labels and "W_ANN_DANGLING" in marks.codes:
        marks.labels = None  # something is there, but nobody says what: that is not "no class applies"
    return found_picture(tree, picture, marks, split=split)


def _picture(root: Element, path: str, stem: str, pictures: Pictures, split: str | None) -> str | Refused:
    """The file of <filename>, which many tools write without its ending or leave as it was before renaming."""
    name = (root.findtext("filename") or "").strip()
    if name and is_picture_name(name):
        found = pictures.find(name, near=path, split=split)
        if isinstance(found, str) or found.code != "E_MISSING":
            return found
        return pictures.by_stem(stem, path, split) or found
    by_name = pictures.find(name, near=path, split=split) if name else None
    if isinstance(by_name, str) or (by_name is not None and by_name.code != "E_MISSING"):
        return by_name
    found = (pictures.by_stem(posixpath.basename(name), path, split) if name else None) or pictures.by_stem(
        stem, path, split
    )
    return found or Refused(shown(name or stem), "E_MISSING", f"There is no picture for {path}: put it beside.")


def _mark(thing: Element, marks: Marks, tally: Tally) -> None:
    name = (thing.findtext("name") or "").strip()
    if not name:
        marks.warn("W_ANN_DANGLING")
        tally.count("W_ANN_DANGLING", "an object without a name")
        return
    marks.label(name)
    if thing.find("polygon") is not None or thing.find("segmentation") is not None:
        tally.count("W_SEG_DROPPED", name)
    box = thing.find("bndbox")
    edges = [None if box is None else number((box.findtext(corner) or "").strip()) for corner in _CORNERS]
    left, top, right, bottom = edges
    if left is None or top is None or right is None or bottom is None or right < left or bottom < top:
        marks.warn("W_BOX_DROPPED")
    elif max(right, bottom) <= 1:  # shares of the picture: to be found suspicious, not to be shifted away
        marks.corners(name, (left, top, right, bottom))
    else:
        marks.corners(name, (left - 1, top - 1, right, bottom))


def _splits(tree: Tree, files: list[str]) -> dict[str, str]:
    """The split of each picture by its name without ending (ImageSets/Main) or else of each XML file (its folders)."""
    found: dict[str, str] = {}
    if len(files) == 1 and "/" not in files[0]:
        return found
    lists = {path: posixpath.splitext(posixpath.basename(path))[0] for path in tree.paths if _is_list(path)}
    for name, split in _LISTS:
        for path in (path for path, stem in lists.items() if stem == name):
            for line in loose_text(read_bytes(tree, path)).splitlines():
                if words := line.split():
                    found.setdefault(words[0], split)
    if not lists:
        found = {path: split for path in files if (split := split_of_folders(path))}
    return found if {"train"} < set(found.values()) else {}


def _is_list(path: str) -> bool:
    folder, name = posixpath.split(path)
    return name in {f"{known}.txt" for known, _ in _LISTS} and folder.casefold().endswith("imagesets/main")
