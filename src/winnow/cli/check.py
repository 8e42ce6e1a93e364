"""`winnow check` and `winnow fix`: what is wrong with a dataset, and mending it as a new version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example

if TYPE_CHECKING:
    from winnow.api.fixing import Fixed

_SHOWN = 10

_Backbone = Annotated[
    str | None, typer.Option(help="A backbone's folder or name, or none [default: the first at hand].")
]
_Seed = Annotated[int, typer.Option(help="Of the folds.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("check", epilog=example("winnow check clouds", "winnow check ./photos --html check.html"))(_check)
    app.command(
        "fix",
        epilog=example(
            "winnow fix clouds --drop duplicates,blank",
            "winnow fix clouds --move leaks --dry-run",
            "winnow fix clouds --relabel label-errors --only sky/7.jpg",
        ),
    )(_fix)


def _check(
    source: Annotated[str, typer.Argument(help="A dataset's name; or files, which are looked at and not kept.")],
    html: Annotated[Path | None, typer.Option(help="Write a page with the pictures, too.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Leave with 3 if something serious was found.")] = False,
    backbone: _Backbone = None,
    seed: _Seed = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what is wrong with the data, how bad it is, and what mends it.

    Copies, leaks between splits, conflicting and probably wrong labels, shortcuts, classes that look or are written
    alike, odd pictures, personal metadata. Nothing is changed.
    """
    from winnow.api.health import check
    from winnow.api.printing import Printer

    with Printer() as printer:
        health = check(source, backbone=backbone, seed=seed, workspace=workspace, tell=printer)
        page = None if html is None else health.save(html)
    if as_json:
        echo_json(health.to_json())
    else:
        from rich.console import Console

        from winnow.report.health_text import health_summary

        Console(highlight=False).print(health_summary(health.numbers))
        if page is not None:
            typer.echo(f"Page: {page}")
    if strict and health.is_serious:
        raise typer.Exit(3)


def _fix(
    dataset: Annotated[str, typer.Argument(help="The dataset's name.")],
    drop: Annotated[
        list[str] | None, typer.Option(help="Leave out pictures: duplicates, blank, leaks, blurred ...")
    ] = None,
    move: Annotated[list[str] | None, typer.Option(help="Move pictures to another split: leaks, group-leaks.")] = None,
    relabel: Annotated[list[str] | None, typer.Option(help="Change labels: label-errors.")] = None,
    merge: Annotated[
        list[str] | None, typer.Option(help="Make one class of several: similar-classes, alike-classes.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(help="Mend this picture alone; may be repeated.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Relabel without having looked at each.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")] = False,
    backbone: _Backbone = None,
    seed: _Seed = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mend what `winnow check` finds, as a new version; `winnow restore` goes back.

    Several kinds are separated by commas. No file is deleted, and older versions keep everything.
    """
    from winnow.api.fixing import fix
    from winnow.api.printing import Printer

    with Printer() as printer:
        fixed = fix(
            dataset,
            drop=_split(drop),
            move=_split(move),
            relabel=_split(relabel),
            merge=_split(merge),
            only=only or (),
            yes=yes,
            dry_run=dry_run,
            backbone=backbone,
            seed=seed,
            workspace=workspace,
            tell=printer,
        )
    if as_json:
        echo_json(fixed.to_json())
    else:
        _show(fixed)


def _split(given: list[str] | None) -> list[str]:
    return [kind.strip() for text in given or () for kind in text.split(",") if kind.strip()]


def _show(fixed: Fixed) -> None:
    from winnow.report.words import printable

    if not fixed.edits and fixed.findings:
        typer.echo(
            f"Nothing to mend in {fixed.dataset}, version {fixed.before}: the pictures named by --only are not "
            "among those found (name them as `winnow check` does), or a fix would not touch them."
        )
        return
    if not fixed.edits:
        typer.echo(f"Nothing to mend in {fixed.dataset}, version {fixed.before}: no such finding.")
        return
    for done, lines in fixed.told():
        typer.echo(f"{done}:")
        for line in lines[:_SHOWN]:
            typer.echo(f"  {printable(line)}")
        if len(lines) > _SHOWN:
            typer.echo(f"  ... and {len(lines) - _SHOWN} more; --json lists all")
    if fixed.version is None:
        typer.echo(fixed.asks or "Nothing was changed (--dry-run).")
    else:
        typer.echo(f"{fixed.dataset}, version {fixed.version}. To go back: {fixed.undo}")
