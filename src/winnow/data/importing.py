"""From anything that can be imported to a manifest and its copies; one bad file costs one line, never the import."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from winnow.data.class_names import class_notes
from winnow.data.decoder.pool import decoding_pool
from winnow.data.freed_memory import give_back
from winnow.data.joining import join_examples
from winnow.data.manifest import Example, Manifest, examples_of, table_of
from winnow.data.reading import Keep, ReadRows, read_rows
from winnow.data.sources import open_source
from winnow.data.sources.refused import AllRefusedError, RefusedSourceError
from winnow.data.sources.source import ImportOptions, Refused
from winnow.data.splitting import SplitPlan, split_table
from winnow.data.writing import Writer
from winnow.events import Note, Progress, Tell, tell_nobody

_AS_USUAL = ImportOptions()
_AS_PLANNED = SplitPlan()
_REFUSED_KEPT = 1000
# So many items keep all children busy.
_MANY = 1000
# Its functions are made at run time, where no type checker sees them.
_compute: Any = pc


@dataclass(frozen=True)
class Imported:
    """What an import gave.

    Attributes:
        manifest: the examples, in the order they were found.
        n_read: how many pictures the source gave.
        refused: what was left out and why, in the same order.
        notes: what a user should read. Those that lower what a later figure is worth are kept in the manifest's
            provenance, too, under "notes"; so are the first refused lines, under "refused".
    """

    manifest: Manifest
    n_read: int
    refused: tuple[Refused, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True)
class ReadSource:
    """What a source holds.

    Attributes:
        given: the source as it was understood: text that names a file or folder is a Path.
        kind: the kind of source, in words.
        rows: what was read of it.
    """

    given: Any
    kind: str
    rows: ReadRows


def import_examples(
    source: Any,
    keep: Keep,
    *,
    plan: SplitPlan = _AS_PLANNED,
    options: ImportOptions = _AS_USUAL,
    joins: Sequence[Example] = (),
    decided: Collection[str] = (),
    dropped: Collection[tuple[str, str]] = (),
    name: str = "DATASET",
    tell: Tell = tell_nobody,
) -> Imported:
    """Read labelled pictures, keep copies of them, and put a test split aside.

    The user's own split is kept. Where there is none for testing, one is made as planned, in whole clusters of near-
    duplicates and groups. The source is only read, never written.

    Args:
        source: a folder, archive, table or annotation file (path or text), a DataFrame, or (X, y).
        keep: where the copies go, or that they stay in place.
        plan: how the test split is made.
        options: which columns of a table hold what.
        name: of the dataset, for commands in notes.
        joins: what the pictures come to: none is taken twice, and these keep their splits.
        decided: of these, the pictures (by source or content) that keep their labels, whatever the source says now.
        dropped: (source, content) of pictures that were taken out of these before, and stay out.

    Raises:
        NotFoundError: there is no such file or folder.
        RefusedSourceError: it holds no readable picture (`AllRefusedError`), or cannot be read as a whole.
        UserError: a column that was asked for is not there.
        WorkspaceError: the copies cannot be written.
    """
    with Writer(keep) as writer:
        read = _read(source, writer, options, tell)
        rows, notes = read.rows, list(read.rows.notes)
        n_read = len(rows.table)
        _refuse_nothing(read.given, n_read, rows.refused)
        kept = writer.finish(waits_for_disk=True)  # which needs little of a processor
        give_back(n_read)
        if joins:
            examples, more_notes = join_examples(
                joins,
                examples_of(rows.table),
                test_share=plan.test_share,
                seed=plan.seed,
                decided=decided,
                dropped=dropped,
            )
            table = table_of(examples)
        else:
            table, more_notes = split_table(rows.table, plan)
        kept.result()
    counts = _counts(table)
    notes += [*_notes_on_few(counts), *class_notes(counts, name), *more_notes]
    for note in notes:
        tell(note)
    provenance = _provenance(read.given, read.kind, asdict(plan) | asdict(options))
    provenance["notes"] = [note.text for note in notes if note.is_warning]
    provenance["refused"] = [asdict(line) for line in rows.refused[:_REFUSED_KEPT]]
    return Imported(Manifest.of_table(table, provenance), n_read, rows.refused, tuple(notes))


def read_source(source: Any, keep: Keep, options: ImportOptions = _AS_USUAL, tell: Tell = tell_nobody) -> ReadSource:
    """Read all pictures of a source as they are: no split is drawn, and few or one-sided ones are no fault.

    Raises:
        NotFoundError: there is no such file or folder.
        BadDataError: nothing of the source can be used.
        WorkspaceError: the copies cannot be written.
    """
    with Writer(keep) as writer:
        read = _read(source, writer, options, tell)
        writer.finish(waits_for_disk=False).result()
    return read


def _read(source: Any, writer: Writer, options: ImportOptions, tell: Tell) -> ReadSource:
    decoding_pool().start(1)  # it wakes while we look for pictures
    opened = open_source(source)
    if (opened.total or 0) > _MANY:
        decoding_pool().start()
    tell(Progress("finding pictures", 0))
    return ReadSource(opened.given, opened.kind, read_rows(opened.find(options), writer, tell, total=opened.total))


def _refuse_nothing(source: Any, n_read: int, refused: Sequence[Refused]) -> None:
    name = str(source) if isinstance(source, Path) else "The data"
    if not n_read and not refused:
        how = (
            f"put them into one folder for each class, such as {name}/cats/1.jpg"
            if isinstance(source, Path) and source.is_dir()
            else "give it at least one picture"
        )
        raise RefusedSourceError("E_EMPTY", f"{name} holds no pictures: {how}.")
    if not n_read:
        raise AllRefusedError(name, refused)


def _counts(table: pa.Table) -> dict[str, int]:
    """How many pictures have each label, in the order in which labels first occur."""
    counted: Any = _compute.value_counts(_compute.list_flatten(table["labels"]))
    return {entry["values"]: entry["counts"] for entry in counted.to_pylist()}


def _notes_on_few(counts: Mapping[str, int]) -> list[Note]:
    """What is missing for learning: no error, because somebody may add labels and pictures later."""
    if not counts:
        text = "No picture has a label: give labels (winnow relabel) before training."
        return [Note(text, is_warning=True, code="W_UNLABELLED")]
    if len(counts) == 1:
        text = f"All labelled pictures are of one class ('{next(iter(counts))}'): training needs at least two classes."
        return [Note(text, is_warning=True, code="W_ONE_CLASS")]
    if sum(count >= 2 for count in counts.values()) < 2:
        text = "There are too few pictures to learn from: training needs two classes with two pictures each, or more."
        return [Note(text, is_warning=True, code="W_FEW_IMAGES")]
    return []


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
