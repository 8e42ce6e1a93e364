"""`winnow suggest`: which pictures to label next, what they may be, and which labels look wrong."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    lines = example("winnow suggest clouds", "winnow suggest clouds --how wrong --most 20 > doubted.csv")
    app.command("suggest", epilog=lines)(_suggest)


def _suggest(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset's name.")],
    how: Annotated[
        str, typer.Option(help="useful (to label next), uncertain, typical, or wrong (labels that look so).")
    ] = "useful",
    most: Annotated[int, typer.Option(min=1, help="How many pictures.")] = 60,
    backbone: Annotated[str | None, typer.Option(help="A backbone's folder, or the name of one at hand.")] = None,
    seed: Annotated[int, typer.Option(help="Of draws and folds.")] = 0,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Suggest pictures to look at, best first, as CSV: a model that learns from the labels so far says why."""
    from winnow.api.suggesting import suggest
    from winnow.data.sources.tables.formulas import as_text

    found = suggest(name, how=how, most=most, backbone=backbone, seed=seed, workspace=workspace)
    if as_json:
        echo_json({"dataset": name, "how": how, "pictures": [one.to_json() for one in found]})
        return
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["source", "labels", "suggested", "probability"])
    for one in found:
        prob = "" if one.prob is None else f"{one.prob:.3f}"
        names = (one.source, "|".join(one.labels or ()), "|".join(one.suggested))
        table.writerow([*map(as_text, names), prob])
