"""`winnow nets`: which networks can be trained, and where each can be cut."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from winnow.cli.options import JsonOption, echo_json, example


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("nets", epilog=example("winnow nets", "winnow nets resnet-18", "winnow nets timm:convnext_tiny"))(_nets)


def _nets(
    name: Annotated[str | None, typer.Argument(help="One network: a name of the list, or any of timm's.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the networks that can be trained: size, input, paper, and the stages behind which each can be cut."""
    from winnow.api.nets import nets

    found = nets(name)
    if as_json:
        echo_json(found)
    elif name is None:
        _echo_table(found)
    else:
        _echo_one(found[0])


def _echo_table(found: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for title in ("network", "parameters", "input", "paper", "can be cut behind"):
        table.add_column(title, justify="right" if title == "parameters" else "left", no_wrap=title == "network")
    for net in found:
        first, *others = net["paper"].split(":")[0].split(", ")
        author = first if not others or first.endswith("et al.") else f"{first} et al."
        table.add_row(net["name"], _count(net["n_parameters"]), _input(net), f"{author} {net['year']}", _stages(net))
    Console(highlight=False).print(table)
    typer.echo("One of them in full, or any of timm's: winnow nets NAME")


def _echo_one(net: dict[str, Any]) -> None:
    year = f", {net['year']}" if net["year"] else ""
    typer.echo(f"{net['name']}  {net['title']}{year}")
    typer.echo(f"  paper       {net['paper']}")
    typer.echo(f"  parameters  {net['n_parameters']:,}")
    typer.echo(f"  input       {_input(net)}, at least {net['smallest_side_px']} px")
    typer.echo(f"  cut behind  {', '.join(net['stages'])}")
    typer.echo(f"  features    {net['dim']}")
    typer.echo(f"  weights     {net['licence']}" + (f", {net['hub']} on the hub" if net["hub"] else ""))


def _input(net: dict[str, Any]) -> str:
    return f"{net['side_px']} px {'grey' if net['n_channels'] == 1 else 'colour'}"


def _count(n_parameters: int) -> str:
    return f"{n_parameters / 1e6:,.2f} M" if n_parameters >= 1e6 else f"{n_parameters:,}"


def _stages(net: dict[str, Any]) -> str:
    return ", ".join(net["stages"])
