"""`winnow folds`: the same folds elsewhere as in a climb."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("folds", epilog=example("winnow folds clouds --folds 5 --repeats 3 > folds.csv"))(_folds)


def _folds(
    name: Annotated[str, typer.Argument(help="The dataset's name.")],
    folds: Annotated[int, typer.Option(help="How many folds.")] = 5,
    repeats: Annotated[int, typer.Option(help="How often they are dealt anew.")] = 1,
    seed: Annotated[int, typer.Option(help="Deals them.")] = 0,
    version: Annotated[int | None, typer.Option(help="An older version of the dataset.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deal a dataset into folds for cross-validation of your own, as CSV.

    Every class is spread evenly; near-duplicates and groups are never cut in two. Pictures of the test split and
    unlabelled ones are in none.
    """
    from winnow.api.dataset import dataset_named, using
    from winnow.data.sources.tables.formulas import as_text

    with using(workspace) as opened:
        dataset = dataset_named(opened, name, version)
        dealt = dataset.folds(folds, repeats=repeats, seed=seed).T.tolist()
        rows = [
            {"source": source, "content": content, **{f"fold_{i + 1}": fold for i, fold in enumerate(of_each)}}
            for source, content, of_each in zip(
                dataset.manifest.column("source"), dataset.manifest.column("content"), dealt, strict=True
            )
            if of_each[0] >= 0
        ]
    if as_json:
        echo_json({"dataset": name, "version": dataset.version, "folds": folds, "seed": seed, "pictures": rows})
        return
    table = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows({**row, "source": as_text(str(row["source"]))} for row in rows)
