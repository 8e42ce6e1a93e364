"""More pictures for a dataset that is there already: none twice, none in two splits, no decision undone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.data.manifest import Example, Manifest, task_of
from winnow.data.near_duplicates import near_duplicate_pairs
from winnow.data.splits import clusters, test_split
from winnow.data.splitting import assign_splits
from winnow.events import Note

_JUDGES_FIRST = ("test", "validation", "train")


def join_examples(
    old: Sequence[Example],
    new: Sequence[Example],
    *,
    test_share: float = 0.2,
    seed: int = 0,
    decided: Collection[str] = (),
    dropped: Collection[tuple[str, str]] = (),
) -> tuple[list[Example], list[Note]]:
    """The examples of a dataset with new ones among them, and what a user should know.

    The same file under the same name takes the place of the old one; what it does not say (no label, no group, no
    split) stays as it was. Another file under a known name is another picture: it becomes "name (2).jpg". Old
    pictures keep their splits. New ones follow their copies, look-alikes and groups; of the others, `test_share` is
    drawn if the dataset's test split was drawn, too, and all learn if it is the user's own.

    Args:
        old: of the newest version, with their splits.
        new: as they were read: `split` is "" where the user said nothing.
        test_share: share of the new ones that goes to the test split.
        seed: draws it.
        decided: sources or contents of pictures whose labels somebody set since: of these the old ones stay.
        dropped: (source, content) of pictures that somebody took out: they stay out, unless they are back already.
    """
    wanted, notes = _without_dropped(old, new, dropped)
    joined = _joined(old, wanted, frozenset(decided))
    placed = _with_their_kin(joined)
    undecided = [place for place, example in enumerate(placed) if not example.split]
    for place, split in zip(undecided, _drawn(placed, undecided, test_share, seed, notes), strict=True):
        placed[place] = replace(placed[place], split=split, split_by="winnow")
    kept, more = assign_splits(placed, test_share=0, seed=seed)
    return kept, notes + more


def rejoined(base: Manifest, joined: Manifest, newest: Manifest) -> Manifest:
    """What `join_examples` made of `base`, made of `newest` instead: what was done to it meanwhile stays done."""
    known = {example.source: example for example in base.examples()}
    there = {example.source: example for example in newest.examples()}
    decided = {source for source, example in there.items() if known.get(source) != example}
    dropped = {(source, example.content) for source, example in known.items() if source not in there}
    new = [
        example if example.split_by == "user" else replace(example, split="")
        for example in joined.examples()
        if known.get(example.source) != example
    ]
    options = joined.provenance.get("options", {})
    drawn = {name: options[name] for name in ("test_share", "seed") if name in options}
    examples, _ = join_examples(list(there.values()), new, decided=decided, dropped=dropped, **drawn)
    needed = task_of(example.labels for example in examples)
    task = needed if newest.task == joined.task == "classify" else "multilabel"
    return Manifest.of(examples, joined.provenance, task)


def _without_dropped(
    old: Sequence[Example], new: Sequence[Example], dropped: Collection[tuple[str, str]]
) -> tuple[list[Example], list[Note]]:
    out = set(dropped) - {(example.source, example.content) for example in old}
    wanted = [example for example in new if (example.source, example.content) not in out]
    if not (n_out := len(new) - len(wanted)):
        return wanted, []
    what = (
        "1 picture that was dropped here before stays"
        if n_out == 1
        else f"{n_out:,} pictures that were dropped here before stay"
    )
    return wanted, [Note(f"{what} out. To have one back, import it under another name.")]


def _joined(old: Sequence[Example], new: Sequence[Example], decided: frozenset[str]) -> list[Example]:
    joined = list(old)
    place_of = {example.source: place for place, example in enumerate(joined)}
    for example in new:
        source = _free_name(example, joined, place_of)
        if source in place_of:
            place = place_of[source]
            is_decided = not decided.isdisjoint((source, example.content))
            joined[place] = joined[place] if is_decided else _said_again(joined[place], replace(example, source=source))
        else:
            place_of[source] = len(joined)
            joined.append(replace(example, source=source))
    return joined


def _free_name(example: Example, joined: Sequence[Example], place_of: dict[str, int]) -> str:
    """The name under which this very file is known, or a new one: "sky.jpg", "sky (2).jpg", ..."""
    path, source, count = PurePosixPath(example.source), example.source, 1
    while source in place_of and joined[place_of[source]].content != example.content:
        count += 1
        source = str(path.with_name(f"{path.stem} ({count}){path.suffix}"))
    return source


def _said_again(old: Example, new: Example) -> Example:
    return replace(
        new,
        labels=old.labels if new.labels is None else new.labels,
        group=old.group if new.group is None else new.group,
        split=new.split or old.split,
        split_by=new.split_by if new.split else old.split_by,
    )


def _with_their_kin(joined: Sequence[Example]) -> list[Example]:
    """New ones go where their copies, look-alikes and groups are: apart, one would judge what it taught."""
    kin = _kin(joined).tolist()
    split_of: dict[int, str] = {}
    for split in _JUDGES_FIRST:
        for cluster, example in zip(kin, joined, strict=True):
            if example.split == split:
                split_of.setdefault(cluster, split)
    return [
        example if example.split else replace(example, split=split_of.get(cluster, ""), split_by="winnow")
        for cluster, example in zip(kin, joined, strict=True)
    ]


def _drawn(
    examples: Sequence[Example], undecided: Sequence[int], share: float, seed: int, notes: list[Note]
) -> list[str]:
    """The splits of the undecided ones."""
    new = [examples[place] for place in undecided]
    tests = {example.split_by for example in examples if example.split == "test"}
    if not tests:
        # As for a first import: a test split is drawn where there are enough for it to say something.
        splits = [example.split for example in assign_splits(new, test_share=share, seed=seed)[0]]
    elif "winnow" in tests and share > 0:
        splits = _shared_out(new, share, seed)
    else:
        splits = ["train"] * len(new)
    if to_test := splits.count("test"):
        notes.append(Note(f"{to_test:,} of {len(new):,} new pictures were put aside for the test split."))
    return splits


def _shared_out(new: Sequence[Example], share: float, seed: int) -> list[str]:
    labelled = [place for place, example in enumerate(new) if example.labels is not None]
    chosen = [new[place] for place in labelled]
    is_test = test_split(_labels(chosen), _kin(chosen), share, seed)
    to_test = {labelled[place] for place in np.flatnonzero(is_test).tolist()}
    return ["test" if place in to_test else "train" for place in range(len(new))]


def _kin(examples: Sequence[Example]) -> NDArray[np.int64]:
    """(N,) cluster ids: what shows the same, looks nearly the same or is of one group."""
    near = near_duplicate_pairs([example.phash for example in examples]).pairs
    return clusters([example.pixels for example in examples], [example.group for example in examples], near)


def _labels(examples: Sequence[Example]) -> NDArray[Any]:
    """(N,) the label of each if it has exactly one, else (N, C) which labels it has."""
    if all(example.label is not None for example in examples):
        return np.array([example.label for example in examples], dtype=str)
    classes = sorted({label for example in examples for label in example.labels or ()})
    return np.array([[label in (example.labels or ()) for label in classes] for example in examples], dtype=bool)
