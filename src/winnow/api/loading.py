"""How to get a dataset: from files or objects, imported into the workspace, or by its name."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from winnow.api.dataset import Dataset, dataset_named
from winnow.data.decoder.fact_store import FactStore
from winnow.data.decoder.pool import decoding_pool
from winnow.data.digits import write_digits
from winnow.data.freed_memory import with_few_looks_for_garbage
from winnow.data.importing import Imported, import_examples
from winnow.data.paths import is_there
from winnow.data.reading import Keep
from winnow.data.sources.source import ImportOptions
from winnow.data.splitting import SplitBy, SplitPlan
from winnow.errors import NotFoundError, UserError, WorkspaceError
from winnow.events import Note, Progress, Tell, tell_nobody
from winnow.workspace.names import name_from_source, valid_name
from winnow.workspace.workspace import Workspace

EXAMPLE = "digits"
"""The name under which the embedded example can be imported: 1,797 real handwritten digits of 8 x 8 pixels."""

# Children that are started before it is known how much there is to read: few pictures need no more.
_AHEAD = 2


@with_few_looks_for_garbage()
def load(
    source: Any,
    y: Any = None,
    *,
    name: str | None = None,
    workspace: str | Path | Workspace | None = None,
    add: bool = False,
    in_place: bool = False,
    test_share: float = 0.2,
    split_by: str = "random",
    seed: int = 0,
    path_column: str | None = None,
    label_column: str | Sequence[str] | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    weight_column: str | None = None,
    time_column: str | None = None,
    allow_urls: bool = False,
    version: int | None = None,
    who: str | None = None,
    tell: Tell = tell_nobody,
) -> Dataset:
    """A dataset from files or arrays, imported into the workspace; or one that is there already, by its name.

    Importing the same files again changes nothing; changed files make a new version. The files are only read.

    Args:
        source: a folder, an archive, a table or an annotation file of any layout that Winnow knows (docs: formats), a
            DataFrame, an array (N, H, W, 3) with `y`, the name of a dataset, or "digits", the embedded example.
        y: labels (N,) where `source` is an array or a list of pictures.
        name: what to call the dataset; default: after its source.
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.
        add: join the pictures to those that the dataset has; False: its new version holds these alone.
        in_place: leave the files where they are and remember their places; whoever reads one checks its content.
        test_share: share of each class put aside for the test, in (0, 1), where the source has no test split.
        split_by: "random", or "time": the newest pictures are the test. Groups and near-duplicates are never cut.
        seed: draws the test split.
        path_column: of a table, where its name is not one that Winnow knows.
        label_column: likewise; several: each holds 0 or 1 for the class it is named after.
        split_column: likewise.
        group_column: likewise: what belongs together (a patient, a burst) is never cut by a split.
        weight_column: likewise: how much a picture counts in learning.
        time_column: likewise: when it was taken.
        allow_urls: may pictures and tables be fetched from the network?
        version: of a dataset that is there already; default: the newest.
        who: brings the pictures, for the dataset's log; default: the user of this process.
        tell: hears progress and notes.

    Raises:
        NotFoundError: no such file, folder, dataset or version.
        BadDataError: nothing can be learned from it.
        UserError: an argument makes no sense; the sentence says which.
        WorkspaceError: the workspace cannot be opened or written.
    """
    plan = _plan(test_share, split_by, seed)
    may_be_name = isinstance(source, str) and y is None and not is_there(source)
    if not may_be_name:
        decoding_pool().start(_AHEAD)  # they wake while the workspace is opened and pictures are looked for
    opened = workspace if isinstance(workspace, Workspace) else Workspace.open(_folder(workspace))
    if isinstance(source, str) and may_be_name and not (add or in_place):
        known = _known(opened, source, name, version)
        if known is not None:
            return known
        if source == EXAMPLE:
            return _load_example(opened, name or EXAMPLE, plan, who, tell)
    if version is not None:
        raise UserError("A version can be chosen of a dataset in the workspace only; name the dataset, not its files.")
    if name is not None:
        valid_name(name)  # before the work, not after it
    options = ImportOptions(
        path_column=path_column,
        label_columns=_columns(label_column),
        split_column=split_column,
        group_column=group_column,
        weight_column=weight_column,
        time_column=time_column,
        allows_urls=allow_urls,
    )
    text = _shown(source)
    into = _dataset_to_join(opened, name, text) if add else None
    called = into.name if into is not None else name or _same_source(opened, text)
    imported = import_examples(
        source if y is None else (source, y),
        keep_in(opened, _place_of(source) if in_place else None),
        plan=plan,
        options=options,
        joins=() if into is None else into.examples(),
        decided=() if into is None else opened.edited_pictures(into.name),
        dropped=() if into is None else opened.dropped_pictures(into.name),
        name=called or opened.name_from_source(text),
        tell=tell,
    )
    return _add_version(opened, imported, text, called, who, tell) if into is None else _join(into, imported, who)


def keep_in(workspace: Workspace, in_place: Path | None = None) -> Keep:
    """Keep pictures in a workspace, or their places if they stay in the folder `in_place`."""
    return Keep(workspace.blobs, FactStore(workspace.cache_folder), in_place)


def _plan(test_share: float, split_by: str, seed: int) -> SplitPlan:
    if not 0 < test_share < 1:
        raise UserError(
            f"The test share must lie between 0 and 1, not {test_share}: 0.2 puts every fifth picture aside."
        )
    for by in get_args(SplitBy):
        if split_by == by:
            return SplitPlan(test_share, seed, by)
    raise UserError(f"Pictures cannot be split by '{split_by}': choose random or time.")


def _folder(workspace: str | Path | None) -> Path | None:
    return None if workspace is None else Path(workspace).expanduser()


def _known(workspace: Workspace, source: str, name: str | None, version: int | None) -> Dataset | None:
    """The dataset that `source` names, or None where it may be something else.

    Raises:
        NotFoundError: a bare word that names nothing here: says which datasets are near, rather than "no such file".
    """
    taken = {record.name.lower(): record for record in workspace.datasets()}
    if (record := taken.get(source.lower())) is not None and name in (None, record.name):
        if record.newest is None:
            raise NotFoundError(
                f"The dataset '{record.name}' has no pictures: its import was broken off. Import again."
            )
        return dataset_named(workspace, record.name, version)
    if source != EXAMPLE and not any(mark in source for mark in "/\\."):
        workspace.find_dataset(source)
    return None


def _columns(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _shown(source: Any) -> str:
    if isinstance(source, str) and "://" in source:
        return source
    if isinstance(source, (str, Path)):
        return str(Path(source).expanduser().resolve())
    return f"{type(source).__name__} in memory"


def _place_of(source: Any) -> Path:
    """The folder below which files are kept in place.

    Raises:
        UserError: the source is no folder or file on this machine.
    """
    path = Path(source).expanduser() if isinstance(source, (str, Path)) else None
    if path is None or not path.exists():
        raise UserError(
            "Only files on this machine can stay in place; what is fetched or in memory must be copied: "
            "leave in_place (--in-place) away."
        )
    return (path if path.is_dir() else path.parent).absolute()


def _dataset_to_join(workspace: Workspace, name: str | None, source: str) -> Dataset:
    known = name or _same_source(workspace, source)
    if known is None:
        raise UserError("Say which dataset the pictures join: add name=... (--name).")
    record = workspace.find_dataset(known)
    if record.newest is None:
        raise NotFoundError(f"The dataset '{record.name}' has no pictures to join: leave add (--add) away.")
    return Dataset(workspace, record.name, record.newest.number)


def _same_source(workspace: Workspace, source: str, digest: str = "") -> str | None:
    """The dataset that was imported from there. Data in memory has no place to be known by: its rows must be equal."""
    in_memory = source.endswith(" in memory")
    for record in workspace.datasets():
        is_same = not in_memory or (record.newest is not None and record.newest.digest == digest)
        if record.source == source and is_same:
            return record.name
    return None


def _join(into: Dataset, imported: Imported, who: str | None) -> Dataset:
    """Add what was imported as a version that also holds what others did to the dataset meanwhile."""
    manifest = imported.manifest
    if into.manifest.task == "multilabel":
        manifest = replace(manifest, task="multilabel")
    what = f"added {len(manifest) - len(into):,} pictures"
    version = into.workspace.join(into.name, manifest, what, into.version, who=who)
    return Dataset(into.workspace, into.name, version, refused=imported.refused, notes=imported.notes)


def _add_version(
    workspace: Workspace, imported: Imported, source: str, name: str | None, who: str | None, tell: Tell
) -> Dataset:
    """Add what was imported as a version: of the named dataset, of the one with the same source, or of a new one."""
    manifest = imported.manifest
    names = [record.name for record in workspace.datasets()]
    if name is None:
        digest = manifest.digest() if source.endswith(" in memory") else ""
        name = _same_source(workspace, source, digest) or name_from_source(source, names)
    before, n_edited = 0, 0
    if name.lower() not in {known.lower() for known in names}:
        name = workspace.add_dataset(name, source).name
    elif (newest := workspace.find_dataset(name).newest) is not None:
        before, n_edited = newest.number, len(workspace.edited_pictures(name))
    what = f"imported {imported.n_read:,} pictures"
    try:
        version = workspace.add_version(name, manifest, what, who=who)
    except OSError as error:
        raise WorkspaceError(f"The dataset cannot be written ({error.strerror}); check space and rights.") from error
    notes = imported.notes
    if n_edited and version > before:
        text = (
            f"What was edited in earlier versions ({n_edited:,} pictures) does not count in this one, which holds what "
            f"the source says now. To keep the edits, go back (winnow restore {name} {before}) and import with --add."
        )
        notes = (*notes, Note(text, is_warning=True, code="W_EDITS_REPLACED"))
        tell(notes[-1])
    return Dataset(workspace, name, version, refused=imported.refused, notes=notes)


def _load_example(workspace: Workspace, name: str, plan: SplitPlan, who: str | None, tell: Tell) -> Dataset:
    with tempfile.TemporaryDirectory(prefix="winnow-digits-") as folder:
        tell(Progress("writing the embedded example", 0))
        write_digits(Path(folder))
        imported = import_examples(Path(folder), keep_in(workspace), plan=plan, name=name, tell=tell)
    return _add_version(workspace, imported, EXAMPLE, name, who, tell)
