"""Which class and split a file belongs to, read off its path: the same rules for folders and archives.

cats/1.jpg                     class cats
cats/2024/1.jpg                class cats: folders inside a class are walked
train/cats/1.jpg               split train, class cats (also val, valid, validation, test; any case)
photos/cats/1.jpg              class cats: one folder around everything is looked through
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from winnow.data.sources.source import label_text, split_named
from winnow.data.sources.tree import looks_like_picture


@dataclass(frozen=True, slots=True)
class Placed:
    """A file's place; `label` None: it lies in no class folder."""

    index: int
    label: str | None
    split: str | None


def place(paths: Sequence[str]) -> Iterator[Placed]:
    """Class and split of each path (relative, forward slashes, without litter), in their order."""
    depth, has_splits = _root(paths)
    at = depth + has_splits
    folder: str | None = None  # of the path before: most lie in the same one
    label = split = None
    for index, path in enumerate(paths):
        if path.rpartition("/")[0] != folder:
            folder = path.rpartition("/")[0]
            parts = path.split("/", at + 1)
            split = split_named(parts[depth]) if has_splits and len(parts) > depth else None
            inside = len(parts) > at + 1 and (split is not None or not has_splits)
            # A name of spaces is no class's name, but it lies in a folder: it is refused for its name.
            label, split = (label_text(parts[at]) or parts[at], split) if inside else (None, None)
        yield Placed(index, label, split)


def _root(paths: Sequence[str]) -> tuple[int, bool]:
    """How many folders lie around everything, and whether split folders stand on top of the classes.

    Read off the pictures alone, where names tell them, so that notes and tools' folders beside them decide nothing.
    Walks the list once for every depth instead of keeping a million paths in pieces.
    """
    has_pictures = any(map(looks_like_picture, paths))
    depth = 0
    while True:
        tops: dict[str, bool] = {}  # folders at this depth: do they hold folders?
        holds_pictures = False
        for path in paths:
            if has_pictures and not looks_like_picture(path):
                continue
            parts = path.split("/", depth + 2)
            if len(parts) > depth + 1:
                tops[parts[depth]] = len(parts) > depth + 2 or tops.get(parts[depth], False)
            elif len(parts) == depth + 1:
                holds_pictures |= has_pictures
        if _are_splits(tops):
            return depth, True
        # A folder that holds pictures itself is a class, not one around classes; what was imported cannot be one.
        if (holds_pictures and depth) or not tops:
            return 0, False
        if len(tops) > 1:
            return depth, False
        depth += 1


def _are_splits(tops: Mapping[str, bool]) -> bool:
    """Do the folders on top name splits, and hold class folders? (Trains, too, can be a class.)"""
    splits = {split_named(top) for top, holds_folders in tops.items() if holds_folders} - {None}
    return "train" in splits and (len(splits) > 1 or all(split_named(top) for top in tops))
