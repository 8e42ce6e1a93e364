"""How people call the columns of their tables, and how files of pictures end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

Role = Literal["picture", "label", "split", "group", "weight", "time"]

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jfif", ".jpe", ".dcm")

# Written without capitals, spaces and underscores; the surest first.
USUAL_NAMES: Mapping[Role, Sequence[str]] = {
    "picture": (
        *("imagepath", "imgpath", "picturepath", "photopath", "filepath", "path", "filename", "file", "imagefile"),
        *("imagefilename", "imagefilepath", "imagename", "imgname", "imgfile", "image", "img", "picture", "photo"),
        *("images", "fname", "relativepath", "relpath", "fullpath", "imagebytes", "imageurl", "imgurl", "pictureurl"),
        *("photourl", "imageuri", "imguri", "gcsuri", "imagegcsuri", "url", "uri", "imagelink", "link"),
    ),
    "label": (
        *("label", "labels", "class", "classes", "classname", "classlabel", "labelname", "category", "categories"),
        *("categoryname", "target", "targets", "y", "tag", "tags", "groundtruth", "diagnosis", "dx", "finding"),
        *("findinglabels", "species", "breed", "annotation", "annotations", "labelid", "classid", "categoryid"),
        *("classidx", "labelidx", "finelabel", "findings", "attributeids"),
    ),
    "split": ("split", "subset", "partition", "dataset", "set", "phase", "usage", "datasplit", "fold"),
    "group": (
        *("group", "groupid", "patient", "patientid", "subject", "subjectid", "participant", "participantid"),
        *("person", "personid", "case", "caseid", "lesion", "lesionid", "video", "videoid", "sequence", "sequenceid"),
        *("burst", "burstid", "scene", "sceneid", "individual", "individualid", "animalid"),
    ),
    "weight": ("weight", "sampleweight", "exampleweight", "instanceweight", "weights"),
    "time": (
        *("taken", "takenat", "datetaken", "timetaken", "capturedat", "capturetime", "capturedate", "captured"),
        *("datetime", "datetimeoriginal", "timestamp", "date", "time", "observedat", "observedon", "eventdate"),
    ),
}
# These hold pictures only where their values do: an "id" is mostly a number.
WEAK_PICTURE_NAMES = (
    *("id", "imageid", "imgid", "imgcode", "imagecode", "idcode", "uuid", "isicid", "uid", "name", "key", "photoid"),
    *("pictureid", "bytes", "content", "data", "jpg", "png", "sample", "item", "picturename", "photoname", "filenames"),
)
# Where a label is a number, its name often stands beside it.
LABEL_NAME_COLUMNS = ("labelname", "classname", "categoryname", "labeltext", "classlabel", "labelstr")

_ALL = frozenset(name for names in USUAL_NAMES.values() for name in names) | frozenset(WEAK_PICTURE_NAMES)


def plain(name: str) -> str:
    """A name without what people write differently.

    >>> plain("Image_ID "), plain("fileName")
    ('imageid', 'filename')
    """
    return re.sub(r"[\W_]+", "", name.casefold())


def is_usual_name(cell: str) -> bool:
    """Is this what people call a column of a table of pictures? Hugging Face also has "front_file_name" and so on."""
    name = plain(cell)
    return name in _ALL or name.endswith(("filename", "filepath", "imagepath"))


def is_header(cells: Sequence[str]) -> bool:
    """Does a table's first row name its columns? Not if it holds a picture's path and no usual name."""
    return any(map(is_usual_name, cells)) or not any(map(looks_like_picture, cells))


def looks_like_picture(cell: str) -> bool:
    """Does this end like a picture's path?"""
    return cell.strip().casefold().endswith(SUFFIXES) and len(cell) < 1000
