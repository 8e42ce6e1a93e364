"""`winnow verify`: whether a model, or an export, is, file by file, what its maker signed."""

from __future__ import annotations

from typing import Annotated

import typer

from winnow.cli.exits import exit_code_of
from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example
from winnow.errors import BadDataError

_MARKS = {"holds": "ok     ", "broken": "BROKEN ", "unknown": "unknown"}


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "winnow verify clouds",
        "winnow verify ./clouds-standalone",
        "winnow verify ./clouds-from-ana --key 9f86d081884c7d659a2feaa0c55ad015",
    )
    app.command("verify", epilog=examples)(_verify)


def _verify(
    model: Annotated[str, typer.Argument(help="A model's name or folder, or the folder of an export.")],
    key: Annotated[
        str | None,
        typer.Option(help="The maker's key, if it is not this workspace's: its fingerprint, or a file that holds it."),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that a model's files come, unchanged, from the climb and the dataset version that it names.

    Of an export, also that every file is named by its proof, and that the proof is of that model.

    Nothing of the model is run. Leaves with 3 unless all holds and the key is known.
    """
    from winnow.api.verifying import verify
    from winnow.report.words import printable

    found = verify(model, key=key, workspace=workspace)
    if as_json:
        echo_json(found.as_dict())
    else:
        for link in found.links:
            typer.echo(f"{_MARKS[link.state]}  {link.name:<9}  {printable(link.sentence)}")
        typer.echo(f"{printable(str(found.folder))}: {'proven' if found.is_proven else 'NOT proven'}")
    if not found.is_proven:
        raise typer.Exit(exit_code_of(BadDataError()))
