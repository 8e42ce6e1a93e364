"""The same picture twice, or nearly: copies teach nothing new and count twice."""

from __future__ import annotations

from collections.abc import Iterator

from winnow.data.edits import Remove
from winnow.data.health.finding import Finding, Fix, Shown, counted, most_telling, shown
from winnow.data.health.subject import Pair, Subject, chains, groups_of
from winnow.data.manifest import Example

# A share of near-duplicates from which on figures and intervals, which count them as independent, suffer.
_MANY = 0.05


def find_duplicates(subject: Subject) -> Iterator[Finding]:
    """Pictures with the very same pixels, label and split."""
    examples = subject.examples
    keys = ((place, (e.pixels, e.labels, e.split)) for place, e in enumerate(examples))
    groups = groups_of(keys)
    if not groups:
        return
    copies = [place for group in groups for place in group[1:]]
    yield Finding(
        kind="duplicates",
        code="W_DUP",
        severity="worth a look",
        sentence=f"{counted(len(copies), 'picture is a copy', 'pictures are copies')} of others, pixel for pixel "
        "(exact duplicates): they count twice and teach nothing new.",
        count=len(copies),
        examples=most_telling(
            shown(examples[place], len(group), f"the same as {examples[group[0]].source}", examples[group[0]])
            for group in groups
            for place in group[1:]
        ),
        evidence="how often the picture occurs",
        fixes=(Fix("drop", (Remove(_sources(subject, copies)),)),),
    )


def find_near_duplicates(subject: Subject) -> Iterator[Finding]:
    """Pictures that look nearly the same, within one split and class: re-encoded, resized, cropped, or of one burst."""
    examples = subject.examples
    pairs = [pair for pair in subject.pairs if _is_one_kind(examples[pair.first], examples[pair.second])]
    if not pairs:
        return
    groups = chains(pairs)
    dropped = [place for group in groups for place in group if place != _best(subject, group)]
    is_many = len(dropped) > _MANY * len(examples)
    by_features = sum(pair.by == "features" for pair in pairs)
    how = "their features are nearly the same" if by_features == len(pairs) else "their perceptual hashes agree"
    yield Finding(
        kind="near-duplicates",
        code="W_NEAR_DUP",
        severity="worth a look" if is_many else "good to know",
        sentence=f"{counted(len(dropped), 'picture looks', 'pictures look')} nearly like another of the same class "
        f"(near-duplicates: {how}). They stay together when splits are made, but teach little new.",
        count=len(dropped),
        examples=pair_examples(subject, pairs),
        evidence="how alike the two are, 0 to 1",
        fixes=(Fix("drop", (Remove(_sources(subject, dropped)),), is_judgement=True),),
    )


def pair_examples(subject: Subject, pairs: list[Pair]) -> tuple[Shown, ...]:
    """The pairs as evidence, the most alike first."""
    return most_telling(
        shown(
            subject.examples[pair.second],
            pair.similarity,
            f"like {subject.examples[pair.first].source}{', mirrored' if pair.is_mirrored else ''}",
            subject.examples[pair.first],
        )
        for pair in pairs
    )


def _is_one_kind(one: Example, other: Example) -> bool:
    return one.split == other.split and one.labels == other.labels


def _best(subject: Subject, group: list[int]) -> int:
    """The one to keep: most pixels, then the largest file, then the first."""
    examples = subject.examples
    return max(group, key=lambda p: (examples[p].width * examples[p].height, examples[p].bytes, -p))


def _sources(subject: Subject, places: list[int]) -> tuple[str, ...]:
    return tuple(subject.examples[place].source for place in places)
