"""What a source found, with names that any table, terminal and page can hold; the same for every kind of source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

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
        labels = None if found.labels is None else tuple(class_name(label) for label in found.labels)
        boxes = tuple(class_name(box.label) for box in found.boxes)
    except ClassNameError as error:
        return Refused(source, error.code, str(error).removesuffix(" (E_NAME)"))
    is_changed |= any(changed for _, changed in (*(labels or ()), *boxes))
    group = None if found.group is None else encodable(found.group)
    metadata = _metadata(found.metadata)
    if not is_changed and group == found.group and metadata is found.metadata and _are_same(found.labels, labels):
        return found
    return replace(
        found,
        source=source,
        labels=None if labels is None else tuple(dict.fromkeys(label for label, _ in labels)),
        boxes=tuple(_renamed(box, name) for box, (name, _) in zip(found.boxes, boxes, strict=True)),
        group=group,
        metadata=metadata,
        warnings=(*found.warnings, _CHANGED) if is_changed else found.warnings,
        # A path that is no text cannot be written down for later: such a picture can only be copied.
        path=None if found.path is None or encodable(str(found.path)) != str(found.path) else found.path,
    )


def _are_same(labels: tuple[str, ...] | None, cleaned: tuple[tuple[str, bool], ...] | None) -> bool:
    return labels is None or cleaned is None or labels == tuple(label for label, _ in cleaned)


def _metadata(metadata: Mapping[str, str]) -> Mapping[str, str]:
    clean = {encodable(key): encodable(value) for key, value in metadata.items()}
    return metadata if clean == metadata else clean


def _renamed(box: Box, name: str) -> Box:
    return box if box.label == name else replace(box, label=name)
