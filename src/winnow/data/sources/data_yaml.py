"""The data.yaml of YOLO datasets: names of classes and where the splits lie; read as text, so that "no" stays "no".

Of YAML only scalars, lists and mappings are read: no tags (they can run code), no aliases (they can unfold without
end), no depth. Nothing that the file says is fetched or executed, `download` least of all.

Format: https://docs.ultralytics.com/datasets/detect/#ultralytics-yolo-format.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from winnow.data.sources.source import RefusedSourceError, label_text
from winnow.data.sources.tally import Tally
from winnow.data.sources.text_file import as_text, beginning, loose_text, read_bytes
from winnow.data.sources.tree import Tree

_MAX_BYTES = 1 << 20
_MAX_DEPTH = 8
_MAX_CLASSES = 100_000
_KNOWN_KEYS = frozenset(
    {
        *("path", "train", "val", "test", "minival", "nc", "names", "channels", "roboflow"),
        *("kpt_shape", "kpt_names", "flip_idx"),
    }
)
_SPLITS = {"train": "train", "val": "validation", "test": "test"}
# The loader in C is ten times as fast where PyYAML was built with it.
_LOADER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


@dataclass(frozen=True)
class DataYaml:
    """What a data.yaml says.

    Attributes:
        names: of the classes, by number; None: it names none.
        root: the folder that places start from, as written; "" if none is.
        places: for each split the folders or lists of files, as written.
        has_keypoints: do more numbers than four follow each box?
    """

    names: Mapping[int, str] | None = None
    root: str = ""
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    has_keypoints: bool = False


def looks_like_data_yaml(tree: Tree, path: str) -> bool:
    """Has it the keys of a YOLO dataset at its beginning?"""
    if not path.casefold().endswith((".yaml", ".yml")):
        return False
    keys = set(re.findall(r"^(\w+)\s*:", loose_text(beginning(tree, path)), re.MULTILINE))
    return "names" in keys or ("nc" in keys and "train" in keys)


def read_data_yaml(tree: Tree, path: str, tally: Tally) -> DataYaml:
    """What the file says.

    Raises:
        RefusedSourceError: E_ANN_SCHEMA, it is no such file, or does what such a file never does; E_NAME, a class has
            no name.
    """
    document = _document(path, read_bytes(tree, path, at_most=_MAX_BYTES), tally)
    if not isinstance(document, dict):
        raise _schema(path, "it holds no names and values")
    for key in document.keys() - _KNOWN_KEYS:
        tally.name("W_UNKNOWN_KEY", key)
    names = _names(path, document["names"]) if "names" in document else None
    count = document.get("nc", "")
    if names is not None and isinstance(count, str) and count.isdecimal() and int(count[:9]) != len(names):
        raise _schema(path, f"it announces {count[:9]} classes and names {len(names)}")
    _tell_merged(names or {}, tally)
    places = {split: _places(document.get(key)) for key, split in _SPLITS.items()}
    root = "".join(_places(document.get("path"))[:1])
    return DataYaml(names, root, {split: at for split, at in places.items() if at}, "kpt_shape" in document)


def read_names(tree: Tree, path: str, tally: Tally) -> dict[int, str]:
    """The classes of darknet's obj.names or of a classes.txt: one on each line; a blank line takes a number, too.

    Raises:
        RefusedSourceError: E_ANN_SCHEMA, it is no text in UTF-8.
    """
    try:
        text, has_mark = as_text(read_bytes(tree, path, at_most=_MAX_BYTES))
    except UnicodeDecodeError as error:
        raise RefusedSourceError(
            "E_ANN_SCHEMA", f"{path} is no list of class names in UTF-8 ({error.reason}): save it as UTF-8."
        ) from error
    if has_mark:
        tally.count("W_BOM", path)
    lines = re.split(r"\r\n|\n|\r", text)
    names = {number: name for number, line in enumerate(lines) if (name := label_text(line)) is not None}
    _tell_merged(names, tally)
    return names


def _tell_merged(names: Mapping[int, str], tally: Tally) -> None:
    for name, times in Counter(names.values()).items():
        if times > 1:
            tally.name("W_CLASS_MERGED", name)


def _names(path: str, value: object) -> dict[int, str]:
    if isinstance(value, list):
        pairs: list[tuple[object, object]] = list(enumerate(value))
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        raise _schema(path, "its names are neither a list nor numbered")
    if len(pairs) > _MAX_CLASSES:
        raise _schema(path, f"it names more than {_MAX_CLASSES} classes")
    found: dict[int, str] = {}
    for key, name in pairs:
        number = key if isinstance(key, int) else _whole(key)
        if number is None or not isinstance(name, str):
            raise _schema(path, "its names are not numbered from 0")
        if (text := label_text(name)) is None:
            raise RefusedSourceError("E_NAME", f"{path}: class {number} has no name: give it one.")
        if number in found:
            raise _schema(path, f"it names class {number} twice")
        found[number] = text
    return found


def _whole(key: object) -> int | None:
    return int(key) if isinstance(key, str) and key.isdecimal() and len(key) < 9 else None


def _places(value: object) -> tuple[str, ...]:
    places = value if isinstance(value, list) else [value]
    return tuple(place for place in places if isinstance(place, str) and place.strip())


def _document(path: str, data: bytes, tally: Tally) -> object:
    try:
        text, has_mark = as_text(data)
        if has_mark:
            tally.count("W_BOM", path)
        return _built(path, yaml.parse(text, Loader=_LOADER))
    except (yaml.YAMLError, ValueError) as error:
        why = " ".join(str(error).split())[:150]
        raise _schema(path, f"it is no YAML ({why})") from error


def _built(path: str, events: Iterator[Any]) -> object:
    """The document as text, lists and dicts. By hand, because a loader would first unfold what is refused here."""
    top: list[object] = []
    stack: list[list[object]] = [top]
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise _schema(path, "it uses aliases, which may unfold without end")
        if getattr(event, "tag", None) is not None:
            raise _schema(path, f"it uses the tag {str(event.tag)[:60]}, which may run code")
        if isinstance(event, yaml.ScalarEvent):
            stack[-1].append(event.value)
        elif isinstance(event, yaml.CollectionStartEvent):
            if len(stack) > _MAX_DEPTH:
                raise _schema(path, "it is nested too deep")
            stack.append([])
        elif isinstance(event, yaml.CollectionEndEvent):
            inside = stack.pop()
            is_mapping = isinstance(event, yaml.MappingEndEvent)
            stack[-1].append(_mapping(path, inside) if is_mapping else inside)
    return top[0] if top else None


def _mapping(path: str, inside: list[object]) -> dict[str, object]:
    keys = inside[::2]
    if not all(isinstance(key, str) for key in keys):
        raise _schema(path, "a key of it is no text")
    names = [str(key) for key in keys]
    if len(set(names)) < len(names):
        twice = next(name for name, n in Counter(names).items() if n > 1)
        raise _schema(path, f"the key '{twice[:50]}' stands twice in it")
    return dict(zip(names, inside[1::2], strict=True))


def _schema(path: str, why: str) -> RefusedSourceError:
    return RefusedSourceError("E_ANN_SCHEMA", f"{path} is not the data.yaml of a YOLO dataset: {why}. Mend it.")
