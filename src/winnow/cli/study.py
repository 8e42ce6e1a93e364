"""`winnow study`: is it true what the books say?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    examples = example("winnow study --list", "winnow study xor", "winnow study dropout --on clouds --out dropout.html")
    app.command("study", epilog=examples)(_study)


def _study(
    name: Annotated[str | None, typer.Argument(help="Of the study; without, they are listed.")] = None,
    is_list: Annotated[bool, typer.Option("--list", help="List the studies.")] = False,
    on: Annotated[str | None, typer.Option(help="A dataset's name, or files [default: the embedded digits].")] = None,
    seeds: Annotated[int | None, typer.Option(help="How many comparisons [default: the study's own].")] = None,
    out: Annotated[Path | None, typer.Option(help="Write it as .html, .svg or .json, too.")] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a claim of the books to the test: what is said, what is measured, whether it holds.

    Every study compares the same thing with and without, seed by seed, and ends in one sentence with a 95 % interval.
    """
    if name is None or is_list:
        _list(as_json)
        return
    from winnow.api.printing import Printer
    from winnow.api.studying import study

    with Printer() as printer:
        studied = study(name, on=on, seeds=seeds, workspace=workspace, tell=printer)
    written = None if out is None else studied.save(out)
    if as_json:
        echo_json(studied.to_json())
        return
    from rich.console import Console

    from winnow.report.study_text import study_summary

    Console(highlight=False).print(study_summary(studied.numbers))
    if written is not None:
        typer.echo(f"Written: {written}")


def _list(as_json: bool) -> None:
    from winnow.api.studying import studies

    known = studies()
    if as_json:
        echo_json(known)
        return
    width = max(len(str(one["name"])) for one in known)
    for one in known:
        typer.echo(f"{one['name']:{width}}  {one['claim']}")
