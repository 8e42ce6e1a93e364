"""`winnow evaluate`: what a model is worth, on its test split or on other labelled pictures."""

from __future__ import annotations

from typing import Annotated

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("evaluate", epilog=example("winnow evaluate clouds", "winnow evaluate clouds ./new-photos"))(_evaluate)


def _evaluate(
    model: Annotated[str, typer.Argument(help="A model's name or folder.")],
    source: Annotated[
        str | None, typer.Argument(help="Other labelled pictures [default: the dataset's test split].")
    ] = None,
    per_class: Annotated[bool, typer.Option("--per-class", help="Show every class.")] = False,
    confusion: Annotated[bool, typer.Option("--confusion", help="Show which class is taken for which.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a model is worth, with intervals.

    Without SOURCE: its report; a test split that it has not looked at yet is opened, and the opening is counted.
    With SOURCE: measured on those pictures, which are only read.
    """
    from winnow.api.evaluation import evaluate
    from winnow.api.printing import Printer

    with Printer() as printer:
        found = evaluate(model, source, workspace=workspace, tell=printer)
    if as_json:
        echo_json(found.as_dict())
        return
    from rich.console import Console

    from winnow.report.text import confusion_table, per_class_table

    console = Console(highlight=False)
    console.print(found.as_text())
    evaluation = found.judgement.evaluation
    if per_class:
        console.print(per_class_table(evaluation))
    if confusion:
        console.print(confusion_table(evaluation))
