"""`winnow compare`: which of two models is better, on the same pictures."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare", epilog=example("winnow compare clouds@1 clouds@2"))(_compare)


def _compare(
    model_a: Annotated[str, typer.Argument(metavar="A", help="A model's name or folder.")],
    model_b: Annotated[str, typer.Argument(metavar="B", help="Another one, of the same dataset.")],
    on: Annotated[
        Literal["test", "judged"] | None,
        typer.Option(help="What to compare on [default: the test split if both have opened it, else judged]."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether one of two models is shown to be better, on the pictures that both answered.

    "judged" are the pictures that both climbs judged, each by a model that had not seen it. Nothing is opened.
    """
    from winnow.api.comparing import compare

    found = compare(model_a, model_b, on=on, workspace=workspace)
    if as_json:
        echo_json(found.as_dict())
        return
    from rich.console import Console

    Console(highlight=False).print(found.as_text())
