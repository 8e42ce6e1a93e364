"""Tables of pictures: a file the user names, tables that lie beside their pictures, and DataFrames."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from winnow.data.sources.json_file import first_keys
from winnow.data.sources.layout import place
from winnow.data.sources.pictures_of import is_picture_name, split_word
from winnow.data.sources.source import Found, ImportOptions, Refused, split_named
from winnow.data.sources.tables.frames import is_frame, read_frame
from winnow.data.sources.tables.pictures import PictureCells
from winnow.data.sources.tables.reading import SUFFIXES, read_table
from winnow.data.sources.tables.rows import TableRows
from winnow.data.sources.tree import Tree, other_files
from winnow.errors import UserError
from winnow.events import Note

_MAX_TABLES = 16
"""Tables that are looked into on top of a folder; where there are more, they are no lists of pictures."""


class TableFile:
    """One row a picture: where it lies, its class and, if there are such columns, its split, group, weight and time."""

    name = "a table of paths and labels (CSV, TSV, JSON lines, Parquet, Excel)"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """A file of a known suffix; of JSON only lists of records."""
        return [only] if only is not None and _is_table(tree, only) else None

    def find(self, tree: Tree, files: list[str], options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The rows in their order. Paths start at the file's folder and stay in it: it may come from a stranger.

        Raises:
            BadDataError: the table cannot be read or has no rows.
            UserError: no column holds paths or labels.
        """
        pictures = PictureCells(tree, files[0], allows_urls=options.allows_urls)
        yield from TableRows(read_table(tree, files[0]), pictures, options).found()


class TableFolder:
    """A folder of pictures with tables on top: labels.csv, or train.csv and test.csv."""

    name = "a folder of pictures with a table of their labels"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """Tables on top (or in the one folder on top) whose rows name files that are there.

        Where class folders hold the pictures, a table must name at least half of them to be believed instead.
        """
        if only is not None or not (tables := _tables_on_top(tree)):
            return None
        n_pictures = sum(map(is_picture_name, tree.paths))
        if not n_pictures:
            return None
        looked = {path: match_of(tree, path) for path in tables}
        matches = {path: match for path, match in looked.items() if match is not None and match.n_rows}
        if has_class_folders(tree):
            is_believed = any(match.has_labels for match in matches.values())
            is_believed &= sum(match.n_rows for match in matches.values()) >= n_pictures / 2
            return list(matches) if is_believed else None
        # Where nothing else says the classes, the reason why a table cannot be used is what the user wants to hear.
        return list(matches) or [path for path, match in looked.items() if match is None] or None

    def find(self, tree: Tree, files: list[str], options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The rows of one table after the other. Pictures that no row names are refused (E_NO_LABEL).

        Raises:
            BadDataError: a table cannot be read or has no rows.
            UserError: no column holds paths or labels.
        """
        used: set[str] = set()
        for rows in rows_of(tree, files, options):
            for item in rows.found():
                if isinstance(item, Found):
                    used.add(item.source)
                yield item
        yield from unnamed_pictures(tree, used)


class DataFrame:
    """The same as an object: pandas, polars, pyarrow. Its paths start where Winnow runs and go anywhere."""

    name = "a DataFrame of paths and labels"

    def matches(self, source: object) -> bool:
        """Anything that speaks Arrow."""
        return is_frame(source)

    def find(self, source: Any, options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The rows in their order.

        Raises:
            BadDataError: the table cannot be read or has no rows.
            UserError: no column holds paths or labels.
        """
        pictures = PictureCells(None, allows_urls=options.allows_urls)
        yield from TableRows(read_frame(source), pictures, options).found()


def splits_of(files: Sequence[str]) -> dict[str, str | None]:
    """The splits that names of files (or of their folders) tell, if there is one to learn from and one that judges.

    >>> splits_of(["train.csv", "val.csv"])
    {'train.csv': 'train', 'val.csv': 'validation'}
    >>> splits_of(["test.csv"])
    {}
    """
    splits = {path: next(filter(None, map(split_word, reversed(path.split("/")))), None) for path in files}
    told = set(splits.values())
    return splits if "train" in told and len(told - {None}) > 1 else {}


def has_class_folders(tree: Tree) -> bool:
    """Do at least two folders that are no splits hold most of the pictures?"""
    pictures = [path for path in tree.paths if is_picture_name(path)]
    labels = [placed.label for placed in place(pictures)]
    classes = [label for label in labels if label is not None and split_named(label) is None]
    return len(set(classes)) > 1 and len(classes) > len(pictures) / 2


def unnamed_pictures(tree: Tree, used: set[str]) -> Iterator[Refused]:
    """A line for each picture of a tree that is not among those `used`."""
    for path in tree.paths:
        if path not in used and is_picture_name(path):
            yield Refused(path, "E_NO_LABEL", "No row of the table names it: add one, or ignore this.")


def rows_of(
    tree: Tree, files: Sequence[str], options: ImportOptions, *, folders_say_labels: bool = False
) -> list[TableRows]:
    """The tables in some files, with the splits that their names tell.

    Args:
        folders_say_labels: do folders say the labels where no column is called so? Otherwise one of the tables must,
            but not each: the test table of a contest says none.

    Raises:
        BadDataError, UserError: as `TableRows`.
    """
    splits = splits_of(files)
    tables = [_rows(tree, path, options, splits.get(path), guesses_labels=not folders_say_labels) for path in files]
    if not folders_say_labels and not any(rows.roles.labels for rows in tables):
        return [_rows(tree, path, options, splits.get(path), needs_labels=True) for path in files]
    return tables


def _rows(
    tree: Tree,
    path: str,
    options: ImportOptions,
    split: str | None,
    *,
    needs_labels: bool = False,
    guesses_labels: bool = True,
) -> TableRows:
    pictures = PictureCells(tree, path, is_alone=False, split=split, allows_urls=options.allows_urls)
    return TableRows(
        read_table(tree, path),
        pictures,
        options,
        needs_labels=needs_labels,
        guesses_labels=guesses_labels,
        split=split,
    )


def _is_table(tree: Tree, path: str) -> bool:
    name = path.casefold()
    # JSON may be anything: COCO, settings. A list of records begins with keys inside of a list.
    return name.endswith(SUFFIXES) and (
        not name.endswith(".json") or any(key.startswith("[].") for key in first_keys(tree, path))
    )


def _tables_on_top(tree: Tree) -> list[str]:
    if not any(path.casefold().endswith(SUFFIXES) for path in other_files(tree)):
        return []
    tops = {path.split("/", 1)[0] for path in tree.paths if "/" in path}
    depth = 1 if len(tops) == 1 and not any("/" not in path for path in tree.paths) else 0
    tables = [path for path in tree.paths if path.count("/") == depth and path.casefold().endswith(SUFFIXES)]
    tables = [path for path in tables if "submission" not in posixpath.basename(path).casefold()]
    return tables if len(tables) <= _MAX_TABLES else []


class Match(NamedTuple):
    """How a table fits the files around it: its rows, 0 if the first name no pictures; and does it say classes?"""

    n_rows: int
    has_labels: bool


def match_of(tree: Tree, path: str) -> Match | None:
    """How a table fits the files of its tree; None: it cannot be used as it is."""
    try:
        if not _is_table(tree, path):
            return Match(0, False)
        rows = _rows(tree, path, ImportOptions(), None)
        return Match(rows.count() if rows.share_found() >= 0.5 else 0, bool(rows.roles.labels))
    except UserError:
        return None
