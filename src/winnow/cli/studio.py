"""`winnow studio`: everything in the browser, on this machine alone."""

from __future__ import annotations

from typing import Annotated

import typer

from winnow.cli.options import WorkspaceOption, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("studio", epilog=example("winnow studio", "winnow studio --port 9000 --no-browser"))(_studio)


def _studio(
    port: Annotated[int | None, typer.Option(help="Of this machine [default: the first free from 8765].")] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the link.")] = False,
    sign_out: Annotated[
        bool, typer.Option("--sign-out", help="First sign out every browser that came in before.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Import, label, train, evaluate and predict in the browser.

    The studio answers only at this machine's own address, and only to who opens the printed link: a browser that came
    in stays signed in for 30 days, also when the studio is started again. Nothing is uploaded.
    """
    from winnow.studio.launch import launch

    launch(workspace, port, opens=not no_browser, signs_out=sign_out, said=typer.echo)
