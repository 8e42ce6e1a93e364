"""Azure Custom Vision's list of tagged images, as its training API gives it, beside the pictures.

The service has no export of its own: people save what GetTaggedImages or GetImages answers and download each picture,
mostly under its id. Its other usual form, a folder for each tag, is read as class folders.

Format: Image, ImageTag and ImageRegion of
https://learn.microsoft.com/rest/api/customvision/get-tagged-images/get-tagged-images (regions are shares of the
picture). An image whose only tag is of the type Negative shows none of the classes:
https://learn.microsoft.com/azure/ai-services/custom-vision-service/getting-started-improving-your-classifier#negative-images.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from winnow.data.sources.annotated import Annotated
from winnow.data.sources.boxes import Marks
from winnow.data.sources.json_file import first_keys, json_files, read_json
from winnow.data.sources.pictures_of import is_address, shown
from winnow.data.sources.source import Found, ImportOptions, Refused
from winnow.data.sources.tree import Tree
from winnow.events import Note

_SIGNS = ("tags[].tagName", "tags[].tagId", "regions[].tagName", "regions[].tagId")
_NAMES = ("name", "fileName", "filename", "file_name", "path")
_ADDRESSES = ("originalImageUri", "imageUri", "resizedImageUri", "thumbnailUri")
_SIDES = ("left", "top", "width", "height")


class AzureCustomVision:
    """A list of images with tags and regions."""

    name = "Azure Custom Vision's list of tagged images (JSON) with the downloaded pictures"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """JSON lists whose objects have tags or regions of Custom Vision."""
        return [path for path in json_files(tree, only) if _is_azure(first_keys(tree, path))] or None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The pictures in the order of the lists.

        Raises:
            RefusedSourceError: E_ANN_JSON, a file is no JSON; E_ANN_SCHEMA, it holds no list.
        """
        annotated = Annotated(tree, files)
        for path in files:
            document = read_json(tree, path, annotated.tally)
            about = cast(dict[str, Any], document) if isinstance(document, dict) else {}
            negative = {str(tag.get("id")) for tag in _objects(about.get("tags")) if tag.get("type") == "Negative"}
            for _, entry in annotated.objects(path, about.get("images") if about else document):
                name, picture = _picture(entry, path, annotated)
                marks = annotated.picture(name, near=path, path=picture)
                if marks is not None:
                    marks.whole = 1
                    _mark(entry, marks, negative)
        return annotated.found()


def _is_azure(keys: frozenset[str]) -> bool:
    return any(f"{start}{sign}" in keys for start in ("[].", "images[].") for sign in _SIGNS)


def _picture(entry: dict[str, Any], path: str, annotated: Annotated) -> tuple[object, str | Refused]:
    """The name an image goes by, and its file: by name, by id, or by the end of an address."""
    pictures = annotated.pictures
    name = next((entry[key] for key in _NAMES if key in entry), None)
    if name is not None:
        return name, pictures.find(name, near=path)
    number = entry.get("id")
    if isinstance(number, str) and number.strip() and "/" not in number and "\\" not in number:
        by_id = pictures.by_stem(number, path)
        if by_id is not None:
            return number, by_id
    addresses = [entry[key] for key in _ADDRESSES if is_address(entry.get(key))]
    found = [pictures.find(address, near=path) for address in addresses]
    line = next((each for each in found if isinstance(each, str)), None)
    if line is not None:
        return number, line
    if addresses:
        return number, cast(Refused, found[0])
    reason = "There is no picture with this id as its name: download it as <id>.jpg beside the list."
    return number, Refused(shown(number), "E_MISSING", reason)


def _mark(entry: dict[str, Any], marks: Marks, negative: set[str]) -> None:
    tags, regions = _objects(entry.get("tags")), _objects(entry.get("regions"))
    for tag in tags:
        marks.looked_at()
        if str(tag.get("tagId")) not in negative:
            marks.named(tag.get("tagName"))
    for region in regions:
        if (label := marks.named(region.get("tagName"))) is not None:
            marks.box(label, [region.get(side) for side in _SIDES])


def _objects(value: object) -> list[dict[str, Any]]:
    values = cast(list[Any], value) if isinstance(value, list) else []
    return [cast(dict[str, Any], each) if isinstance(each, dict) else {} for each in values]
