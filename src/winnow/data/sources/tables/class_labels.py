"""The names of classes that Hugging Face's `datasets` writes beside numbers of classes.

Source: datasets' documentation, "Dataset features"; the key `huggingface` of an Arrow schema's metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

_MAX_DEPTH = 4


def class_names_of(schema: pa.Schema) -> Mapping[str, Sequence[str]]:
    """By column, the names of classes 0, 1, 2, ...; columns without ClassLabel are left out."""
    try:
        about: Any = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    except (ValueError, RecursionError):
        return {}
    return class_names_in(about.get("info") if isinstance(about, dict) else None)


def class_names_in(info: Any) -> Mapping[str, Sequence[str]]:
    """The same from a `dataset_info.json`."""
    features = info.get("features") if isinstance(info, dict) else None
    if not isinstance(features, dict):
        return {}
    found = {str(column): _names(feature) for column, feature in features.items()}
    return {column: names for column, names in found.items() if names}


def _names(feature: Any, depth: int = 0) -> Sequence[str]:
    """Of {"names": [...], "_type": "ClassLabel"}, alone, in a list, or as the `feature` of a Sequence or List."""
    if depth > _MAX_DEPTH:
        return ()
    if isinstance(feature, list):
        return _names(feature[0], depth + 1) if feature else ()
    if not isinstance(feature, dict):
        return ()
    names = feature.get("names")
    if feature.get("_type") == "ClassLabel" and isinstance(names, list):
        return [name if isinstance(name, str) else "" for name in names]
    return _names(feature.get("feature"), depth + 1)
