"""What the files of pictures are called when they leave: like where they came from, as every disk can hold it."""

from __future__ import annotations

import hashlib
import posixpath

from winnow.data.class_names import file_name
from winnow.data.manifest import Example
from winnow.data.sources.disk_names import disk_key, disk_name

# Windows' programs still stumble over paths of more than 260 signs, of which the user's own folder takes some.
_MAX_NAME_BYTES = 100
_MAX_PATH_SIGNS = 180

# The first is given to a file whose name ends otherwise.
_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jfif"),
    "MPO": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "AVIF": (".avif",),
}
_ALL_SUFFIXES = frozenset(suffix for suffixes in _SUFFIXES.values() for suffix in suffixes)


class FileNames:
    """Names of which no two are one file, whether or not a disk tells capitals apart."""

    def __init__(self) -> None:
        # A million names as numbers; that two share one by chance costs no more than a longer name.
        self._taken: set[int] = set()
        self._copies: dict[int, int] = {}

    def name(self, example: Example, folder: str = "") -> str:
        """`folder`/<the name that the picture's file had>."""
        return self._free(folder, _file(example.source.rsplit("/", 1)[-1], example.format), example)

    def path(self, example: Example, folder: str = "") -> str:
        """`folder`/<the path that the picture had in what was imported>."""
        *steps, last = example.source.split("/")
        file = _file(last, example.format)
        inside = [_step(step) for step in steps if step not in ("", ".", "..")]
        path = posixpath.join(folder, *inside)
        return self._free(path if len(path) + len(file) < _MAX_PATH_SIGNS else folder, file, example)

    def _free(self, folder: str, file: str, example: Example) -> str:
        """The name itself; else with the beginning of what is in the file, so that it does not depend on who came
        first; and with a number for copies of one file."""
        stem, suffix = posixpath.splitext(posixpath.join(folder, file))
        if self._take(path := f"{stem}{suffix}") or self._take(path := f"{stem}-{example.content[:8]}{suffix}"):
            return path
        start = _key(path)
        number = self._copies.get(start, 2)
        while not self._take(path := f"{stem}-{example.content[:8]}-{number}{suffix}"):
            number += 1
        self._copies[start] = number + 1
        return path

    def _take(self, path: str) -> bool:
        key = _key(path)
        if key in self._taken:
            return False
        self._taken.add(key)
        return True


def _key(path: str) -> int:
    return int.from_bytes(hashlib.blake2b(disk_key(path).encode(), digest_size=8).digest())


def _file(name: str, kind: str) -> str:
    """The name with the ending of its format. Something else that it ends with stays: "x.parquet[3].png"."""
    suffixes = _SUFFIXES.get(kind, (f".{kind.lower()}",))
    stem, suffix = posixpath.splitext(name)
    if suffix.lower() not in suffixes:
        stem, suffix = (stem if suffix.lower() in _ALL_SUFFIXES else name), suffixes[0]
    return _shortened(_on_disk(f"{stem.strip() or 'picture'}{suffix}"), suffix)


def _step(name: str) -> str:
    """A folder. None ends like a picture, so that no file takes its place."""
    name = _shortened(_on_disk(name), "")
    stem, suffix = posixpath.splitext(name)
    return f"{stem}%2E{suffix[1:]}" if suffix.lower() in _ALL_SUFFIXES else name


def _on_disk(name: str) -> str:
    return disk_name(file_name(name)[0])


def _shortened(name: str, suffix: str) -> str:
    data = name.encode()
    if len(data) <= _MAX_NAME_BYTES:
        return name
    return data[: _MAX_NAME_BYTES - len(suffix)].decode(errors="ignore").rstrip(". ") + suffix
