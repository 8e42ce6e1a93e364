"""What changed between two versions: pictures that came, went, or are told otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from winnow.data.manifest import Manifest

# What is computed from the pixels (warnings, phash) is no change of the dataset.
_OTHERS = ("pixels", "width", "height", "format", "bytes", "is_grey", "weight", "taken", "boxes", "metadata")


@dataclass(frozen=True, slots=True)
class Change:
    """What one picture was, and what it is now.

    Attributes:
        source: of the picture.
        before: its labels, split or group in the first version; SHA-256 of its file where that was replaced.
        after: the same in the second version.
    """

    source: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Differences:
    """What leads from one version to another; each part lists pictures in the order of their version.

    Attributes:
        added: sources of pictures that only the second version has.
        removed: sources of pictures that only the first one has.
        relabelled: other labels (tuples, None: unlabelled).
        moved: another split.
        regrouped: another group.
        replaced: another file under the same name.
        otherwise: sources of pictures that differ in something else, such as boxes, weight or metadata.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    relabelled: tuple[Change, ...] = ()
    moved: tuple[Change, ...] = ()
    regrouped: tuple[Change, ...] = ()
    replaced: tuple[Change, ...] = ()
    otherwise: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures each part holds."""
        return {name: len(getattr(self, name)) for name in self.__slots__}

    def __bool__(self) -> bool:
        return any(self.counts.values())


def differences(before: Manifest, after: Manifest) -> Differences:
    """What was done to `before` to get `after`; pictures are told apart by their source."""
    keys_before, keys_after = _keys(before), _keys(after)
    places = {key: row for row, key in enumerate(keys_before)}
    pairs = [(places[key], row) for row, key in enumerate(keys_after) if key in places]
    stayed = set(keys_after)
    one = before.table.take(pa.array([row for row, _ in pairs], pa.int64()))
    other = after.table.take(pa.array([row for _, row in pairs], pa.int64()))
    sources = one.column("source").to_pylist()
    replaced = _changes("content", one, other, sources)
    otherwise = {change.source for column in _OTHERS for change in _changes(column, one, other, sources)}
    otherwise -= {change.source for change in replaced}  # another file has another size as well
    return Differences(
        added=tuple(source for source, nth in keys_after if (source, nth) not in places),
        removed=tuple(source for source, nth in keys_before if (source, nth) not in stayed),
        relabelled=_changes("labels", one, other, sources),
        moved=_changes("split", one, other, sources),
        regrouped=_changes("group", one, other, sources),
        replaced=replaced,
        otherwise=tuple(source for source in dict.fromkeys(sources) if source in otherwise),
    )


def _keys(manifest: Manifest) -> list[tuple[str, int]]:
    """(source, how many of that source came before): a source may occur twice in what programs made."""
    seen: Counter[str] = Counter()
    keys: list[tuple[str, int]] = []
    for source in manifest.column("source"):
        keys.append((source, seen[source]))
        seen[source] += 1
    return keys


def _changes(column: str, one: pa.Table, other: pa.Table, sources: Sequence[str]) -> tuple[Change, ...]:
    if one.column(column).equals(other.column(column)):
        return ()
    pairs = zip(sources, one.column(column).to_pylist(), other.column(column).to_pylist(), strict=True)
    return tuple(Change(source, _frozen(was), _frozen(now)) for source, was, now in pairs if was != now)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
