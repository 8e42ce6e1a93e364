"""Which class and split a file belongs to, read off its path: the same rules for folders and archives.

cats/1.jpg                     class cats
cats/2024/1.jpg                class cats: folders inside a class are walked
train/cats/1.jpg               split train, class cats (also val, valid, validation, test; any case)
photos/cats/1.jpg              class cats: one folder around everything is looked through
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from winnow.data.sources.source import label_text, split_named
from winnow.data.sources.tree import is_litter

_PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}

Parts = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A file's place; `label` None: it lies in no class folder."""

    index: int
    label: str | None
    split: str | None


def place(paths: Sequence[str]) -> Iterator[Placed]:
    """Class and split of each path (relative, forward slashes); litter is left out silently."""
    split_paths = [(i, tuple(path.split("/"))) for i, path in enumerate(paths)]
    kept = [(i, parts) for i, parts in split_paths if not any(is_litter(part) for part in parts)]
    all_parts = [parts for _, parts in kept]
    depth, has_splits = _root(all_parts)
    for index, parts in kept:
        split = split_named(parts[depth]) if has_splits and len(parts) > depth else None
        at = depth + has_splits
        inside = len(parts) > at + 1 and (split is not None or not has_splits)
        yield Placed(index, label_text(parts[at]) if inside else None, split if inside else None)


def _root(paths: Sequence[Parts]) -> tuple[int, bool]:
    """How many folders lie around everything, and whether split folders stand on top of the classes."""
    depth = 0
    while True:
        inside = [parts for parts in paths if len(parts) > depth + 1]
        tops = {parts[depth] for parts in inside}
        if _are_splits(tops, inside, depth):
            return depth, True
        # A folder that holds pictures itself is a class, not one around classes.
        holds_pictures = any(len(parts) == depth + 1 and _looks_like_picture(parts[-1]) for parts in paths)
        if holds_pictures or not tops:
            return 0, False
        if len(tops) > 1:
            return depth, False
        paths, depth = inside, depth + 1


def _are_splits(tops: set[str], inside: Sequence[Parts], depth: int) -> bool:
    """Do the folders on top name splits, and hold class folders? (Trains, too, can be a class.)"""
    holds_folders = {parts[depth] for parts in inside if len(parts) > depth + 2}
    splits = {split_named(top) for top in tops & holds_folders} - {None}
    return "train" in splits and (len(splits) > 1 or all(split_named(top) for top in tops))


def _looks_like_picture(name: str) -> bool:
    return PurePosixPath(name).suffix.casefold() in _PICTURES
