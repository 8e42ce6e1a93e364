"""`winnow import` and `winnow relink`: bring labelled pictures into the workspace, or say where they are now."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example

if TYPE_CHECKING:
    from winnow.api.dataset import Dataset

_REFUSED_SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("import", epilog=example("winnow import ./photos --name clouds", "winnow import labels.csv"))(_import)
    app.command("relink", epilog=example("winnow relink /mnt/old/photos /mnt/new/photos"))(_relink)


def _import(
    source: Annotated[
        str,
        typer.Argument(
            help="A folder, an archive, a table or an annotation file of any layout Winnow knows (docs: formats), "
            "a URL with --allow-urls, or 'digits'."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="What to call the dataset [default: after the source].")] = None,
    add: Annotated[bool, typer.Option("--add", help="Join the pictures to those the dataset has.")] = False,
    in_place: Annotated[
        bool, typer.Option("--in-place", help="Leave the files where they are; remember their places and contents.")
    ] = False,
    test_share: Annotated[
        float, typer.Option(help="Share of each class put aside for the test, unless the source has a test split.")
    ] = 0.2,
    split_by: Annotated[
        str,
        typer.Option(help="'random', or 'time': the newest are the test. Groups and near-duplicates stay together."),
    ] = "random",
    seed: Annotated[int, typer.Option(help="Draws the test split.")] = 0,
    path_column: Annotated[str | None, typer.Option(help="The table's column of paths.")] = None,
    label_column: Annotated[
        list[str] | None, typer.Option(help="The table's column of labels; repeated: columns of 0 and 1, one a class.")
    ] = None,
    split_column: Annotated[str | None, typer.Option(help="The table's column of splits.")] = None,
    group_column: Annotated[str | None, typer.Option(help="The table's column of groups (patients, videos).")] = None,
    weight_column: Annotated[str | None, typer.Option(help="The table's column of weights.")] = None,
    time_column: Annotated[str | None, typer.Option(help="The table's column of times.")] = None,
    allow_urls: Annotated[
        bool, typer.Option("--allow-urls", help="Fetch from the network what is given by URL.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring labelled pictures into the workspace as a new version of a dataset.

    Your files are only read. Importing the same files again changes nothing; broken off, it goes on where it was.
    """
    from winnow.api.loading import EXAMPLE, load
    from winnow.api.printing import Printer
    from winnow.data.paths import is_there
    from winnow.data.sources import open_source
    from winnow.data.sources.refused import AllRefusedError, Refused, RefusedSourceError

    if source != EXAMPLE and not is_there(source):
        open_source(source)  # "no such file": `load` would take the name of a dataset, too, and import nothing
    try:
        with Printer() as printer:
            dataset = load(
                source,
                name=name,
                workspace=workspace,
                add=add,
                in_place=in_place,
                test_share=test_share,
                split_by=split_by,
                seed=seed,
                path_column=path_column,
                label_column=label_column,
                split_column=split_column,
                group_column=group_column,
                weight_column=weight_column,
                time_column=time_column,
                allow_urls=allow_urls,
                tell=printer,
            )
    except RefusedSourceError as error:
        if as_json:
            lines = error.refused if isinstance(error, AllRefusedError) else [Refused(source, error.code, error.reason)]
            echo_json({"refused": [asdict(line) for line in lines]})
        raise
    if as_json:
        echo_json(facts_of(dataset))
    else:
        _show(dataset)


def _relink(
    old: Annotated[Path, typer.Argument(help="The folder in which the pictures were when they were imported.")],
    new: Annotated[Path, typer.Argument(help="The folder in which they are now.")],
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say where a folder is now whose pictures were imported with --in-place and that was moved."""
    from winnow.api.dataset import using
    from winnow.report.words import count

    with using(workspace) as opened:
        n = opened.blobs.relink(old, new)
    if as_json:
        echo_json({"old": str(old), "new": str(new.resolve()), "pictures": n})
    else:
        typer.echo(f"{count(n, 'picture')} of {old} {'is' if n == 1 else 'are'} read from {new.resolve()} now.")


def facts_of(dataset: Dataset) -> dict[str, Any]:
    """A dataset version as plain values."""
    return {
        "dataset": dataset.name,
        "version": dataset.version,
        "pictures": len(dataset),
        "task": dataset.manifest.task,
        "classes": dataset.counts(),
        "refused": [asdict(line) for line in dataset.refused],
        "noticed": [{"code": code, "pictures": n, "what": what} for code, n, what in _noticed(dataset)],
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
    for code, n, what in _noticed(dataset):
        typer.echo(f"{count(n, 'picture')} {what} ({code})")
    typer.echo(f"Next: winnow check {_quoted(dataset.name)}, then winnow train {_quoted(dataset.name)}")


def _noticed(dataset: Dataset) -> list[tuple[str, int, str]]:
    from winnow.data.codes import noticed

    return noticed(dataset.manifest.column("warnings"))


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)
