"""Pictures in the training split whose copies judge the model: it remembers them, and its figure flatters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from winnow.data.edits import MoveToSplit, Remove
from winnow.data.health.finding import Finding, Fix, Shown, counted, most_telling, shown
from winnow.data.health.subject import Pair, Subject, chains, groups_of

# Who judges whom: what lies in a split must not have relatives in one after it.
_LONG = 100
_JUDGES_FIRST = ("test", "validation", "train")


def find_leaks(subject: Subject) -> Iterator[Finding]:
    """The same or nearly the same picture in two splits."""
    examples = subject.examples
    same = [Pair(group[0], place, 1.0) for group in subject.by_pixels for place in group[1:]]
    pairs = [*same, *subject.pairs]
    groups = [group for group in chains(pairs) if len({examples[place].split for place in group}) > 1]
    if not groups:
        return
    across = [pair for pair in pairs if examples[pair.first].split != examples[pair.second].split]
    exact = sum(examples[pair.first].pixels == examples[pair.second].pixels for pair in across)
    # In long chains of near-duplicates the ends have nothing to do with each other: there only direct copies count.
    short = [group for group in groups if len(group) <= _LONG]
    in_short = {place for group in short for place in group}
    direct = [[pair.first, pair.second] for pair in across if pair.first not in in_short]
    leaking = list(dict.fromkeys(_relatives(subject, [*short, *direct])))
    also = "also lies" if len(leaking) == 1 else "also lie"
    yield Finding(
        kind="leaks",
        code="W_LEAK",
        severity="serious",
        sentence=f"{counted(len(leaking), 'picture', 'pictures')} to learn from {also} in "
        f"a split that judges (leaks across splits; {exact} exact copies, {len(across) - exact} near ones): a model "
        "remembers them, and its figures will be better than the truth.",
        count=len(leaking),
        examples=most_telling(_as_leak(subject, pair) for pair in across),
        evidence="how alike the two are, 0 to 1",
        fixes=_fixes(subject, short, leaking),
    )


def find_group_leaks(subject: Subject) -> Iterator[Finding]:
    """A group (patient, burst, video) with members in two splits."""
    examples = subject.examples
    members = groups_of((place, e.group) for place, e in enumerate(examples) if e.group is not None)
    groups = [group for group in members if len({examples[place].split for place in group}) > 1]
    if not groups:
        return
    yield Finding(
        kind="group-leaks",
        code="W_LEAK_GROUP",
        severity="serious",
        sentence=f"{counted(len(groups), 'group lies', 'groups lie')} in two splits, such as "
        f"'{examples[groups[0][0]].group}' (group leaks): a model that knows one picture of a group knows more than "
        "it will of new ones, and its figures flatter.",
        count=len(groups),
        examples=most_telling(
            shown(examples[group[0]], len(group), f"group {examples[group[0]].group}") for group in groups
        ),
        evidence="pictures of the group",
        fixes=_fixes(subject, groups, _relatives(subject, groups)),
    )


def _as_leak(subject: Subject, pair: Pair) -> Shown:
    one, other = subject.examples[pair.first], subject.examples[pair.second]
    if _JUDGES_FIRST.index(one.split) > _JUDGES_FIRST.index(other.split):
        one, other = other, one
    return shown(other, pair.similarity, f"in {other.split}; {one.source} is in {one.split}", one)


def _relatives(subject: Subject, groups: Sequence[Sequence[int]]) -> list[int]:
    """Members that do not lie in the group's first judging split: without them nothing leaks."""
    left: list[int] = []
    for group in groups:
        home = min((subject.examples[place].split for place in group), key=_JUDGES_FIRST.index)
        left += [place for place in group if subject.examples[place].split != home]
    return left


def _fixes(subject: Subject, groups: Sequence[Sequence[int]], leaking: Sequence[int]) -> tuple[Fix, ...]:
    """Move every group to one split; or drop what leaks, which leaves the judging splits as they are."""
    examples = subject.examples
    moved: dict[str, list[str]] = {}
    for group in groups:
        splits = [examples[place].split for place in group]
        # Where most of it lies; of equals where learning happens, so that no judge sees what was learned from.
        home = max(reversed(_JUDGES_FIRST), key=splits.count)
        moved.setdefault(home, []).extend(examples[place].source for place in group if examples[place].split != home)
    move = Fix("move", tuple(MoveToSplit(tuple(sources), split) for split, sources in moved.items()))
    drop = Fix("drop", (Remove(tuple(examples[place].source for place in leaking)),))
    is_theirs = any(examples[place].split_by == "user" for group in groups for place in group)
    if not moved or is_theirs:
        return (drop, move) if moved else (drop,)
    return move, drop
