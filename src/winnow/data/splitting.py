"""Which split each imported example goes to: the user's own where there is one, else drawn; and no leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from winnow.data.manifest import Example
from winnow.data.splits import clusters, test_split
from winnow.events import Note

# Below these a test split could tell nothing (50 pictures: +-12 points at best) and would starve the training.
_FEWEST_EXAMPLES = 50
_FEWEST_OF_A_CLASS = 5

_JUDGES_FIRST = ("test", "validation", "train")


def assign_splits(examples: Sequence[Example], *, test_share: float, seed: int) -> tuple[list[Example], list[Note]]:
    """The examples with their splits filled in, less the copies that would leak, and what a user should know.

    Args:
        examples: `split` is "" where the user said nothing.
        test_share: how much of every class is put aside if the user has no test split; 0: nothing.
    """
    notes: list[Note] = []
    kept = _without_leaks(examples, notes)
    notes += _conflicts(kept)
    if test_share > 0 and not any(example.split == "test" for example in kept):
        return _draw_test(kept, test_share, seed, notes), notes
    return [_fill_in(example) for example in kept], notes


def _fill_in(example: Example) -> Example:
    return example if example.split else replace(example, split="train")


def _without_leaks(examples: Sequence[Example], notes: list[Note]) -> list[Example]:
    """Leave out what also lies in a split that judges it: remembered pictures would flatter its figure."""
    seen_in: dict[str, str] = {}
    for split in _JUDGES_FIRST[:2]:
        for example in examples:
            if example.split == split:
                seen_in.setdefault(example.pixels, split)
    kept = [e for e in examples if seen_in.get(e.pixels, e.split) == e.split]
    if len(kept) < len(examples):
        left_out = [e for e in examples if seen_in.get(e.pixels, e.split) != e.split]
        where = " and ".join(sorted({seen_in[e.pixels] for e in left_out}))
        notes.append(
            Note(
                f"{len(left_out)} of your pictures also lie in your {where} split (the first: "
                f"{left_out[0].source}): they were left out of the other, or its figure would be flattered.",
                is_warning=True,
            )
        )
    groups = {s: {e.group for e in kept if (e.split or "train") == s and e.group} for s in _JUDGES_FIRST}
    if shared := groups["train"] & (groups["test"] | groups["validation"]):
        notes.append(
            Note(
                f"{len(shared)} groups (the first: {min(shared)}) lie in your training split and in one that "
                "judges it: the figures may be flattered. Put each group into one split only.",
                is_warning=True,
            )
        )
    return kept


def _conflicts(examples: Sequence[Example]) -> list[Note]:
    labels: dict[str, set[str]] = {}
    for example in examples:
        if example.label is not None:
            labels.setdefault(example.pixels, set()).add(example.label)
    conflicts = [pixels for pixels, names in labels.items() if len(names) > 1]
    notes: list[Note] = []
    if conflicts:
        first = next(e for e in examples if e.pixels == conflicts[0])
        notes.append(
            Note(
                f"{len(conflicts)} pictures occur under two labels (the first: {first.source}, "
                f"{' and '.join(sorted(labels[first.pixels]))}): decide which is right.",
                is_warning=True,
            )
        )
    if unlabelled := sum(example.label is None for example in examples):
        notes.append(Note(f"{unlabelled} pictures have no label: they are kept, but not learned from."))
    return notes


def _draw_test(examples: Sequence[Example], share: float, seed: int, notes: list[Note]) -> list[Example]:
    """Put a test split aside, out of what the user gave no split to or calls training."""
    drawable = [i for i, e in enumerate(examples) if e.label is not None and e.split in ("", "train")]
    counts = Counter(examples[i].label for i in drawable)
    if len(drawable) < _FEWEST_EXAMPLES or min(counts.values()) < _FEWEST_OF_A_CLASS:
        label, fewest = min(counts.items(), key=lambda item: item[1]) if counts else (None, 0)
        why = (
            f"{len(drawable)} pictures are fewer than {_FEWEST_EXAMPLES}"
            if len(drawable) < _FEWEST_EXAMPLES
            else f"the class '{label}' has only {fewest}"
        )
        notes.append(
            Note(
                f"No test split was put aside ({why}): all pictures serve training, and the figures come from "
                f"cross-validation. Add pictures (at least {_FEWEST_OF_A_CLASS} a class) for an untouched test.",
                is_warning=True,
            )
        )
        return [_fill_in(example) for example in examples]
    together = clusters([examples[i].pixels for i in drawable], [examples[i].group for i in drawable])
    chosen = test_split([str(examples[i].label) for i in drawable], together, share, seed)
    to_test = {drawable[i] for i in np.flatnonzero(chosen).tolist()}
    notes.append(
        Note(f"{len(to_test)} of {len(drawable)} pictures were put aside as the test split; no method sees them.")
    )
    return [
        replace(e, split="test", split_by="winnow") if i in to_test else _fill_in(e) for i, e in enumerate(examples)
    ]
