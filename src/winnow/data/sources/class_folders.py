"""A folder of class folders, with or without train/, val/ and test/ on top."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from winnow.data.sources.containers import looks_like_archive
from winnow.data.sources.disk_names import class_of_folder
from winnow.data.sources.layout import place
from winnow.data.sources.source import Found, ImportOptions, Refused, one_label
from winnow.data.sources.tree import Tree, looks_like_picture


class ClassFolders:
    """`photos/cats/1.jpg` is a picture of the class cats; one in `photos/_unlabelled` has no label.

    A sign that some disk refuses may be written as in a URL, as our own export does: `n%2Fa` is the class n/a.
    """

    name = "a folder with one folder for each class"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """Any folder, so it is asked last."""
        return [] if only is None else None

    def find(self, tree: Tree, _files: list[str], _options: ImportOptions) -> Iterator[Found | Refused]:
        """The files of all class folders, sorted by path; files beside them and archives among them are refused."""
        paths = tree.paths
        has_folders = any("/" in path for path in paths)
        folder = tree.file("")
        for placed in place(paths):
            path = paths[placed.index]
            # As text: a Path takes longer to make than all else that is done here for a picture.
            file = None if folder is None else f"{folder}/{path}"
            if looks_like_archive(path):
                yield Refused(path, "W_NESTED_IGNORED", "It is an archive inside: unpack it and import again.")
            elif placed.label is not None:
                labels, warnings = _labels(placed.label)
                yield Found(path, tree.picture(path), labels, split=placed.split, warnings=warnings, path=file)
            elif not has_folders and looks_like_picture(path):
                yield Found(path, tree.picture(path), path=file)  # somebody will label them later
            elif looks_like_picture(path):
                yield Refused(path, "E_NO_LABEL", "It lies in no class folder: move it into one, or ignore this.")
            else:
                yield Refused(path, "E_NOT_IMAGE", "It lies beside the class folders and is no picture by its name.")


@lru_cache(maxsize=100_000)
def _labels(folder: str) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The label that a folder of this name gives, and the codes of what was done to it."""
    label = class_of_folder(folder)
    labels = None if label is None else one_label(label) or (label,)
    return labels, () if label in (folder, None) else ("W_NAME_NORMALISED",)
