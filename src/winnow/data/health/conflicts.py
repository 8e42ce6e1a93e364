"""The same picture under different labels: at most one of them is right."""

from __future__ import annotations

from collections.abc import Iterator

from winnow.data.edits import Remove
from winnow.data.health.duplicates import pair_examples
from winnow.data.health.finding import Finding, Fix, counted, listed, most_telling, shown
from winnow.data.health.subject import Subject
from winnow.data.manifest import task_of


def find_conflicts(subject: Subject) -> Iterator[Finding]:
    """Pictures with the very same pixels and different labels."""
    examples = subject.examples
    groups = [group for group in subject.by_pixels if len(_label_sets(subject, group)) > 1]
    if not groups:
        return
    places = [place for group in groups for place in group if examples[place].labels is not None]
    # Of several labels one may have been forgotten in a copy; of one, one is wrong.
    is_one_each = task_of(example.labels for example in examples) == "classify"
    yield Finding(
        kind="conflicts",
        code="W_LABEL_CONFLICT",
        severity="serious" if is_one_each else "worth a look",
        sentence=f"{counted(len(groups), 'picture occurs', 'pictures occur')} under different labels (label "
        f"conflicts), such as {listed(_labels(subject, groups[0]))}: whatever a model answers, it is counted wrong "
        "for one of them.",
        count=len(groups),
        examples=most_telling(
            shown(examples[place], len(_label_sets(subject, group)), f"also in {_others(subject, group, place)}")
            for group in groups
            for place in group
            if examples[place].labels is not None
        ),
        evidence="how many different labels the picture has",
        # Nobody knows which label is right, so none is kept; whoever knows relabels.
        fixes=(Fix("drop", (Remove(tuple(examples[place].source for place in places)),)),),
        advice="If you know which label is right, relabel those pictures instead of dropping them.",
    )


def find_near_conflicts(subject: Subject) -> Iterator[Finding]:
    """Pictures that look nearly the same and have different labels."""
    examples = subject.examples
    pairs = [
        pair
        for pair in subject.pairs
        if None not in (one := examples[pair.first].labels, other := examples[pair.second].labels)
        and set(one or ()) != set(other or ())
    ]
    if not pairs:
        return
    places = sorted({place for pair in pairs for place in (pair.first, pair.second)})
    yield Finding(
        kind="near-conflicts",
        code="W_NEAR_CONFLICT",
        severity="worth a look",
        sentence=f"{counted(len(pairs), 'pair of pictures looks', 'pairs of pictures look')} nearly the same but "
        "have different labels: one of the two may be wrong.",
        count=len(pairs),
        examples=pair_examples(subject, pairs),
        evidence="how alike the two are, 0 to 1",
        fixes=(Fix("drop", (Remove(tuple(examples[place].source for place in places)),), is_judgement=True),),
        advice="Look at each pair; relabel the wrong one.",
    )


def _label_sets(subject: Subject, group: list[int]) -> set[frozenset[str]]:
    labelled = (subject.examples[place].labels for place in group)
    return {frozenset(labels) for labels in labelled if labels is not None}


def _labels(subject: Subject, group: list[int]) -> list[str]:
    return sorted({label for labels in _label_sets(subject, group) for label in labels} or {"no class"})


def _others(subject: Subject, group: list[int], place: int) -> str:
    return ", ".join(subject.examples[other].source for other in group if other != place)
