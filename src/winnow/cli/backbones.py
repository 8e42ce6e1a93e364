"""`winnow backbones`: the networks that transfer learning can start from; and another one added."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example

_backbones = typer.Typer(rich_markup_mode=None)


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    examples = example("winnow backbones", "winnow backbones --json", "winnow backbones add resnet-18 --download")
    app.add_typer(_backbones, name="backbones", epilog=examples)


@_backbones.callback(invoke_without_command=True)
def _list(context: typer.Context, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List the backbones at hand, timed on this machine, and what each scores.

    A climb takes the first one unless you name another (--backbone NAME) or none (--backbone none).
    """
    if context.invoked_subcommand is not None:
        return
    from winnow.api.backbones import backbones

    found = backbones(workspace)
    if as_json:
        echo_json(found)
        return
    from winnow.report.words import count, printable, size

    for one in found:
        taken = ", taken unless you name another" if one["is_default"] else ""
        typer.echo(f"{printable(one['name'])} ({one['origin']}{taken})")
        looks = "" if one["can_learn"] else ", cannot be fine-tuned: no weights beside its graph"
        typer.echo(f"  {count(one['dim'], 'feature')} at {one['side_px']} px, {size(one['bytes'])}{looks}")
        rates = ", ".join(f"{rate:.0f} in {name}" for name, rate in one["pictures_per_s"].items())
        typer.echo(f"  pictures a second on this machine: {rates}")
        if one["transfer"]:
            scores = ", ".join(f"{printable(name)} {accuracy:.3f}" for name, accuracy in one["transfer"].items())
            typer.echo(f"  accuracy of logistic regression on its features: {scores}")
        typer.echo(f"  {printable(one['licence'])}; {printable(one['source'])}")
        typer.echo(f"  {printable(one['folder'])}")
    if not found:
        typer.echo("No backbone is at hand. Make one of published weights: winnow backbones add NAME --download")


_ADD_EXAMPLES = example(
    "winnow backbones add resnet-18 --download",
    "winnow backbones add mobilenet_edgetpu_100 --weights ~/weights --side 128",
)


@_backbones.command("add", epilog=_ADD_EXAMPLES)
def _add(
    name: Annotated[str, typer.Argument(help="A network of `winnow nets`, or any that timm knows.")],
    weights: Annotated[
        Path | None, typer.Option(help="A folder with index.json (or the hub's config.json) and safetensors.")
    ] = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch the weights from huggingface.co.")] = False,
    side: Annotated[
        int | None, typer.Option(min=8, help="Side of the pictures it looks at [default: 192, or what it needs].")
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a backbone of published weights, in the workspace: to look through, and to be fine-tuned.

    The network is used only with --download; without it and --weights, weights that were fetched before are taken.
    """
    from winnow.api.backbones import add_backbone

    made = add_backbone(name, weights=weights, download=download, side_px=side, workspace=workspace)
    if as_json:
        echo_json({"name": made.name, "folder": str(made.folder), "dim": made.dim, "side_px": made.input_spec.side_px})
        return
    from winnow.report.words import count, printable

    typer.echo(f"{printable(made.name)}: {count(made.dim, 'feature')} at {made.input_spec.side_px} px")
    typer.echo(f"  {printable(made.licence)}; {printable(made.source)}")
    typer.echo(f"  {printable(str(made.folder))}")
    typer.echo("Climbs take it from now on. Name another where you want another: --backbone NAME")
