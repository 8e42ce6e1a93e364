"""From anything that can be imported to a manifest and its copies; one bad file costs one line, never the import."""

from __future__ import annotations

import hashlib
import importlib.metadata
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.data.blobs import BlobStore
from winnow.data.decode import Picture, UnreadablePictureError, decode
from winnow.data.manifest import Example, Manifest
from winnow.data.sources import open_source
from winnow.data.sources.source import Found, ImportOptions, Refused
from winnow.data.splitting import assign_splits
from winnow.errors import BadDataError
from winnow.events import Note, Progress, Tell, tell_nobody
from winnow.machine import cores

_AS_USUAL = ImportOptions()

# Enough work for a thread to be worth its switch (an MNIST digit takes 0.2 ms), little enough for a live bar.
_BATCH = 16


@dataclass(frozen=True)
class Imported:
    """What an import gave.

    Attributes:
        manifest: the examples, in the order they were found.
        refused: what was left out and why, in the same order.
        notes: sentences a user should read. Those that lower what a later figure is worth are kept in the manifest's
            provenance, too, under "notes".
    """

    manifest: Manifest
    refused: tuple[Refused, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ReadExamples:
    """What a source holds.

    Attributes:
        source: as it was understood: text that names a file or folder is a Path.
        kind: the kind of source, in words.
        examples: in the order they were found; `split` is "" where the user said nothing.
        refused: what could not be read and why.
        notes: what the source wants a user to know.
    """

    source: Any
    kind: str
    examples: tuple[Example, ...]
    refused: tuple[Refused, ...]
    notes: tuple[Note, ...]


def import_examples(
    source: Any,
    blobs: BlobStore,
    *,
    test_share: float = 0.2,
    seed: int = 0,
    options: ImportOptions = _AS_USUAL,
    tell: Tell = tell_nobody,
) -> Imported:
    """Read labelled pictures, keep copies of them, and put a test split aside.

    The user's own split is kept. Where there is none for testing, `test_share` of every class is drawn with `seed`,
    in whole clusters of equal pictures and groups. The source is only read, never written.

    Args:
        source: a folder, zip, table or .npz file (path or text), a DataFrame, or (X, y).
        blobs: where the copies go.
        options: which columns of a table hold what.

    Raises:
        NotFoundError: there is no such file or folder.
        BadDataError: nothing can be learned from it (no readable picture, one class, too few).
        UserError: a column that was asked for is not there.
        WorkspaceError: the copies cannot be written.
    """
    read = read_examples(source, blobs, options, tell)
    source, examples, notes = read.source, list(read.examples), list(read.notes)
    _refuse_too_little(source, examples, read.refused)
    blobs.flush()
    examples, more_notes = assign_splits(examples, test_share=test_share, seed=seed)
    _refuse_too_few_to_learn(examples)
    notes += more_notes
    for note in notes:
        tell(note)
    provenance = _provenance(source, read.kind, {"test_share": test_share, "seed": seed, **asdict(options)})
    provenance["notes"] = [note.text for note in notes if note.is_warning]
    return Imported(Manifest.of(examples, provenance), read.refused, tuple(note.text for note in notes))


def read_examples(
    source: Any, blobs: BlobStore, options: ImportOptions = _AS_USUAL, tell: Tell = tell_nobody
) -> ReadExamples:
    """Read all pictures of a source as they are: no split is drawn, and few or one-sided ones are no fault.

    Raises:
        NotFoundError: there is no such file or folder.
        BadDataError: nothing of the source can be used.
        WorkspaceError: the copies cannot be written.
    """
    opened = open_source(source)
    tell(Progress("finding pictures", 0))
    notes: list[Note] = []
    items: list[Found | Refused] = []
    for item in opened.find(options):
        if isinstance(item, Note):
            notes.append(item)
        else:
            items.append(item)
    examples: list[Example] = []
    refused: list[Refused] = []
    for result in _read_all(items, blobs, tell):
        if isinstance(result, Refused):
            refused.append(result)
        else:
            examples.append(result)
    return ReadExamples(opened.given, opened.kind, tuple(examples), tuple(refused), tuple(notes))


def _read_all(items: Sequence[Found | Refused], blobs: BlobStore, tell: Tell) -> Iterator[Example | Refused]:
    """Every item read, in order. Threads suffice: hashing, decoding and the disk all let go of Python's lock."""
    left = iter(items)
    batches = iter(lambda: list(islice(left, _BATCH)), [])
    done = 0
    with ThreadPoolExecutor(cores(), thread_name_prefix="import") as pool:
        for results in pool.map(partial(_read_batch, blobs), batches):
            yield from results
            done += len(results)
            tell(Progress("reading pictures", done, len(items)))


def _read_batch(blobs: BlobStore, items: Sequence[Found | Refused]) -> list[Example | Refused]:
    return [item if isinstance(item, Refused) else _read_one(item, blobs) for item in items]


def _read_one(found: Found, blobs: BlobStore) -> Example | Refused:
    try:
        data = found.read()
        picture = decode(data)
    except UnreadablePictureError as error:
        return Refused(found.source, error.code, error.reason)
    except BadDataError as error:
        return Refused(found.source, "E_NOT_IMAGE", str(error))
    except FileNotFoundError:
        return Refused(found.source, "E_MISSING", "There is no such file: check the path.")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        return Refused(found.source, "E_UNREADABLE", f"The file cannot be read ({why}): check its rights and disk.")
    height, width = picture.pixels.shape[:2]
    return Example(
        content=blobs.put(data),
        pixels=pixel_hash(picture.pixels),
        labels=found.labels,
        group=found.group,
        split=found.split or "",
        split_by="user" if found.split else "winnow",
        source=found.source,
        width=width,
        height=height,
        format=picture.format,
        bytes=len(data),
        is_grey=_is_grey(picture),
        weight=found.weight,
        taken=found.taken,
        boxes=found.boxes,
        metadata=found.metadata,
        warnings=(*picture.warnings, *found.warnings),
    )


def pixel_hash(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 (hex) of height, width and the (H, W, 3) RGB: equal for the same picture in any file."""
    height, width = pixels.shape[:2]
    sha = hashlib.sha256(struct.pack("<II", height, width))
    sha.update(np.ascontiguousarray(pixels).data)
    return sha.hexdigest()


def _is_grey(picture: Picture) -> bool:
    pixels = picture.pixels
    # Most coloured pictures show it in their first row, which saves the full comparison.
    for part in (pixels[:1], pixels):
        if not (np.array_equal(part[..., 0], part[..., 1]) and np.array_equal(part[..., 1], part[..., 2])):
            return False
    return True


def _refuse_too_little(source: Any, examples: Sequence[Example], refused: Sequence[Refused]) -> None:
    name = str(source) if isinstance(source, Path) else "The data"
    if not examples and not refused:
        raise BadDataError(
            f"{name} holds no pictures: put them into one folder for each class, such as {name}/cats/1.jpg."
        )
    if not examples:
        first = refused[0]
        raise BadDataError(
            f"None of the {len(refused)} files of {name} could be imported. The first: {first.source}: {first.reason}"
        )
    labels = sorted({label for example in examples for label in example.labels or ()})
    if len(labels) < 2:
        what = f"are of one class ('{labels[0]}')" if labels else "have no label"
        raise BadDataError(
            f"All {len(examples)} pictures of {name} {what}: at least two classes are needed, "
            "such as a folder for each class."
        )


def _refuse_too_few_to_learn(examples: Sequence[Example]) -> None:
    counts = Counter(label for e in examples if e.split != "test" for label in e.labels or ())
    if sum(count >= 2 for count in counts.values()) < 2:
        shown = ", ".join(f"{label}: {count}" for label, count in sorted(counts.items()))
        raise BadDataError(
            f"There are too few pictures to learn from ({shown or 'none outside the test split'}): "
            "at least two classes need two pictures each. Add some."
        )


def _provenance(source: Any, kind: str, options: dict[str, Any]) -> dict[str, Any]:
    try:
        version = importlib.metadata.version("winnow")
    except importlib.metadata.PackageNotFoundError:  # run from a checkout that was never installed
        version = "unknown"
    return {
        "winnow": version,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": str(source) if isinstance(source, Path) else type(source).__name__,
        "kind": kind,
        "options": options,
        "parent": None,
    }
