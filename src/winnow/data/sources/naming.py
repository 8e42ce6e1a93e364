"""What a source found, with names that any table, terminal and page can hold; the same for every kind of source."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from winnow.data.class_names import ClassNameError, class_name, encodable, file_name
from winnow.data.manifest import Box
from winnow.data.sources.refused import Refused
from winnow.data.sources.source import Found
from winnow.events import Note

_CHANGED = "W_NAME_NORMALISED"


def well_named(items: Iterable[Found | Refused | Note]) -> Iterator[Found | Refused | Note]:
    """The same items: class names cleaned, odd file names escaped (W_NAME_NORMALISED); a picture whose class can have
    no name is refused (E_NAME)."""
    for item in items:
        if isinstance(item, Found):
            yield _found(item)
        elif isinstance(item, Refused):
            yield replace(item, source=file_name(item.source)[0], reason=encodable(item.reason))
        else:
            yield item


def _found(found: Found) -> Found | Refused:
    source, is_changed = file_name(found.source)
    try:
        labels, are_changed = _class_names(found.labels)
        boxes, are_boxes_changed = _class_names(tuple(box.label for box in found.boxes) if found.boxes else ())
    except ClassNameError as error:
        return Refused(source, error.code, str(error).removesuffix(" (E_NAME)"))
    is_changed |= are_changed or are_boxes_changed
    group = None if found.group is None else encodable(found.group)
    metadata = _metadata(found.metadata) if found.metadata else found.metadata
    if not is_changed and group == found.group and metadata is found.metadata and labels == found.labels:
        return found
    return found._replace(
        source=source,
        labels=None if labels is None else tuple(dict.fromkeys(labels)),
        boxes=tuple(_renamed(box, name) for box, name in zip(found.boxes, boxes or (), strict=True)),
        group=group,
        metadata=metadata,
        warnings=(*found.warnings, _CHANGED) if is_changed else found.warnings,
        # A path that is no text cannot be written down for later: such a picture can only be copied.
        path=None if found.path is None or encodable(os.fspath(found.path)) != os.fspath(found.path) else found.path,
    )


@lru_cache(maxsize=100_000)
def _class_names(labels: tuple[str, ...] | None) -> tuple[tuple[str, ...] | None, bool]:
    """The names as they are kept, and whether a person can see a change; raises ClassNameError."""
    if labels is None:
        return None, False
    cleaned = [class_name(label) for label in labels]
    return tuple(name for name, _ in cleaned), any(is_changed for _, is_changed in cleaned)


def _metadata(metadata: Mapping[str, str]) -> Mapping[str, str]:
    clean = {encodable(key): encodable(value) for key, value in metadata.items()}
    return metadata if clean == metadata else clean


def _renamed(box: Box, name: str) -> Box:
    return box if box.label == name else replace(box, label=name)
