"""The chain in a model's `winnow.json`: dataset version, climb, model; each link holds the hash of the one before.

Whoever changes a link, or a file that the last one names, breaks what comes behind it. `docs/model-folder.md` says how
to check all of it without Winnow.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from winnow.errors import BadDataError, NotFoundError
from winnow.report.schema import Report
from winnow.tasks.predictor import FACTS

CHAIN, SIGNATURE = "chain", "signature"
ALGORITHM = "ed25519"
_MOST_BYTES = 16 << 20
_MOST_DEPTH = 64

Link = dict[str, Any]


def canonical(values: Any) -> bytes:
    """The bytes that are hashed and signed: JSON in ASCII, keys sorted, without spaces.

    >>> canonical({"b": [1, 0.5], "a": "é"})
    b'{"a":"\\\\u00e9","b":[1,0.5]}'
    """
    return json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")


def hash_of(link: Mapping[str, Any]) -> str:
    """sha256 of a link, hex: what the next one holds as `before`."""
    return hashlib.sha256(canonical(link)).hexdigest()


def hash_of_file(path: Path) -> str:
    """sha256 of a file, hex.

    Raises:
        OSError: there is no such file; a pipe, which would be waited for, is none.
    """
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def chain_of(report: Report, graph: str, files: Mapping[str, str]) -> list[Link]:
    """The three links of a model.

    Args:
        report: says which dataset and climb it comes from.
        graph: sha256 of its graph.
        files: sha256 by name, of all that lies beside `winnow.json`.
    """
    dataset, climb = report.dataset, report.climb
    first = {"link": "dataset", "name": dataset.name, "version": dataset.version, "digest": dataset.digest}
    second = {
        "link": "climb",
        "id": climb.id,
        "seed": climb.seed,
        "started": climb.started,
        "winnow_version": climb.winnow_version,
        "before": hash_of(first),
    }
    third = {"link": "model", "graph": graph, "files": dict(sorted(files.items())), "before": hash_of(second)}
    return [first, second, third]


def read_document(folder: Path, name: str = FACTS) -> dict[str, Any]:
    """All that a model's `winnow.json` says, or another JSON file that is hashed or signed.

    Raises:
        NotFoundError: there is none.
        BadDataError: it is no JSON object.
    """
    path = folder / name
    try:
        if not path.is_file():  # a pipe would be waited for
            raise NotFoundError(f"{folder} has no {name}, so that nothing says what should lie there.")
        if path.stat().st_size > _MOST_BYTES:
            raise BadDataError(f"{path} is far too large; copy the folder again, whole.")
        values = json.loads(path.read_text(encoding="utf-8"))
        _check_writable(values)
    except OSError:
        raise NotFoundError(f"{folder} has no {name}, so that nothing says what should lie there.") from None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise BadDataError(f"{path} is damaged; copy the folder again, whole.")
    return cast("dict[str, Any]", values)


def _check_writable(values: Any) -> None:
    """What we sign can be written again: its numbers are finite, its text is Unicode, and it is not deep."""
    level = [values]
    for _ in range(_MOST_DEPTH):
        level = [one for outer in level if isinstance(outer, list | dict) for one in _values_of(outer)]
    if level:
        raise ValueError("nested too deeply")
    json.dumps(values, allow_nan=False, ensure_ascii=False).encode("utf-8")


def _values_of(outer: list[Any] | dict[str, Any]) -> Iterable[Any]:
    return outer.values() if isinstance(outer, dict) else outer


def links_in(document: Mapping[str, Any]) -> tuple[Link, Link, Link] | None:
    """The links of a document: dataset, climb, model; None if there are none, or they make no sense."""
    links = document.get(CHAIN)
    if not isinstance(links, list):
        return None
    found = cast("Sequence[Any]", links)
    if [one.get("link") if isinstance(one, dict) else None for one in found] != ["dataset", "climb", "model"]:
        return None
    first, second, third = cast("Sequence[Link]", found)
    return (first, second, third) if isinstance(third.get("files"), dict) else None


def signed_part(document: Mapping[str, Any]) -> bytes:
    """What the signature is over: everything in `winnow.json` but the signature itself."""
    return canonical({key: value for key, value in document.items() if key != SIGNATURE})
