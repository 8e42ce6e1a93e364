"""WebDataset: tars whose files belong together if they have the same name up to the first dot.

    000012.jpg    the picture
    000012.cls    its class: a number or a name (also .label, .txt, or .json with a "label")

Source: the webdataset library's documentation, "The WebDataset Format".
"""

from __future__ import annotations

import json
import posixpath
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple

from winnow.data.decode import UnreadablePictureError
from winnow.data.sources.archive import ArchiveTree
from winnow.data.sources.containers import archive_at
from winnow.data.sources.pictures_of import is_picture_name
from winnow.data.sources.refused import RefusedSourceError
from winnow.data.sources.source import Found, ImportOptions, Refused, label_text
from winnow.data.sources.table import splits_of
from winnow.data.sources.tables.labels import BadLabelError, LabelCells
from winnow.data.sources.tables.names import LABEL_NAME_COLUMNS, USUAL_NAMES, plain
from winnow.data.sources.tables.rows import plain_text
from winnow.data.sources.tables.table import dropped
from winnow.data.sources.tree import Tree
from winnow.events import Note

_SHARDS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz")
_CLASS_FILES = ("cls", "label", "class")
_TEXT_FILES = ("txt", "text", "caption")
_NAMES_FILES = ("classes.txt", "classnames.txt", "class_names.txt", "labels.txt")
_MAX_LABEL_BYTES = 1 << 20
_LOOKED_AT = 200
_MAX_OPEN = 8


class Sample(NamedTuple):
    """The files of one sample, by what stands after the first dot (lower case)."""

    key: str
    files: Mapping[str, str]

    @property
    def picture(self) -> str | None:
        """The picture among them; `seg.png` and the like only if there is no other."""
        found = [suffix for suffix, path in self.files.items() if is_picture_name(path)]
        return self.files[min(found, key=lambda suffix: (suffix.count("."), suffix))] if found else None


class WebDataset:
    """Shards in a folder, or one tar."""

    name = "WebDataset shards (tars of 0001.jpg with 0001.cls or 0001.json)"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """Tars in a folder without pictures, the first of which holds samples; or a tree of samples itself."""
        if only is not None:
            return None
        if any(map(is_picture_name, tree.paths)):
            return [] if _are_samples(tree) else None
        shards = [path for path in tree.paths if path.casefold().endswith(_SHARDS) and tree.file(path) is not None]
        if not shards:
            return None
        try:
            first = _shard(tree, shards[0])
        except RefusedSourceError:
            return shards  # which says why once it is read
        return shards if _are_samples(first) else None

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The samples of one shard after the other, by their names.

        A shard that is damaged or hostile costs one line, unless it is the only one. train, validation and test are
        told by the shards' names.

        Raises:
            RefusedSourceError: the one shard cannot be read.
        """
        names = _class_names(tree)
        if not files:
            yield from _found(tree, "", tree.picture, names, None)
        splits, shards = splits_of(files), _Shards(tree)
        for path in files:
            try:
                shard = _shard(tree, path)
            except RefusedSourceError as error:
                if len(files) == 1:
                    raise
                yield Refused(path, error.code, error.reason)
                continue
            yield from shard.remarks
            names = names or _class_names(shard)
            yield from _found(shard, f"{path}/", partial(shards.reader, path), names, splits.get(path))


class _Shards:
    """Opens shards again when their pictures are read: a thousand at once would be too many open files."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._lock = threading.Lock()
        self._open: OrderedDict[str, ArchiveTree] = OrderedDict()

    def reader(self, path: str, member: str) -> Callable[[], bytes]:
        """Reads a picture of a shard."""
        return partial(self._read, path, member)

    def _read(self, path: str, member: str) -> bytes:
        with self._lock:
            shard = self._open.get(path)
            if shard is None:
                try:
                    shard = self._open[path] = _shard(self._tree, path)
                except RefusedSourceError as error:  # it was fine a moment ago
                    raise UnreadablePictureError(error.code, error.reason) from error
                if len(self._open) > _MAX_OPEN:
                    self._open.popitem(last=False)
            self._open.move_to_end(path)
        return shard.picture(member)()


def _shard(tree: Tree, path: str) -> ArchiveTree:
    file = tree.file(path)
    shard = None if file is None else archive_at(file)
    if shard is None:
        raise RefusedSourceError("E_ARCHIVE_CORRUPT", f"{path} is no tar that can be read: pack it again.")
    return shard


def samples_of(paths: Iterable[str]) -> Iterator[Sample]:
    """Files that belong together; those without a dot belong to nothing."""
    by_key: dict[str, dict[str, str]] = {}
    for path in paths:
        stem, dot, suffix = posixpath.basename(path).partition(".")
        if stem and dot:
            by_key.setdefault(posixpath.join(posixpath.dirname(path), stem), {})[suffix.casefold()] = path
    return (Sample(key, files) for key, files in by_key.items())


def _are_samples(tree: Tree) -> bool:
    """Do most of the first pictures have a class beside them?"""
    first = islice(tree.paths, 10 * _LOOKED_AT)
    pictures = list(islice((sample for sample in samples_of(first) if sample.picture), _LOOKED_AT))
    # In a folder, a text beside a picture may be anything: boxes of YOLO, a caption.
    suffixes = (*_CLASS_FILES, *_TEXT_FILES) if isinstance(tree, ArchiveTree) else _CLASS_FILES
    with_file = sum(any(suffix in sample.files for suffix in suffixes) for sample in pictures)
    with_key = sum(_label_key(_json(tree, sample)) is not None for sample in pictures[:10])
    return with_file * 2 > len(pictures) or with_key * 2 > min(len(pictures), 10)


def _found(
    tree: Tree, start: str, read: Callable[[str], Callable[[], bytes]], names: Sequence[str], split: str | None
) -> Iterator[Found | Refused]:
    samples = list(samples_of(tree.paths))
    texts_are_classes = _texts_are_classes(tree, samples)
    cells = LabelCells((0,), class_names=names)
    for sample in samples:
        picture = sample.picture
        if picture is None:
            continue
        about = _json(tree, sample)
        cell = _label(tree, sample, about, texts_are_classes)
        if isinstance(cell, str) and names and re.fullmatch(r"-?[0-9]{1,200}", cell):
            cell = int(cell)
        try:
            labels = cells.labels((cell,))
        except BadLabelError as error:
            yield dropped(start + picture, str(error))
            continue
        key = _label_key(about)
        metadata = {k: text for k, v in about.items() if k != key and (text := plain_text(v)) is not None}
        yield Found(start + picture, read(picture), labels, split=split, metadata=metadata, path=tree.file(picture))


def _label(tree: Tree, sample: Sample, about: Mapping[str, Any], texts_are_classes: bool) -> Any:
    for suffix in _CLASS_FILES:
        if suffix in sample.files:
            return label_text(_text(tree, sample.files[suffix]))
    if (key := _label_key(about)) is not None:
        return about[key]
    if texts_are_classes:
        return next((_text(tree, sample.files[suffix]) for suffix in _TEXT_FILES if suffix in sample.files), None)
    return None


def _texts_are_classes(tree: Tree, samples: Sequence[Sample]) -> bool:
    """Are .txt files classes, which come back, rather than captions?"""
    paths = (sample.files[suffix] for sample in samples for suffix in _TEXT_FILES if suffix in sample.files)
    texts = [_text(tree, path) for path in islice(paths, _LOOKED_AT)]
    return len(set(texts)) <= max(len(texts) / 2, 1)


def _label_key(about: Mapping[str, Any]) -> str | None:
    by_name = {plain(key): key for key in about}
    keys = [by_name[name] for name in USUAL_NAMES["label"] if name in by_name]
    if keys and isinstance(about[keys[0]], int | float):
        keys = [by_name[name] for name in LABEL_NAME_COLUMNS if name in by_name] or keys
    return keys[0] if keys else None


def _json(tree: Tree, sample: Sample) -> Mapping[str, Any]:
    path = sample.files.get("json")
    try:
        about = None if path is None else json.loads(_text(tree, path) or "")
    except (ValueError, RecursionError):
        return {}
    # LabelMe's file of outlines has the same name, and another way to say a class.
    return about if isinstance(about, dict) and "shapes" not in about else {}


def _text(tree: Tree, path: str) -> str | None:
    try:
        data = tree.reader(path)()
    except (UnreadablePictureError, OSError):
        return None
    return None if len(data) > _MAX_LABEL_BYTES else data.decode("utf-8-sig", errors="replace").strip("\0 \t\r\n")


def _class_names(tree: Tree) -> Sequence[str]:
    """The names of classes 0, 1, 2, ..., one on each line of a file beside the shards or in one of them."""
    path = next((path for path in tree.paths if posixpath.basename(path).casefold() in _NAMES_FILES), None)
    # A blank line takes a number, too, or all names below it would move to another class.
    text = None if path is None else _text(tree, path)
    return re.split(r"\r\n|\n|\r", text) if text else []
