"""JSON from strangers, read by the letter of RFC 8259, within bounds; and which keys it begins with.

Python's reader is laxer than the standard in three ways that are closed here: NaN and Infinity, a key that
occurs twice in one object (which of the two is meant?), and text that is no UTF-8.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

from winnow.data.sources.source import RefusedSourceError
from winnow.data.sources.tally import Tally
from winnow.data.sources.text_file import as_text, beginning, loose_text, read_bytes
from winnow.data.sources.tree import Tree, other_files

_SUFFIXES = (".json", ".jsonl", ".ndjson")
# A folder may hold a JSON file for each picture: the first few tell what they are.
_MAX_LOOKED_AT = 64
_MAX_DEPTH = 6
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


class _TwiceError(ValueError):
    """A key stands twice in one object."""


def read_json(tree: Tree, path: str, tally: Tally, *, only_whether: frozenset[str] = frozenset()) -> Any:
    """What a JSON file holds.

    Args:
        tally: hears of a byte order mark.
        only_whether: of the values under these keys just their truth is kept: outlines fill gigabytes.

    Raises:
        RefusedSourceError: E_ANN_JSON, it is no JSON; E_ANN_SCHEMA, it is too large or repeats a key.
    """
    return _parse(path, _text(tree, path, tally), only_whether)


def read_json_lines(tree: Tree, path: str, tally: Tally) -> Iterator[tuple[int, Any | RefusedSourceError]]:
    """The values of a file with one JSON value on each line, with the lines' numbers from 1; for a broken line, why.

    Raises:
        RefusedSourceError: E_ANN_JSON, it is no text; E_ANN_SCHEMA, it is too large.
    """
    for number, line in enumerate(_text(tree, path, tally).split("\n"), start=1):
        if line.strip():
            try:
                yield number, _parse(f"{path}, line {number},", line, frozenset())
            except RefusedSourceError as error:
                yield number, error


def _text(tree: Tree, path: str, tally: Tally) -> str:
    try:
        text, has_mark = as_text(read_bytes(tree, path))
    except UnicodeDecodeError as error:
        raise RefusedSourceError("E_ANN_JSON", f"{path} is not in UTF-8 ({error.reason}): save it as UTF-8.") from error
    if has_mark:
        tally.count("W_BOM", path)
    return text


def _parse(shown: str, text: str, only_whether: frozenset[str]) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=partial(_object, only_whether))
    except _TwiceError as error:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{shown} has the key {error} twice in one object: keep one."
        ) from error
    except RecursionError as error:
        raise RefusedSourceError("E_ANN_JSON", f"{shown} is nested too deep to be annotations: export anew.") from error
    except (ValueError, MemoryError) as error:
        why = str(error)[:200]
        raise RefusedSourceError("E_ANN_JSON", f"{shown} is no valid JSON ({why}): export it anew.") from error


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _object(only_whether: frozenset[str], pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        raise _TwiceError(next(repr(key[:50]) for key, _ in pairs if key in seen or seen.add(key)))
    for key in only_whether & made.keys():
        made[key] = bool(made[key])
    return made


def json_files(tree: Tree, only: str | None) -> list[str]:
    """The JSON files that may hold annotations: the one the user named, or the first few, those on top first."""
    if only is not None:
        return [only] if only.casefold().endswith(_SUFFIXES) else []
    paths = [path for path in other_files(tree) if path.casefold().endswith(_SUFFIXES)]
    return sorted(sorted(paths, key=lambda path: (path.count("/"), path))[:_MAX_LOOKED_AT])


def first_keys(tree: Tree, path: str) -> frozenset[str]:
    """Where keys stand in the beginning of a JSON file: {"images", "images[].id"}, or {"[].image"} for a list."""
    return key_paths(loose_text(beginning(tree, path)))


def key_paths(text: str) -> frozenset[str]:
    """Where keys stand in the first JSON value of `text`, which may be cut off anywhere and need not be valid.

    >>> sorted(key_paths('{"images": [{"id": 1}, {"i'))
    ['images', 'images[].id']
    """
    found: set[str] = set()
    stack: list[str] = []  # for each open container the path of what is in it; ends with "[]" in a list
    is_list: list[bool] = []
    key = before = ""
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == ":" and stack and not is_list[-1] and before.startswith('"'):
            key = _join(stack[-1], before[1:-1])
            if len(stack) <= _MAX_DEPTH:
                found.add(key)
        elif token in "{[":
            inside = stack[-1] if stack and is_list[-1] else key
            stack.append(inside + "[]" if token == "[" and len(stack) < _MAX_DEPTH else inside)
            is_list.append(token == "[")
        elif token in "}]" and stack:
            stack.pop()
            is_list.pop()
        if not stack:
            break
        before = token
    return frozenset(found)


def _join(start: str, key: str) -> str:
    return f"{start}.{key}" if start else key
