"""Which file of a tree an annotation means: never one outside, never a guess between two."""

from __future__ import annotations

import io
import posixpath
import re
import sys
import unicodedata
from bisect import bisect_left
from collections.abc import Container, Sequence
from functools import cached_property
from typing import IO, NamedTuple
from urllib.parse import unquote, urlsplit

from PIL import Image

from winnow.data.quiet import quiet_pillow
from winnow.data.signatures import FORMATS
from winnow.data.sources.source import Refused, split_named
from winnow.data.sources.tree import Tree

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".dcm"})
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:(//|/[^/])|data:", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_PICTURE_FOLDERS = ("images", "jpegimages", "imgs", "data")
_ORIENTATION = 0x0112  # EXIF 2.32, section 4.6.4
_MAX_NAME = 4096


class Size(NamedTuple):
    """How large a picture is, upright, in pixels; `turned` is its EXIF orientation if that lies on its side (5-8)."""

    width: int
    height: int
    turned: int


def is_address(name: object) -> bool:
    """Is this a URL of any kind?"""
    return isinstance(name, str) and _ADDRESS.match(name.strip()) is not None


def is_picture_name(path: str) -> bool:
    """Does its name end like a picture's?"""
    return posixpath.splitext(path)[1].casefold() in PICTURE_SUFFIXES


def shown(name: object) -> str:
    """A name from a stranger as one short printable line."""
    text = name if isinstance(name, str) else f"({type(name).__name__})"
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:200]) or "(none)"


class Pictures:
    """The files of a tree, found by what annotations call them.

    Args:
        is_lazy: look first where files are said to be, because walking the whole folder around a single annotation
            file (somebody's downloads) may take long.
    """

    def __init__(self, tree: Tree, *, is_lazy: bool = False) -> None:
        self._tree = tree
        self._is_lazy = is_lazy and tree.file("") is not None
        self._answers: dict[tuple[str, str, str | None], str | Refused | None] = {}

    def find(self, name: object, *, near: str = "", split: str | None = None) -> str | Refused:
        """The path in the tree of the picture called `name`, or the line of the report that says why there is none.

        Args:
            name: a path, relative to the annotation file, the tree or any folder in it; or an address, of which the
                end is compared with the files that are here.
            near: the annotation file.
            split: of several files with that name, one in a folder of this split is taken.
        """
        if not isinstance(name, str) or not name.strip():
            return Refused(shown(name), "E_ANN_PATH", "The annotation names no file: fill in its name.")
        if "\0" in name or len(name) > _MAX_NAME or not _can_be_written(name):
            return Refused(shown(name), "E_ANN_PATH", "No file can have this name: mend the annotation.")
        if is_address(name):
            return self._at_address(name.strip(), near, split)
        path = name.replace("\\", "/")
        if path.startswith("/") or _DRIVE.match(path):
            reason = "The path starts at the root of a disk: write it relative to the annotation file."
            return Refused(shown(name), "E_ANN_PATH", reason)
        ways = [posixpath.normpath(posixpath.join(start, path)) for start in (posixpath.dirname(near), "")]
        inside = [way for way in ways if not way.startswith("../") and way not in ("..", ".")]
        if not inside:
            reason = "The path leaves the folder that is imported: import the folder around both instead."
            return Refused(shown(name), "E_ANN_PATH", reason)
        for way in inside:
            if self._has(way):
                return way
        return self._called(inside[-1], near, split) or Refused(
            shown(name), "E_MISSING", "There is no such file: put the picture beside its annotations."
        )

    def count_unused(self, used: Container[str]) -> int:
        """How many pictures there are beside those `used`."""
        return sum(is_picture_name(path) and path not in used for path in self._tree.paths)

    def by_stem(self, stem: str, near: str, split: str | None = None) -> str | None:
        """The one picture whose name without ending is `stem`, as `find` would choose it."""
        names = [stem + suffix for suffix in sorted(PICTURE_SUFFIXES)]
        found = (self.find(name, near=near, split=split) for name in names)
        return next((path for path in found if isinstance(path, str)), None)

    def ending_like(self, steps: Sequence[str], *, near: str = "", split: str | None = None) -> str | None:
        """The file whose path ends like that of another place (a bucket, somebody's disk), as far as it can."""
        for start in range(len(steps)):
            path = "/".join(steps[start:])
            if self._has(path):
                return path
            if isinstance(found := self._called(path, near, split), str):
                return found
        return None

    def _at_address(self, name: str, near: str, split: str | None) -> str | Refused:
        try:
            parts = urlsplit(name)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme.casefold() == "file":
            reason = "The path starts at the root of a disk: write it relative to the annotation file."
            return Refused(shown(name), "E_ANN_PATH", reason)
        steps = [step for step in f"{parts.netloc}/{unquote(parts.path)}".split("/") if step not in ("", ".", "..")]
        if (found := self.ending_like(steps, near=near, split=split)) is not None:
            return found
        reason = "Addresses are not opened: download the picture, put it beside the annotations, and import again."
        return Refused(shown(name), "E_URL_BLOCKED", reason)

    def _has(self, path: str) -> bool:
        if not self._is_lazy:
            return path in self._paths
        try:
            file = self._tree.file(path)
            return file is not None and file.is_file()
        except (OSError, ValueError):  # a name that is too long for the disk
            return False

    def _called(self, path: str, near: str, split: str | None) -> str | Refused | None:
        """The file whose path ends with `path`, in any case and Unicode form; Refused if two are meant equally well."""
        asked = (path, near, split)
        if asked not in self._answers:
            self._answers[asked] = self._best(path, self._ending(path), near, split)
        return self._answers[asked]

    def _best(self, path: str, ends: list[str], near: str, split: str | None) -> str | Refused | None:
        if len(ends) <= 1:
            return ends[0] if ends else None
        for wish in (
            lambda each: ("/" + each).endswith("/" + path),
            lambda each: split is not None and split in map(split_word, each.split("/")[:-1]),
            lambda each: each.startswith(posixpath.dirname(near) + "/"),
            lambda each: any(part.casefold() in _PICTURE_FOLDERS for part in each.split("/")[:-1]),
        ):
            ends = [each for each in ends if wish(each)] or ends
        if len(ends) == 1:
            return ends[0]
        reason = f"{len(ends)} files have this name ({ends[0]}, {ends[1]}): write the folder into the annotation, too."
        return Refused(shown(path), "E_ANN_REF", reason)

    def _ending(self, path: str) -> list[str]:
        """All files whose path ends with `path`, found by bisection: annotations may name a million."""
        keys, paths = self._backwards
        start = _backwards(path)
        return sorted(paths[bisect_left(keys, start) : bisect_left(keys, start + chr(sys.maxunicode))])

    @cached_property
    def _paths(self) -> frozenset[str]:
        return frozenset(self._tree.paths)

    @cached_property
    def _backwards(self) -> tuple[list[str], list[str]]:
        """All paths read from their ends, sorted, and the paths themselves in the same order."""
        both = sorted((_backwards(path), path) for path in self._tree.paths)
        return [key for key, _ in both], [path for _, path in both]


def split_word(text: str) -> str | None:
    """The split that a file or folder name tells by one of its words: instances_train2017.json is of train.

    >>> split_word("instances_val2017.json"), split_word("trains")
    ('validation', None)
    """
    words = (split_named(word) for word in re.findall(r"[^\W\d_]+", text))
    return next((word for word in words if word), None)


def split_of_folders(path: str) -> str | None:
    """The split that one of the folders around a file tells, the nearest first."""
    splits = (split_word(folder) for folder in reversed(path.split("/")[:-1]))
    return next((split for split in splits if split), None)


def picture_size(tree: Tree, path: str) -> Size | None:
    """The size that a picture file states in its header; None where it states none."""
    try:
        file = tree.file(path)
        if file is not None:
            with file.open("rb") as opened:
                return _size(opened)
        return _size(io.BytesIO(tree.reader(path)()))
    # The header may be anything at all; whether the picture can be read is found out when it is read.
    except Exception:
        return None


def _size(file: IO[bytes]) -> Size:
    with quiet_pillow(), Image.open(file, formats=FORMATS) as image:
        # Only where it is at hand: PNG would decode the whole picture to look for more metadata behind it.
        has_exif = image.format != "PNG" or "exif" in image.info
        turned = image.getexif().get(_ORIENTATION, 1) if has_exif else 1
        width, height = image.size
    return Size(height, width, turned) if turned in (5, 6, 7, 8) else Size(width, height, 1)


def _backwards(path: str) -> str:
    """A path from its last letter to its first, folded; ends with a slash, so that only whole names compare equal."""
    return ("/" + unicodedata.normalize("NFC", path).casefold())[::-1]


def _can_be_written(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
