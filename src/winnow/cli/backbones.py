"""`winnow backbones`: the networks that transfer learning can start from."""

from __future__ import annotations

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backbones", epilog=example("winnow backbones", "winnow backbones --json"))(_backbones)


def _backbones(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the backbones at hand, timed on this machine, and what each scores.

    A climb takes the first one unless you name another (--backbone NAME) or none (--backbone none).
    """
    from winnow.api.backbones import backbones

    found = backbones(workspace)
    if as_json:
        echo_json(found)
        return
    from winnow.report.words import count, printable, size

    for one in found:
        taken = ", taken unless you name another" if one["is_default"] else ""
        typer.echo(f"{printable(one['name'])} ({one['origin']}{taken})")
        typer.echo(f"  {count(one['dim'], 'feature')} at {one['side_px']} px, {size(one['bytes'])}")
        rates = ", ".join(f"{rate:.0f} in {name}" for name, rate in one["pictures_per_s"].items())
        typer.echo(f"  pictures a second on this machine: {rates}")
        if one["transfer"]:
            scores = ", ".join(f"{printable(name)} {accuracy:.3f}" for name, accuracy in one["transfer"].items())
            typer.echo(f"  accuracy of logistic regression on its features: {scores}")
        typer.echo(f"  {printable(one['licence'])}; {printable(one['source'])}")
        typer.echo(f"  {printable(one['folder'])}")
    if not found:
        typer.echo("No backbone is at hand. recipes/timm_backbone.py makes one of any weights that timm knows.")
