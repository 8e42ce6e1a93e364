"""`winnow import`: bring labelled pictures into the workspace."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example

if TYPE_CHECKING:
    from winnow.api.dataset import Dataset

_REFUSED_SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog=example("winnow import ./photos --name clouds", "winnow import labels.csv"))(_import)


def _import(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder of class folders, a zip of it, a CSV of paths and labels, MNIST's files, or 'digits'."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What to call the dataset [default: after the source].")] = None,
    test_share: Annotated[
        float, typer.Option(help="Share of each class put aside for the test, unless the source has a test split.")
    ] = 0.2,
    seed: Annotated[int, typer.Option(help="Draws the test split.")] = 0,
    path_column: Annotated[str | None, typer.Option(help="The table's column of paths.")] = None,
    label_column: Annotated[str | None, typer.Option(help="The table's column of labels.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Copy labelled pictures into the workspace as a new version of a dataset.

    Your files are only read. Importing the same files again changes nothing.
    """
    from winnow.api.loading import load
    from winnow.api.printing import Printer

    with Printer() as printer:
        dataset = load(
            source,
            name=name,
            workspace=workspace,
            test_share=test_share,
            seed=seed,
            path_column=path_column,
            label_column=label_column,
            tell=printer,
        )
    if as_json:
        echo_json(facts_of(dataset))
    else:
        _show(dataset)


def facts_of(dataset: Dataset) -> dict[str, Any]:
    """A dataset version as plain values."""
    return {
        "dataset": dataset.name,
        "version": dataset.version,
        "pictures": len(dataset),
        "classes": dataset.counts(),
        "refused": [{"source": r.source, "code": r.code, "reason": r.reason} for r in dataset.refused],
        "notes": [asdict(note) for note in dataset.notes],
    }


def _show(dataset: Dataset) -> None:
    from winnow.report.words import count, printable

    typer.echo(
        f"{dataset.name}, version {dataset.version}: {count(len(dataset), 'picture')} "
        f"of {count(len(dataset.classes), 'class', 'classes')}"
    )
    for label, by_split in dataset.counts().items():
        splits = ", ".join(f"{n} {split}" for split, n in by_split.items())
        typer.echo(f"  {printable(label)}: {splits}")
    if dataset.refused:
        typer.echo(f"Left out: {count(len(dataset.refused), 'file')}")
        for refused in dataset.refused[:_REFUSED_SHOWN]:
            typer.echo(f"  {printable(refused.source)}: {refused.reason} ({refused.code})")
        if len(dataset.refused) > _REFUSED_SHOWN:
            typer.echo(f"  ... and {len(dataset.refused) - _REFUSED_SHOWN} more; --json lists all")
    typer.echo(f"Next: winnow train {_quoted(dataset.name)}")


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
