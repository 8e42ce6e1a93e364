"""`winnow relabel`, `drop`, `move`, `merge`, `rename`, `log`, `diff`, `undo`, `restore`: change a dataset, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example
from winnow.errors import UserError

if TYPE_CHECKING:
    from winnow.data.differences import Differences
    from winnow.data.edits import Edit
    from winnow.workspace.records import VersionRecord
    from winnow.workspace.workspace import Workspace

_SHOWN = 10

_Name = Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name.")]
_Pictures = Annotated[
    list[str], typer.Argument(metavar="PICTURE...", help="Pictures: as in the dataset, as files, or by SHA-256.")
]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    relabelling = example(
        "winnow relabel clouds sky/7.jpg --label cirrus", "winnow relabel clouds --from-csv labels.csv"
    )
    app.command("relabel", epilog=relabelling)(_relabel)
    app.command("drop", epilog=example("winnow drop clouds sky/7.jpg sky/8.jpg"))(_drop)
    app.command("move", epilog=example("winnow move clouds sky/7.jpg --split test"))(_move)
    app.command("merge", epilog=example("winnow merge clouds Cirrus CIRRUS --into cirrus"))(_merge)
    app.command("rename", epilog=example("winnow rename clouds cirus cirrus"))(_rename)
    app.command("log", epilog=example("winnow log clouds"))(_log)
    app.command("diff", epilog=example("winnow diff clouds 3 5"))(_diff)
    app.command("undo", epilog=example("winnow undo clouds 3"))(_undo)
    app.command("restore", epilog=example("winnow restore clouds 3"))(_restore)


def _relabel(
    name: _Name,
    pictures: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PICTURE...]", help="Pictures: as in the dataset, as files, or by SHA-256."),
    ] = None,
    label: Annotated[list[str] | None, typer.Option(help="The new label; several where pictures have several.")] = None,
    from_csv: Annotated[Path | None, typer.Option(help="A CSV of source,label, one label a row.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give pictures another label: a new version of the dataset."""
    if (from_csv is None) == (not pictures) or (from_csv is None) == (not label):
        raise UserError("Say which pictures and their new --label, or give both in a table: --from-csv FILE.")
    from winnow.api.dataset import using
    from winnow.api.versions import labels_as_exported, labels_from_csv, named_pictures, one_label_each
    from winnow.data.edits import Relabel

    with using(workspace) as opened:
        if from_csv is None:
            labels: Any = dict.fromkeys(named_pictures(opened, name, pictures or ()), label)
        else:
            labels = labels_as_exported(opened, name, labels_from_csv(from_csv))
            one_label_each(labels, opened.manifest(name).task)
        _edit(opened, name, [Relabel(labels)], as_json)


def _drop(name: _Name, pictures: _Pictures, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Leave pictures out: a new version without them. No file is deleted, and older versions keep them."""
    from winnow.api.dataset import using
    from winnow.api.versions import named_pictures
    from winnow.data.edits import Remove

    with using(workspace) as opened:
        _edit(opened, name, [Remove(named_pictures(opened, name, pictures))], as_json)


def _move(
    name: _Name,
    pictures: _Pictures,
    split: Annotated[str, typer.Option(help="train, validation or test.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put pictures into another split: a new version. Exact copies go along, or they would leak."""
    from winnow.api.dataset import using
    from winnow.api.versions import named_pictures
    from winnow.data.edits import MoveToSplit

    with using(workspace) as opened:
        _edit(opened, name, [MoveToSplit(named_pictures(opened, name, pictures), split)], as_json)


def _merge(
    name: _Name,
    classes: Annotated[list[str], typer.Argument(metavar="CLASS...", help="The classes to merge.")],
    into: Annotated[str, typer.Option(help="What the one class is called then.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make one class out of several: a new version of the dataset."""
    from winnow.api.dataset import using
    from winnow.data.edits import MergeClasses

    with using(workspace) as opened:
        _edit(opened, name, [MergeClasses(classes, into)], as_json)


def _rename(
    name: _Name,
    old: Annotated[str, typer.Argument(help="What the class is called.")],
    new: Annotated[str, typer.Argument(help="What it should be called.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a class another name: a new version of the dataset."""
    from winnow.api.dataset import using
    from winnow.data.edits import RenameClass

    with using(workspace) as opened:
        _edit(opened, name, [RenameClass(old, new)], as_json)


def _log(
    name: _Name,
    limit: Annotated[int, typer.Option(min=1, help="Show so many, the newest first.")] = 20,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what was done to a dataset, when and by whom."""
    from winnow.api.dataset import using
    from winnow.api.versions import event_facts

    with using(workspace) as opened:
        records = opened.versions(name)[::-1]
    if as_json:
        echo_json([event_facts(record) for record in records[:limit]])
        return
    from winnow.report.words import count, printable

    for record in records[:limit]:
        who = f"  {printable(record.who)}" if record.who else ""
        typer.echo(f"version {record.number}  {record.created}{who}  {printable(record.what)}")
    if len(records) > limit:
        typer.echo(f"... and {count(len(records) - limit, 'older version')}; --limit {len(records)} shows all")


def _diff(
    name: _Name,
    before: Annotated[int, typer.Argument(help="A version's number.")],
    after: Annotated[int | None, typer.Argument(help="Another one [default: the newest].", show_default=False)] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what leads from one version of a dataset to another."""
    from winnow.api.dataset import using
    from winnow.api.versions import difference_facts
    from winnow.data.differences import differences

    with using(workspace) as opened:
        one, other = opened.find_version(name, before), opened.find_version(name, after)
        found = differences(opened.manifest(name, one.number), opened.manifest(name, other.number))
    if as_json:
        echo_json({"dataset": one.dataset, "before": one.number, "after": other.number, **difference_facts(found)})
    else:
        _show_differences(one, other, found)


def _undo(
    name: _Name,
    version: Annotated[int, typer.Argument(help="The version that the edit made.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take one edit back, as a new version: what was done to the same pictures since stays."""
    from winnow.api.dataset import using
    from winnow.api.labelling import take_back

    with using(workspace) as opened:
        _say_done(take_back(opened, name, version), as_json)


def _restore(
    name: _Name,
    version: Annotated[int, typer.Argument(help="The version to go back to.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Go back to an older version, as a new version: nothing in between is lost."""
    from winnow.api.dataset import using

    with using(workspace) as opened:
        before = opened.find_version(name)
        record = opened.restore(name, version)
    if record.number > before.number:
        _say_done(record, as_json)
    elif as_json:
        from winnow.api.versions import event_facts

        echo_json({**event_facts(record), "undo": None})
    else:
        typer.echo(f"{record.dataset} is at version {record.number} already: nothing to restore.")


def _edit(workspace: Workspace, name: str, edits: Sequence[Edit], as_json: bool) -> None:
    _say_done(workspace.edit(name, edits), as_json)


def _say_done(record: VersionRecord, as_json: bool) -> None:
    import shlex

    from winnow.api.versions import event_facts

    undo = f"winnow restore {shlex.quote(record.dataset)} {record.parent}"
    if as_json:
        echo_json({**event_facts(record), "undo": undo})
        return
    from winnow.report.words import printable

    typer.echo(f"{record.dataset}, version {record.number}: {printable(record.what)}")
    typer.echo(f"Undo: {undo}")


def _show_differences(one: VersionRecord, other: VersionRecord, found: Differences) -> None:
    from winnow.data.differences import Change
    from winnow.report.words import number, printable

    counts = ", ".join(f"{number(count)} {part}" for part, count in found.counts.items() if count)
    typer.echo(f"{one.dataset}, from version {one.number} to {other.number}: {counts or 'no difference'}")
    for part, count in found.counts.items():
        for item in getattr(found, part)[:_SHOWN]:
            told = f"{item.source}: {_said(item.before)} → {_said(item.after)}" if isinstance(item, Change) else item
            typer.echo(f"  {part}: {printable(told)}")
        if count > _SHOWN:
            typer.echo(f"  {part}: ... and {number(count - _SHOWN)} more; --json lists all")


def _said(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return " + ".join(value) or "no class"
    return str(value)[:16]  # of a file's SHA-256, the start will do
