"""JSON with one record a picture: a record on each line (JSON lines), or a list of records."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO

from winnow.data.sources.source import Refused, RefusedSourceError
from winnow.data.sources.tables.table import Row, Table, distinct_columns, dropped
from winnow.data.sources.tables.text import encoding_of

_MAX_LINE_CHARS = 32 << 20
_MAX_LIST_CHARS = 256 << 20
_MAX_COLUMNS = 10_000
# Records that share no keys make a table of empty cells, of which a small file may claim a hundred million.
_MAX_CHEAP_CELLS, _MAX_EMPTY_SHARE = 2_000_000, 100
_BLANK = re.compile(r"[\s\ufeff]*")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | ValueError:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))
    return ValueError(f"the key '{twice[:50]}' stands twice in one object: keep one")


# People write what Python writes: NaN for a number that is missing.
_decoder = json.JSONDecoder(parse_constant=lambda _: None, object_pairs_hook=_object)

Item = tuple[str, Any]
"""Where it stands, and what was read: a record, or a `ValueError`."""


def read_records(name: str, open_file: Callable[[], BinaryIO]) -> Table:
    """A table of JSON records; its columns are all their keys. A line that is no record is dropped.

    Raises:
        RefusedSourceError: E_EMPTY, it holds no record; E_ANN_JSON, it is no JSON; E_ANN_SCHEMA, it is too large.
    """
    with open_file() as file:
        encoding, notes = encoding_of(name, file)
    with io.TextIOWrapper(open_file(), encoding, errors="replace") as file:
        is_list = _BLANK.sub("", file.read(4096), count=1).startswith("[")
    items = partial(_of_list if is_list else _of_lines, name, open_file, encoding)
    keys = _keys(name, items())
    columns, renamed = distinct_columns(keys)
    return Table(name, columns, partial(_rows, items, keys), (*notes, *renamed))


def _keys(name: str, items: Iterator[Item]) -> tuple[str, ...]:
    keys: dict[str, None] = {}
    n_records = n_filled = 0
    first_error = None
    for _, item in items:
        if isinstance(item, dict):
            keys |= dict.fromkeys(item)
            n_records += 1
            n_filled += len(item)
        elif first_error is None:
            first_error = item
        n_cells = len(keys) * n_records
        if len(keys) > _MAX_COLUMNS or n_cells > max(_MAX_CHEAP_CELLS, _MAX_EMPTY_SHARE * n_filled):
            raise RefusedSourceError(
                "E_ANN_SCHEMA",
                f"{name} has records of {len(keys)} different keys and more: use the same in each, 10,000 at most.",
            )
    if not keys:
        if first_error is None:
            raise RefusedSourceError("E_EMPTY", f"{name} holds no records: give one for each picture.")
        raise RefusedSourceError("E_ANN_JSON", f"{name} holds no JSON records ({_why(first_error)}): export it anew.")
    return tuple(keys)


def _rows(items: Callable[[], Iterator[Item]], keys: tuple[str, ...]) -> Iterator[Row | Refused]:
    for place, item in items():
        if isinstance(item, dict):
            yield Row(place, [item.get(key) for key in keys])
        else:
            yield dropped(place, f"The line is no JSON record ({_why(item)}): write it as {{...}}.")


def _why(item: Any) -> str:
    return str(item)[:100] if isinstance(item, ValueError) else f"it holds a {type(item).__name__}"


def _of_lines(name: str, open_file: Callable[[], BinaryIO], encoding: str) -> Iterator[Item]:
    with io.TextIOWrapper(open_file(), encoding, errors="replace") as file:
        number = 0
        while line := file.readline(_MAX_LINE_CHARS):
            number += 1
            if line.strip("\ufeff \t\r\n"):
                yield f"{name}, line {number}", _parsed(line)


def _parsed(line: str) -> Any:
    try:
        return _decoder.decode(line.strip("\ufeff \t\r\n"))
    except ValueError as error:
        return error
    except RecursionError:
        return ValueError("it is nested too deep")


def _of_list(name: str, open_file: Callable[[], BinaryIO], encoding: str) -> Iterator[Item]:
    """The items of a list one by one: as Python objects all at once they would take ten times their text."""
    with io.TextIOWrapper(open_file(), encoding, errors="replace") as file:
        text = file.read(_MAX_LIST_CHARS + 1)
    if len(text) > _MAX_LIST_CHARS:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{name} has more than {_MAX_LIST_CHARS >> 20} MB: write one record on each line (.jsonl)."
        )
    try:
        for i, item in enumerate(_items(text)):
            yield f"{name}[{i}]", item
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
        raise RefusedSourceError("E_ANN_JSON", f"{name} is no valid JSON ({why}): export it anew.") from error


def _items(text: str) -> Iterator[Any]:
    at = _skip(text, _skip(text, 0) + 1)  # past the bracket
    if text.startswith("]", at):
        at += 1
    else:
        while True:
            item, at = _decoder.raw_decode(text, at)
            yield item
            at = _skip(text, at)
            sign, at = text[at : at + 1], _skip(text, at + 1)
            if sign == "]":
                break
            if sign != ",":
                raise ValueError(f"a comma or ] was expected at character {at}")
    if _skip(text, at) != len(text):
        raise ValueError("something stands behind the list")


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at
