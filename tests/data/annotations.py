"""Annotated folders made for tests, and what an import of one says in codes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

from winnow.data.sources import open_source
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.events import Note

from .pictures import file_of, noise

WIDTH, HEIGHT = 96, 72


@cache
def _jpeg(seed: int, width: int, height: int) -> bytes:
    return file_of(Image.fromarray(noise(seed, height, width)), "JPEG")


def pictures(root: Path, *names: str, width: int = WIDTH, height: int = HEIGHT) -> Path:
    """Small JPEGs of a stated size under these relative paths."""
    for seed, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_jpeg(seed, width, height))
    return root


def write(path: Path, content: object) -> Path:
    """Text or bytes as they are, anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@dataclass
class Outcome:
    """What an import gave: pictures by path, refused lines by name, and all codes that were said."""

    found: dict[str, Found] = field(default_factory=dict)
    refused: dict[str, Refused] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    error: str | None = None

    @property
    def codes(self) -> set[str]:
        said = {note.code for note in self.notes} | {line.code for line in self.refused.values()}
        said |= {code for found in self.found.values() for code in found.warnings}
        return (said | {self.error or ""}) - {""}

    @property
    def verdict(self) -> str:
        if self.error is not None or not self.found:
            return "reject"
        return "accept_warn" if self.codes else "accept"

    def labels(self) -> dict[str, tuple[str, ...] | None]:
        return {source: found.labels for source, found in self.found.items()}

    def splits(self) -> dict[str, str | None]:
        return {source: found.split for source, found in self.found.items()}

    def boxes(self, source: str) -> list[tuple[str, float, float, float, float]]:
        """(label, x, y, width, height), to a hundredth of a pixel."""
        return [
            (b.label, round(b.x, 2), round(b.y, 2), round(b.width, 2), round(b.height, 2))
            for b in self.found[source].boxes
        ]


def outcome(source: Path, **options: Any) -> Outcome:
    """All that importing `source` gives; a refused source as its code."""
    result = Outcome()
    try:
        for item in open_source(source).find(ImportOptions(**options)):
            if isinstance(item, Found):
                result.found[item.source] = item
            elif isinstance(item, Refused):
                result.refused[item.source] = item
            else:
                result.notes.append(item)
    except RefusedSourceError as error:
        result.error = error.code
    return result


def coco(
    images: Iterable[Mapping[str, Any]] | None = None,
    annotations: Iterable[Mapping[str, Any]] | None = None,
    categories: Iterable[Mapping[str, Any]] = ({"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}),
) -> dict[str, Any]:
    """A COCO document of a.jpg, with one cat, and b.jpg, unless told otherwise."""
    usual_images = [
        {"id": 1, "file_name": "a.jpg", "width": WIDTH, "height": HEIGHT},
        {"id": 2, "file_name": "b.jpg", "width": WIDTH, "height": HEIGHT},
    ]
    usual_annotations = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 20], "iscrowd": 0}]
    return {
        "images": usual_images if images is None else list(images),
        "annotations": usual_annotations if annotations is None else list(annotations),
        "categories": list(categories),
    }
