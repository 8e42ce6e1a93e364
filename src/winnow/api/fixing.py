"""Fix: what a check found, mended as a new version; nothing is lost, and the version before can be restored."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winnow.api.dataset import Dataset, dataset_named, using
from winnow.api.health import check_dataset
from winnow.api.health_numbers import rows_alone
from winnow.data.edits import Edit, MergeClasses, MoveToSplit, Relabel, Remove, RemoveLabels
from winnow.data.health import FIXES, NEEDS_ROWS_ONLY
from winnow.data.health import check as find_all
from winnow.data.health.finding import Action, Finding, Fix, counted
from winnow.errors import UserError, did_you_mean
from winnow.events import Tell, tell_nobody
from winnow.workspace.workspace import Workspace


@dataclass(frozen=True)
class Fixed:
    """What a fix did, or would do.

    Attributes:
        dataset: its name.
        before: the version that was looked at.
        version: the new version; None where nothing was changed.
        parent: the version that it was made from: newer than `before` where others edited meanwhile.
        findings: those that were mended, or would be.
        edits: what changes.
        asks: why nothing was done although there is something to do, and what to type; "" otherwise.
    """

    dataset: str
    before: int
    version: int | None
    findings: tuple[Finding, ...]
    edits: tuple[Edit, ...]
    asks: str = ""
    parent: int | None = None

    @property
    def undo(self) -> str:
        """What to type to go back to what was there right before, with what others did meanwhile."""
        return shlex.join(["winnow", "restore", self.dataset, str(self.before if self.parent is None else self.parent)])

    def told(self) -> list[tuple[str, tuple[str, ...]]]:
        """What changes, in words: a heading and a line for each picture or class."""
        return [_told(edit) for edit in self.edits]

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "dataset": self.dataset,
            "before": self.before,
            "version": self.version,
            "mended": [{"kind": f.kind, "count": f.count, "sentence": f.sentence} for f in self.findings],
            "edits": [{"kind": edit.kind, **vars(edit)} for edit in self.edits],
            "asks": self.asks,
            "undo": self.undo if self.version is not None else None,
        }


def fix(
    dataset: str | Dataset,
    *,
    drop: Sequence[str] = (),
    move: Sequence[str] = (),
    relabel: Sequence[str] = (),
    merge: Sequence[str] = (),
    only: Sequence[str] = (),
    yes: bool = False,
    dry_run: bool = False,
    backbone: str | Path | None = None,
    seed: int = 0,
    workspace: str | Path | Workspace | None = None,
    tell: Tell = tell_nobody,
) -> Fixed:
    """Mend what `check` finds, as a new version.

    Args:
        dataset: its name, or a `Dataset`.
        drop: kinds of findings whose pictures are left out, such as "duplicates".
        move: kinds whose pictures go to another split: "leaks", "group-leaks".
        relabel: "label-errors": what the model is sure of becomes the label. Needs `yes` or `only`.
        merge: kinds whose classes become one: "similar-classes", "alike-classes".
        only: mend these pictures alone (by source); all if empty.
        yes: relabel all without having looked at each.
        dry_run: change nothing.
        backbone: as in `check`.
        seed: as in `check`.
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.
        tell: hears progress.

    Raises:
        UserError: nothing was asked for, or a kind that cannot be mended so.
        NotFoundError: no such dataset.
    """
    wanted: dict[Action, tuple[str, ...]] = {
        "drop": tuple(drop),
        "move": tuple(move),
        "relabel": tuple(relabel),
        "merge": tuple(merge),
    }
    _refuse_nonsense(wanted)
    with using(dataset.workspace if isinstance(dataset, Dataset) else workspace) as home:
        data = dataset if isinstance(dataset, Dataset) else dataset_named(home, dataset)
        kinds = {kind for some in wanted.values() for kind in some}
        if kinds <= NEEDS_ROWS_ONLY:
            findings = find_all(rows_alone(data))
        else:
            findings = check_dataset(data, backbone=backbone, seed=seed, tell=tell).findings
        mended = tuple(finding for finding in findings if _fixes(finding, wanted))
        edits = combined((edit for one in mended for edit in _fixes(one, wanted)), only)
        asks = ""
        if wanted["relabel"] and not yes and not only and any(isinstance(edit, Relabel) for edit in edits):
            asks = "Labels are not changed by a model's opinion alone: look at them, then add --yes, or --only PICTURE."
        version = parent = None
        if edits and not asks and not dry_run:
            record = home.edit(data.name, edits, expected_version=data.version)
            version, parent = record.number, record.parent
        return Fixed(data.name, data.version, version, mended, edits, asks, parent)


def mend(
    data: Dataset,
    finding: Finding,
    fix: Fix,
    *,
    only: Sequence[str] = (),
    dry_run: bool = False,
) -> Fixed:
    """Do one fix of one finding that a check of this version gave, as a new version.

    Args:
        data: the version that was checked.
        finding: one of `data.check().findings`.
        fix: one of `finding.fixes`.
        only: mend these pictures alone (by source); all if empty.
        dry_run: change nothing.

    Raises:
        ConflictError: somebody changed one of these pictures since.
        NotFoundError: a picture or class is not there any more.
        UserError: none of the pictures in `only` is concerned.
    """
    edits = combined(fix.edits, only)
    if not edits:
        raise UserError("Nothing would change: choose at least one of the pictures that were found.")
    version = parent = None
    if not dry_run:
        record = data.workspace.edit(data.name, edits, expected_version=data.version)
        version, parent = record.number, record.parent
    return Fixed(data.name, data.version, version, (finding,), edits, parent=parent)


def combined(edits: Iterable[Edit], only: Collection[str] = ()) -> tuple[Edit, ...]:
    """Edits of several findings as few that do not get in each other's way: what is left out is not changed before.

    Args:
        edits: of any number of fixes.
        only: the pictures that may be changed; all if empty. Merging classes changes no single picture.
    """
    merges: list[Edit] = []
    labels: dict[str, Any] = {}
    moved: dict[str, dict[str, None]] = {}
    removed: dict[str, None] = {}
    taken_off: dict[tuple[str, ...], dict[str, None]] = {}
    for edit in edits:
        match edit:
            case Remove():
                removed |= dict.fromkeys(edit.pictures)
            case RemoveLabels():
                taken_off.setdefault(tuple(edit.labels), {}).update(dict.fromkeys(edit.pictures))
            case MoveToSplit():
                moved.setdefault(edit.split, {}).update(dict.fromkeys(edit.pictures))
            case Relabel():
                labels |= edit.labels
            case MergeClasses():
                merges += [] if edit in merges else [edit]
            case _:
                raise ValueError(f"no finding is mended by {edit}")
    chosen = set(only)

    def kept(pictures: Iterable[str]) -> list[str]:
        return [one for one in pictures if not chosen or one in chosen]

    gone = kept(removed)
    relabelled = {one: labels[one] for one in kept(labels) if one not in removed}
    found: list[Edit] = [Relabel(relabelled)] if relabelled else []
    for names, pictures in taken_off.items():
        if some := [one for one in kept(pictures) if one not in removed]:
            found.append(RemoveLabels(some, names))
    found += merges
    for split, pictures in moved.items():
        if some := [one for one in kept(pictures) if one not in removed]:
            found.append(MoveToSplit(some, split))
    return (*found, Remove(gone)) if gone else tuple(found)


def _fixes(finding: Finding, wanted: Mapping[Action, Sequence[str]]) -> list[Edit]:
    return [edit for fix in finding.fixes if finding.kind in wanted[fix.action] for edit in fix.edits]


def _told(edit: Edit) -> tuple[str, tuple[str, ...]]:
    match edit:
        case Relabel():
            lines = tuple(f"{one}: {', '.join(labels or ()) or 'no class'}" for one, labels in edit.labels.items())
            return f"New labels for {counted(len(lines), 'picture')}", lines
        case MoveToSplit():
            return f"Moved to {edit.split}: {counted(len(edit.pictures), 'picture')}", tuple(edit.pictures)
        case RemoveLabels():
            named = ", ".join(f"'{label}'" for label in edit.labels)
            return f"{named} taken off: {counted(len(edit.pictures), 'picture')}", tuple(edit.pictures)
        case MergeClasses():
            return f"Merged into '{edit.into}'", tuple(edit.names)
        case _:
            return f"Left out: {counted(len(edit.pictures), 'picture')}", tuple(edit.pictures)


def _refuse_nonsense(wanted: Mapping[Action, Sequence[str]]) -> None:
    if not any(wanted.values()):
        raise UserError(
            "Say what to mend, such as --drop duplicates or --move leaks; `winnow check` shows what there is."
        )
    for action, kinds in wanted.items():
        for kind in kinds:
            if kind not in FIXES[action]:
                known = f"With --{action} go {', '.join(FIXES[action])}."
                hint = did_you_mean(kind, FIXES[action], otherwise=known)
                raise UserError(f"'{kind}' is nothing that can be mended with --{action}. {hint}")
