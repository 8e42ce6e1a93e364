"""What a person can change in a dataset, as small facts that can be stored, replayed and told in a sentence.

An edit names pictures, not rows: by source (`Example.source`), or by the SHA-256 of the file. So it means the same on
any later version, and edits of different pictures never get in each other's way.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from winnow.data.class_names import class_name
from winnow.data.draft import Draft
from winnow.data.manifest import Manifest
from winnow.data.sources.source import label_text, split_named
from winnow.errors import NotFoundError, UserError, did_you_mean

_SHOWN = 60
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Relabel:
    """Give pictures other labels; None takes the label off, () says that no class applies.

    Attributes:
        labels: by picture; a text is one label.
    """

    kind: ClassVar[str] = "relabel"
    labels: Mapping[str, str | Sequence[str] | None]

    def __post_init__(self) -> None:
        _some(self.labels)
        object.__setattr__(self, "labels", {picture: _labels(labels) for picture, labels in self.labels.items()})

    @property
    def pictures(self) -> tuple[str, ...]:
        """The pictures it names."""
        return tuple(self.labels)

    def apply(self, draft: Draft) -> str:
        """Do it, and say what was done."""
        for picture, labels in self.labels.items():
            for row in draft.rows(picture):
                draft.put("labels", row, labels)
        different = set(self.labels.values())
        who = _named(tuple(self.labels))
        if len(different) > 1:
            return f"relabelled {who}"
        (labels,) = different
        if labels is None:
            return f"took the label off {who}"
        return f"relabelled {who} as {_quoted(labels) if labels else 'none of the classes'}"


@dataclass(frozen=True)
class AddLabels:
    """Give pictures more labels, beside those they have."""

    kind: ClassVar[str] = "add-labels"
    pictures: Sequence[str]
    labels: Sequence[str]

    def __post_init__(self) -> None:
        _normalise(self, "pictures", "labels")

    def apply(self, draft: Draft) -> str:
        """Do it, and say what was done."""
        for row in draft.rows_of(self.pictures):
            draft.put("labels", row, tuple(dict.fromkeys((*(draft.value("labels", row) or ()), *self.labels))))
        return f"added {_quoted(self.labels)} to {_named(self.pictures)}"


@dataclass(frozen=True)
class RemoveLabels:
    """Take some labels off pictures. Where a picture has one class, it is unlabelled then."""

    kind: ClassVar[str] = "remove-labels"
    pictures: Sequence[str]
    labels: Sequence[str]

    def __post_init__(self) -> None:
        _normalise(self, "pictures", "labels")

    def apply(self, draft: Draft) -> str:
        """Do it, and say what was done."""
        for row in draft.rows_of(self.pictures):
            before = draft.value("labels", row)
            if before is not None:
                left = tuple(label for label in before if label not in self.labels)
                draft.put("labels", row, left if left or draft.task == "multilabel" else None)
        return f"took {_quoted(self.labels)} off {_named(self.pictures)}"


@dataclass(frozen=True)
class Remove:
    """Leave pictures out from now on; older versions keep them, and no file is deleted."""

    kind: ClassVar[str] = "remove"
    pictures: Sequence[str]

    def __post_init__(self) -> None:
        _normalise(self, "pictures")

    def apply(self, draft: Draft) -> str:
        """Do it, and say what was done."""
        for row in draft.rows_of(self.pictures):
            draft.remove(row)
        if not len(draft):
            raise UserError("Nothing would be left: keep some pictures, or remove the dataset with winnow rm.")
        return f"removed {_named(self.pictures)}"


@dataclass(frozen=True)
class MergeClasses:
    """Make one class out of several, such as "Cat", "CAT" and "cat"; labels of boxes too."""

    kind: ClassVar[str] = "merge"
    pictures: ClassVar[tuple[str, ...]] = ()
    names: Sequence[str]
    into: str

    def __post_init__(self) -> None:
        _normalise(self, "names")
        object.__setattr__(self, "into", _label(self.into))

    def apply(self, draft: Draft) -> str:
        """Do it, and say what was done."""
        merged = [name for name in self.names if name != self.into]
        if not merged:
            raise UserError(f"The class '{self.into}' cannot be merged into itself: name the other spellings.")
        _require_classes(draft, merged)
        return f"merged {_quoted(merged)} into '{self.into}': {_pictures(_replace_class(draft, merged, self.into))}"


@dataclass(frozen=True)
class RenameClass:
    """Give a class a name that no other class has; labels of boxes too."""

    kind: ClassVar[str] = "rename"
    pictures: ClassVar[tuple[str, ...]] = ()
    old: str
    new: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "old", _label(self.old))
        object.__setattr__(self, "new", _label(self.new))

    def apply(self, draft: Draft) -> str:
        """Do it, and say what was done."""
        _require_classes(draft, [self.old])
        if draft.class_counts[self.new] > 0:
            raise UserError(f"There is a class '{self.new}' already: merge the two instead (winnow merge).")
        return f"renamed '{self.old}' to '{self.new}': {_pictures(_replace_class(draft, [self.old], self.new))}"


@dataclass(frozen=True)
class MoveToSplit:
    """Put pictures into another split; copies with the same pixels go along, or they would leak into it."""

    kind: ClassVar[str] = "move"
    pictures: Sequence[str]
    split: str

    def __post_init__(self) -> None:
        _normalise(self, "pictures")
        known = split_named(self.split)
        if known is None:
            hint = did_you_mean(self.split, _SPLITS, otherwise=f"The splits are {', '.join(_SPLITS)}.")
            raise UserError(f"There is no split '{self.split}'. {hint}")
        object.__setattr__(self, "split", known)

    def apply(self, draft: Draft) -> str:
        """Do it, and say what was done."""
        named = draft.rows_of(self.pictures)
        rows = draft.copies_of(named)
        for row in rows:
            draft.put("split", row, self.split)
            draft.put("split_by", row, "user")
        said = f"moved {_named(self.pictures)} to {self.split}"
        if more := len(rows) - len(named):
            said += f", with {more} {'copy' if more == 1 else 'copies'} of the same pixels"
        if cut := _groups_outside(draft, rows, self.split):
            said += f"; {_counted(len(cut), 'group')} now in two splits, which may flatter figures"
        return said


@dataclass(frozen=True)
class SetGroup:
    """Say what pictures belong together with (a patient, a burst); None: nothing."""

    kind: ClassVar[str] = "group"
    pictures: Sequence[str]
    group: str | None

    def __post_init__(self) -> None:
        _normalise(self, "pictures")
        object.__setattr__(self, "group", label_text(self.group))

    def apply(self, draft: Draft) -> str:
        """Do it, and say what was done."""
        for row in draft.rows_of(self.pictures):
            draft.put("group", row, self.group)
        where = "took {} out of their group" if self.group is None else "put {} into the group '" + self.group + "'"
        return where.format(_named(self.pictures))


Edit = Relabel | AddLabels | RemoveLabels | Remove | MergeClasses | RenameClass | MoveToSplit | SetGroup

EDITS: dict[str, type[Edit]] = {
    kind.kind: kind
    for kind in (Relabel, AddLabels, RemoveLabels, Remove, MergeClasses, RenameClass, MoveToSplit, SetGroup)
}


def apply_all(edits: Sequence[Edit], draft: Draft) -> str:
    """Apply edits one after the other, all or none, and say what was done.

    Raises:
        NotFoundError: a picture or class that one names is not there (at that point).
        UserError: one makes no sense on this dataset.
    """
    was = draft.task
    with draft.attempt():
        said = [edit.apply(draft) for edit in edits]
    if draft.task != was:
        said.append("pictures may have several classes from now on")
    return "; ".join(said)


def edited(manifest: Manifest, edits: Sequence[Edit]) -> tuple[Manifest, str]:
    """The manifest that these edits make of another one, and what they did.

    Raises:
        NotFoundError: a picture or class that one names is not there.
        UserError: one makes no sense.
    """
    draft = Draft(manifest)
    said = apply_all(edits, draft)
    return draft.manifest({**manifest.provenance, "what": said}), said


def to_json(edits: Sequence[Edit]) -> str:
    """Edits as JSON text."""
    facts = [{"kind": edit.kind, **_plain(edit)} for edit in edits]
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> tuple[Edit, ...]:
    """The edits that `to_json` wrote.

    Raises:
        UserError: one is of a kind that this Winnow does not know.
    """
    edits: list[Edit] = []
    for facts in json.loads(text):
        kind = facts.pop("kind")
        if kind not in EDITS:
            raise UserError(f"An edit of the kind '{kind}' was made by a newer Winnow: pip install --upgrade winnow.")
        edits.append(EDITS[kind](**facts))
    return tuple(edits)


def _plain(edit: Edit) -> dict[str, Any]:
    return {field.name: getattr(edit, field.name) for field in dataclasses.fields(edit)}


def _normalise(edit: Edit, *fields: str) -> None:
    """Texts in a list become a tuple without repetitions; one bare text is a list of one."""
    for name in fields:
        given = getattr(edit, name)
        texts: Iterable[str] = (given,) if isinstance(given, str) else given
        clean = tuple(dict.fromkeys(text if name == "pictures" else _label(text) for text in texts))
        _some(clean)
        object.__setattr__(edit, name, clean)


def _some(given: Mapping[str, Any] | Sequence[str]) -> None:
    if not given:
        raise UserError("Nothing was named that should change: give at least one picture or class.")


def _label(given: str) -> str:
    label = label_text(given)
    if label is None:
        raise UserError("A label is empty; give a class name.")
    return class_name(label)[0]


def _labels(given: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    texts = (given,) if isinstance(given, str) else given
    return tuple(dict.fromkeys(_label(text) for text in texts))


def _require_classes(draft: Draft, names: Sequence[str]) -> None:
    for name in names:
        if draft.class_counts[name] <= 0:
            known = (
                f"The classes are {_quoted(draft.classes[:10])}." if draft.classes else "No picture has a label now."
            )
            hint = did_you_mean(name, draft.classes, otherwise=known)
            raise NotFoundError(f"There is no class '{name}'. {hint}")


def _replace_class(draft: Draft, names: Sequence[str], into: str) -> int:
    """Replace class names by another one; gives how many pictures had one of them."""
    gone = set(names)
    count = 0
    for row, labels in list(draft.values("labels")):
        if labels is not None and not gone.isdisjoint(labels):
            draft.put("labels", row, tuple(dict.fromkeys(into if one in gone else one for one in labels)))
            count += 1
    for row in draft.rows_with_boxes(gone):
        boxes = [{**box, "label": into if box["label"] in gone else box["label"]} for box in draft.value("boxes", row)]
        draft.put("boxes", row, boxes)
    return count


def _groups_outside(draft: Draft, rows: Sequence[int], split: str) -> set[str]:
    """The groups of these rows that have members outside `split`."""
    groups: set[str] = {draft.value("group", row) for row in rows} - {None}
    if not groups:
        return groups
    splits = dict(draft.values("split"))
    return {group for row, group in draft.values("group") if group in groups and splits[row] != split}


def _named(pictures: Sequence[str]) -> str:
    if len(pictures) != 1:
        return _pictures(len(pictures))
    (one,) = pictures
    return f"'{one if len(one) <= _SHOWN else '...' + one[-_SHOWN:]}'"


def _pictures(count: int) -> str:
    return _counted(count, "picture")


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _quoted(names: Iterable[str]) -> str:
    *most, last = [f"'{name}'" for name in names]
    return f"{', '.join(most)} and {last}" if most else last
