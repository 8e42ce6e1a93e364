"""What is wrong with these examples? Numbers in, findings out; whoever computes the numbers lives upstairs.

`look.py` looks at every picture once. `subject.py` is what is known of a version when it is checked; every other file
turns it into findings of one kind. A new kind is a function here in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from winnow.data.health.alike_classes import find_alike_classes
from winnow.data.health.classes import find_few_pictures, find_imbalance, find_similar_names, find_unlabelled
from winnow.data.health.conflicts import find_conflicts, find_near_conflicts
from winnow.data.health.duplicates import find_duplicates, find_near_duplicates
from winnow.data.health.files import find_personal_metadata, find_unreadable
from winnow.data.health.finding import Action, Finding, by_severity
from winnow.data.health.label_errors import find_label_errors
from winnow.data.health.leaks import find_group_leaks, find_leaks
from winnow.data.health.odd_pictures import ODDITIES, find_odd_pictures
from winnow.data.health.shortcuts import find_shortcuts
from winnow.data.health.subject import Subject

Check = Callable[[Subject], Iterator[Finding]]

CHECKS: tuple[Check, ...] = (
    find_leaks,
    find_group_leaks,
    find_conflicts,
    find_similar_names,
    find_shortcuts,
    find_label_errors,
    find_near_conflicts,
    find_duplicates,
    find_near_duplicates,
    find_few_pictures,
    find_imbalance,
    find_alike_classes,
    find_odd_pictures,
    find_personal_metadata,
    find_unreadable,
    find_unlabelled,
)
"""In the order in which findings of one severity are told."""


FIXES: dict[Action, tuple[str, ...]] = {
    "drop": (
        "duplicates",
        "near-duplicates",
        "conflicts",
        "near-conflicts",
        "leaks",
        "group-leaks",
        "label-errors",
        "few-pictures",
        "unlabelled",
        *(oddity.kind for oddity in ODDITIES),
    ),
    "move": ("leaks", "group-leaks"),
    "relabel": ("label-errors",),
    "merge": ("similar-classes", "alike-classes"),
}
"""What can be mended how: the kinds whose findings bring a fix of that action."""

NEEDS_ROWS_ONLY = frozenset({"duplicates", "conflicts", "group-leaks", "few-pictures", "unlabelled", "similar-classes"})
"""Kinds that are found in the table alone, without a look at the pictures."""


def check(subject: Subject) -> tuple[Finding, ...]:
    """All findings, serious ones first."""
    return by_severity(finding for find in CHECKS for finding in find(subject))
