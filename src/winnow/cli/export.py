"""`winnow export`: write a dataset in a format that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example

if TYPE_CHECKING:
    from winnow.api.exporting import Exported


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    examples = example("winnow export clouds --to coco --out ./clouds-coco", "winnow export clouds --to zip")
    app.command("export", epilog=examples)(_export)


def _export(
    name: Annotated[str, typer.Argument(help="The dataset's name.")],
    to: Annotated[
        str,
        typer.Option(
            help="folders (one for each class), csv (a table beside the pictures), coco (JSON with boxes), parquet "
            "(for Hugging Face datasets) or zip."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="A new folder, or file for a zip [default: NAME-FORMAT, here].")
    ] = None,
    version: Annotated[int | None, typer.Option(help="An older version of the dataset.")] = None,
    split: Annotated[str | None, typer.Option(help="Only train, validation or test.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a dataset for other programs: its pictures as they are, their labels and splits.

    Nothing is overwritten, and what a format cannot hold is told. `winnow import` reads it back.
    """
    from winnow.api.exporting import export
    from winnow.api.printing import Printer

    with Printer() as printer:
        exported = export(name, to=to, out=out, version=version, split=split, workspace=workspace, tell=printer)
    if as_json:
        echo_json(_facts(exported))
        return
    from winnow.report.words import count, printable, size

    what = f"{count(exported.pictures, 'picture')}, {size(exported.bytes)}"
    where = printable(str(exported.path))
    typer.echo(f"{exported.dataset}, version {exported.version}: {what}, as {exported.format} in {where}")


def _facts(exported: Exported) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(exported), "path": str(exported.path)}
