"""Which split each imported picture goes to: the user's own where there is one, else drawn; and what leaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from winnow.data.freed_memory import give_back
from winnow.data.manifest import SCHEMA, Example
from winnow.data.near_duplicates import near_duplicate_pairs
from winnow.data.splits import clusters_of_codes, split_by_time, test_split, text_codes
from winnow.events import Note

# Below these a test split could tell nothing (50 pictures: +-12 points at best) and would starve the training.
_FEWEST_EXAMPLES = 50
_FEWEST_OF_A_CLASS = 5

_JUDGES = ("test", "validation")
_NEEDED = ("pixels", "labels", "group", "split", "source", "taken", "phash")
# Its functions are made at run time, where no type checker sees them.
_compute: Any = pc

Ids = NDArray[np.int64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]


SplitBy = Literal["random", "time"]


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """How the test split is made where the user has none. Groups and near-duplicates are never cut.

    Attributes:
        test_share: how much of every class is put aside; 0: nothing.
        seed: draws it.
        by: "random", or "time": the newest pictures are the test.
    """

    test_share: float = 0.2
    seed: int = 0
    by: SplitBy = "random"


def assign_splits(
    examples: Sequence[Example], *, test_share: float, seed: int, by: SplitBy = "random"
) -> tuple[list[Example], list[Note]]:
    """`split_table` for examples."""
    columns = {name: pa.array([getattr(e, name) for e in examples], SCHEMA.field(name).type) for name in _NEEDED}
    split = _split(pa.table(columns), SplitPlan(test_share, seed, by))
    kept: list[Example] = []
    for place in np.flatnonzero(split.is_kept).tolist():
        example, name = examples[place], split.splits[place]
        if split.is_drawn[place]:
            example = replace(example, split=name, split_by="winnow")
        kept.append(example if example.split == name else replace(example, split=name))
    return kept, split.notes


def split_table(table: pa.Table, plan: SplitPlan) -> tuple[pa.Table, list[Note]]:
    """The rows with their splits filled in, less the copies that would leak, and what a user should know.

    Args:
        table: rows of `winnow.data.manifest.SCHEMA`; `split` is "" where the user said nothing.

    Returns:
        The table, and notes with the codes W_LEAK_DROPPED, W_LEAK_NEAR, W_LEAK_GROUP, W_LABEL_CONFLICT, W_UNLABELLED,
        W_DUP, W_NEAR_DUP, W_NO_TEST_SPLIT and W_TIME (some have no time, or hang on older ones).
    """
    split = _split(table, plan)
    by = _compute.if_else(pa.array(split.is_drawn), "winnow", table["split_by"])
    for name, values in (("split", pa.array(split.splits, pa.string())), ("split_by", by)):
        table = table.set_column(table.schema.get_field_index(name), SCHEMA.field(name), values)
    return table if split.is_kept.all() else table.filter(pa.array(split.is_kept)), split.notes


@dataclass(frozen=True)
class _Split:
    """(N,) each: does a row stay, in which split, and did we draw it for the test?"""

    is_kept: Flags
    splits: Texts
    is_drawn: Flags
    notes: list[Note]


def _split(table: pa.Table, plan: SplitPlan) -> _Split:
    said: Texts = table["split"].to_numpy()
    rows = _Rows(table, said)
    notes: list[Note] = []
    is_kept = _without_leaks(rows, notes)
    give_back(len(said))
    near = near_duplicate_pairs(table["phash"]).pairs
    give_back(len(said))
    near = near[is_kept[near].all(1) & (rows.shown[near[:, 0]] != rows.shown[near[:, 1]])]
    notes += _leaks(rows, is_kept, near)
    notes += _conflicts(rows, is_kept)
    splits = np.where(said == "", "train", said)
    is_drawn = np.zeros(len(said), dtype=bool)
    if plan.test_share > 0 and not (said[is_kept] == "test").any():
        is_drawn = _drawn(rows, is_kept & (splits == "train"), near, plan, notes)
        splits[is_drawn] = "test"
    notes += _copies(rows, is_kept, near)
    return _Split(is_kept, splits, is_drawn, notes)


class _Rows:
    """The columns that matter here, as numbers where they can be."""

    def __init__(self, table: pa.Table, said: Texts) -> None:
        self.table = table
        self.said = said
        self.shown = text_codes(table["pixels"])
        self.group = text_codes(table["group"])
        self.is_labelled: Flags = table["labels"].is_valid().to_numpy()
        self.classes, self._holders, self._held = _labels(table)

    def __len__(self) -> int:
        return self.table.num_rows

    def source(self, place: int) -> str:
        return str(self.table["source"][place])

    def labels_of(self, places: Ids) -> NDArray[np.int64] | Flags:
        """(n,) class ids if each of these rows has exactly one label, else (n, C) which it has."""
        position = np.full(len(self), -1)
        position[places] = np.arange(len(places))
        is_asked = position[self._holders] >= 0
        holders, held = position[self._holders[is_asked]], self._held[is_asked]
        if (np.bincount(holders, minlength=len(places)) == 1).all():
            return held[np.argsort(holders)]
        has = np.zeros((len(places), len(self.classes)), dtype=bool)
        has[holders, held] = True
        return has

    def names(self, places: Ids) -> list[tuple[str, ...]]:
        """The labels of these rows, sorted."""
        return [tuple(sorted(labels)) for labels in self.table["labels"].take(pa.array(places)).to_pylist()]


def _labels(table: pa.Table) -> tuple[list[str], Ids, Ids]:
    """The classes, sorted; and for each label that a row has, the row and the class."""
    column: Any = table["labels"].combine_chunks()
    encoded: Any = column.flatten().dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    classes = sorted(names)
    place = {name: number for number, name in enumerate(classes)}
    held = np.array([place[name] for name in names], dtype=np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]
    holders = _compute.list_parent_indices(column).to_numpy(zero_copy_only=False)
    return classes, holders.astype(np.int64), held


def _without_leaks(rows: _Rows, notes: list[Note]) -> Flags:
    """Which rows stay: what also lies in a split that judges it is left out, or it would flatter its figure."""
    # 0: the picture lies in the test split, 1: in validation, 2: in neither.
    rank = np.full(int(rows.shown.max(initial=-1)) + 1, 2)
    for place, split in reversed(list(enumerate(_JUDGES))):
        rank[rows.shown[rows.said == split]] = place
    rank_of = rank[rows.shown]
    is_kept = (rank_of == 2) | (rows.said == np.array([*_JUDGES, ""], dtype=object)[rank_of])
    left_out = np.flatnonzero(~is_kept)
    if len(left_out):
        where = " and ".join(sorted({_JUDGES[i] for i in rank_of[left_out].tolist()}))
        notes.append(
            Note(
                f"{len(left_out)} of your pictures also lie in your {where} split (the first: "
                f"{rows.source(left_out[0])}): they were left out of the other, or its figure would be flattered.",
                is_warning=True,
                code="W_LEAK_DROPPED",
            )
        )
    return is_kept


def _leaks(rows: _Rows, is_kept: Flags, near: Ids) -> list[Note]:
    """What is in two of the user's own splits: near-duplicates, and members of one group."""
    notes: list[Note] = []
    splits = np.where(rows.said == "", "train", rows.said)
    across = near[splits[near[:, 0]] != splits[near[:, 1]]]
    if len(across):
        one, other = across[0].tolist()
        notes.append(
            Note(
                f"{len(np.unique(across))} pictures look nearly the same as one in another of your splits (such "
                f"as {rows.source(one)} and {rows.source(other)}): the figures may be flattered. See them with "
                "winnow check NAME; winnow fix NAME --move leaks puts each into one split.",
                is_warning=True,
                code="W_LEAK_NEAR",
            )
        )
    is_member = is_kept & (rows.group >= 0)
    taught = np.unique(rows.group[is_member & (splits == "train")])
    judged = np.unique(rows.group[is_member & np.isin(splits, _JUDGES)])
    shared = np.intersect1d(taught, judged)
    if len(shared):
        first = rows.table["group"][int(np.flatnonzero(np.isin(rows.group, shared))[0])]
        notes.append(
            Note(
                f"{len(shared)} groups (such as {first}) lie in your training split and in one that judges it: the "
                "figures may be flattered. Put each group into one split only.",
                is_warning=True,
                code="W_LEAK_GROUP",
            )
        )
    return notes


def _conflicts(rows: _Rows, is_kept: Flags) -> list[Note]:
    notes: list[Note] = []
    labelled = np.flatnonzero(is_kept & rows.is_labelled)
    # Only pictures that occur more than once can be of two minds.
    count = np.bincount(rows.shown[labelled], minlength=1)
    repeated = labelled[count[rows.shown[labelled]] > 1]
    said: dict[int, dict[tuple[str, ...], int]] = {}
    for place, names in zip(repeated.tolist(), rows.names(repeated), strict=True):
        said.setdefault(int(rows.shown[place]), {}).setdefault(names, place)
    conflicts = [labels for labels in said.values() if len(labels) > 1]
    if conflicts:
        first = min(conflicts[0].values())
        named = " and ".join(sorted(" + ".join(names) or "no class" for names in conflicts[0]))
        notes.append(
            Note(
                f"{len(conflicts):,} {'picture occurs' if len(conflicts) == 1 else 'pictures occur'} under different "
                f"labels (the first: {rows.source(first)}, {named}): decide which is right.",
                is_warning=True,
                code="W_LABEL_CONFLICT",
            )
        )
    if unlabelled := int((is_kept & ~rows.is_labelled).sum()):
        text = f"{unlabelled} pictures have no label: they are kept, but not learned from."
        notes.append(Note(text, code="W_UNLABELLED"))
    return notes


def _copies(rows: _Rows, is_kept: Flags, near: Ids) -> list[Note]:
    notes: list[Note] = []
    shown = rows.shown[is_kept]
    if copies := len(shown) - len(np.unique(shown)):
        text = f"{copies} pictures are exact copies of others: they were kept, and stay together in every split."
        notes.append(Note(text, code="W_DUP"))
    if len(near):
        one, other = near[0].tolist()
        text = (
            f"{len(np.unique(near))} pictures look nearly the same as another (such as {rows.source(one)} and "
            f"{rows.source(other)}): they were kept, and splits that we draw keep them together."
        )
        notes.append(Note(text, code="W_NEAR_DUP"))
    return notes


def _drawn(rows: _Rows, is_free: Flags, near: Ids, plan: SplitPlan, notes: list[Note]) -> Flags:
    """Which rows are put aside as the test split, out of what the user gave no split to or calls training."""
    is_drawn = np.zeros(len(rows), dtype=bool)
    places = np.flatnonzero(is_free & rows.is_labelled)
    labels = rows.labels_of(places)
    if why := _too_few(rows, labels, len(places)):
        notes.append(
            Note(
                f"No test split was put aside ({why}): all pictures serve training, and the figures come from "
                f"cross-validation. Add pictures (at least {_FEWEST_OF_A_CLASS} a class) for an untouched test.",
                is_warning=True,
                code="W_NO_TEST_SPLIT",
            )
        )
        return is_drawn
    position = np.full(len(rows), -1)
    position[places] = np.arange(len(places))
    near_free = position[near][(position[near] >= 0).all(1)]
    together = clusters_of_codes(rows.shown[places], rows.group[places], near_free)
    if plan.by == "time":
        is_test = _newest(rows, places, together, plan.test_share, notes)
    else:
        is_test = test_split(labels, together, plan.test_share, plan.seed)
    is_drawn[places] = is_test
    what = "newest pictures" if plan.by == "time" else "pictures"
    notes.append(
        Note(f"{is_test.sum()} of {len(places)} {what} were put aside as the test split; no method sees them.")
    )
    return is_drawn


def _too_few(rows: _Rows, labels: NDArray[Any], n: int) -> str:
    """Why a test split would be of no use, or nothing."""
    if n < _FEWEST_EXAMPLES:
        return f"fewer than {_FEWEST_EXAMPLES} pictures: {n}"
    counts = labels.sum(0) if labels.ndim == 2 else np.bincount(labels, minlength=len(rows.classes))
    # A class that only occurs in the user's other splits is not missing here.
    counts = np.where(counts > 0, counts, n)
    rarest = int(np.argmin(counts))
    few = counts[rarest] < _FEWEST_OF_A_CLASS
    return f"the class '{rows.classes[rarest]}' has only {counts[rarest]}" if few else ""


def _newest(rows: _Rows, places: Ids, together: Ids, share: float, notes: list[Note]) -> Flags:
    taken = rows.table["taken"].take(pa.array(places)).to_pylist()
    times = np.array([_moment(text) for text in taken], dtype="datetime64[us]")
    is_test, is_held_back = split_by_time(times, together, share)
    if unknown := int(np.isnat(times).sum()):
        text = f"{unknown} of {len(places)} pictures do not say when they were taken: they serve training."
        notes.append(Note(text, is_warning=True, code="W_TIME"))
    if held_back := int(is_held_back.sum()):
        text = (
            f"{held_back} new pictures belong together with older ones (one group, or nearly the same picture): they "
            "serve training."
        )
        notes.append(Note(text, code="W_TIME"))
    return is_test


def _moment(text: str | None) -> datetime | None:
    """ISO 8601 as a moment in UTC; what names no zone is taken as UTC, what is no time is None."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
