"""Hugging Face's layouts: `imagefolder` with metadata files, and folders of Parquet files with the pictures inside.

Source: datasets' documentation, "Create an image dataset" and "Structure your repository".
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from winnow.data.sources.layout import place
from winnow.data.sources.pictures_of import is_picture_name
from winnow.data.sources.source import Found, ImportOptions, Refused, one_label
from winnow.data.sources.table import has_class_folders, match_of, rows_of, splits_of, unnamed_pictures
from winnow.data.sources.tables.class_labels import class_names_in
from winnow.data.sources.tables.pictures import PictureCells
from winnow.data.sources.tables.reading import PARQUET_SUFFIXES, read_table
from winnow.data.sources.tables.rows import TableRows
from winnow.data.sources.tree import Tree, other_files
from winnow.errors import BadDataError
from winnow.events import Note

_METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_ABOUT = "dataset_info.json"


class ImageFolder:
    """`train/metadata.jsonl` beside `train/0001.png`: {"file_name": "0001.png", "label": "cat", ...}."""

    name = "a Hugging Face image folder with metadata files"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """Files called metadata.csv, .jsonl or .parquet in a folder with pictures."""
        if only is not None or not any(map(is_picture_name, tree.paths)):
            return None
        files = [path for path in other_files(tree) if posixpath.basename(path) in _METADATA]
        # Others call their notes so, too: of cameras, of the download.
        return [path for path in files if (match := match_of(tree, path)) is not None and match.n_rows] or None

    def find(self, tree: Tree, files: list[str], options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The rows of one metadata file after the other; where none says a class, the pictures' folders do.

        Raises:
            BadDataError: a table cannot be read or has no rows.
            UserError: no column holds paths.
        """
        labels, splits = _by_folder(tree)
        used: set[str] = set()
        for rows in rows_of(tree, files, options, folders_say_labels=bool(labels)):
            for item in rows.found():
                if isinstance(item, Found):
                    used.add(item.source)
                    item = item._replace(split=item.split or splits.get(item.source))
                    if not rows.roles.labels:
                        item = item._replace(labels=one_label(labels.get(item.source)))
                yield item
        yield from unnamed_pictures(tree, used)


class ParquetFolder:
    """`data/train-00000-of-00003.parquet`, each row a picture: {"image": {"bytes", "path"}, "label": 3}."""

    name = "a folder of Parquet files with pictures inside"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """Parquet files, and no files of pictures."""
        if only is not None or any(map(is_picture_name, tree.paths)):
            return None
        return [path for path in tree.paths if path.casefold().endswith(PARQUET_SUFFIXES)] or None

    def find(self, tree: Tree, files: list[str], options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The rows of one file after the other; train, validation and test are told by the files' names.

        Raises:
            BadDataError: a file cannot be read or has no rows.
            UserError: no column holds pictures or labels.
        """
        splits, class_names = splits_of(files), _class_names(tree)
        for path in files:
            pictures = PictureCells(tree, path, is_alone=False, allows_urls=options.allows_urls)
            table = read_table(tree, path)
            table = replace(table, class_names={**class_names, **table.class_names})
            yield from TableRows(table, pictures, options, split=splits.get(path)).found()


def _by_folder(tree: Tree) -> tuple[Mapping[str, str | None], Mapping[str, str | None]]:
    """Class (where there are class folders) and split of each picture."""
    paths = [path for path in tree.paths if is_picture_name(path)]
    labels = {paths[placed.index]: placed.label for placed in place(paths)} if has_class_folders(tree) else {}
    by_folder = splits_of(sorted({posixpath.dirname(path) for path in paths}))
    return labels, {path: by_folder.get(posixpath.dirname(path)) for path in paths}


def _class_names(tree: Tree) -> Mapping[str, Sequence[str]]:
    """Names of classes in a dataset_info.json, for Parquet files that tell none themselves."""
    for path in tree.paths:
        if posixpath.basename(path) == _ABOUT:
            try:
                return class_names_in(json.loads(tree.reader(path)()))
            except (BadDataError, OSError, ValueError, RecursionError):  # it is an extra: without it numbers stay
                return {}
    return {}
