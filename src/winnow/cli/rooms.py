"""`winnow list`, `show`, `rm` and `doctor`: what is in the workspace, and whether all is well."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example
from winnow.errors import NotFoundError

_VERSIONS_SHOWN = 10


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("list", epilog=example("winnow list"))(_list)
    app.command("show", epilog=example("winnow show clouds", "winnow show clouds@1 --per-class"))(_show)
    app.command("rm", epilog=example("winnow rm clouds@1", "winnow rm clouds --force"))(_rm)
    app.command("doctor", epilog=example("winnow doctor"))(_doctor)


def _list(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List datasets, models and backbones."""
    from winnow.api.inventory import inventory

    found = inventory(workspace)
    if as_json:
        echo_json(found)
        return
    from winnow.report.words import count, size

    if not found["datasets"] and not found["models"]:
        typer.echo(f"The workspace {found['workspace']} is empty. Next: winnow train FOLDER, or winnow train digits")
    for one in found["datasets"]:
        openings = count(one["test_openings"], "test opening")
        typer.echo(
            f"dataset  {one['name']}  version {one['version']}, {count(one['pictures'], 'picture')}, "
            f"{count(one['classes'], 'class', 'classes')}, {size(one['bytes'])}, {openings}"
        )
    for one in found["models"]:
        typer.echo(f"model    {one['full_name']}  on {one['dataset']} version {one['version']}, {one['created']}")
    for one in found["backbones"]:
        typer.echo(f"backbone {one['name']}  {one['dim']} features at {one['side_px']} px, {one['licence']}")


def _show(
    name: Annotated[str, typer.Argument(help="A model's or dataset's name, or a model's folder.")],
    per_class: Annotated[bool, typer.Option("--per-class", help="Show every class.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a model's report, or a dataset's versions where there is no model of that name."""
    from winnow.api.dataset import using
    from winnow.api.inventory import describe_dataset
    from winnow.api.model import Model

    with using(workspace) as opened:
        try:
            model = Model.open(name, opened)
        except NotFoundError as no_model:
            try:
                described = describe_dataset(opened, name)
            except NotFoundError:
                raise no_model from None
            if as_json:
                echo_json(described)
            else:
                _echo_dataset(described)
            return
    if as_json:
        echo_json(model.report.as_dict())
        return
    from rich.console import Console

    from winnow.report.text import per_class_table, summary

    console = Console(highlight=False)
    console.print(summary(model.report.numbers))
    if per_class:
        console.print(per_class_table(model.report.numbers.judged.evaluation))
    typer.echo(f"Report: {model.report.page}")


def _echo_dataset(described: dict[str, Any]) -> None:
    from winnow.report.words import count, printable

    typer.echo(f"{described['name']}, from {printable(described['source'])}")
    for version in described["versions"][-_VERSIONS_SHOWN:]:
        typer.echo(
            f"  version {version['number']}: {count(version['pictures'], 'picture')}, {printable(version['what'])}, "
            f"{version['created']}"
        )
    if (older := len(described["versions"]) - _VERSIONS_SHOWN) > 0:
        typer.echo(f"  and {count(older, 'older version')}: winnow log {described['name']}")
    for label, by_split in described["classes"].items():
        typer.echo(f"  {printable(label)}: " + ", ".join(f"{n} {split}" for split, n in by_split.items()))


def _rm(
    name: Annotated[str, typer.Argument(help="A model (name or name@number) or a dataset.")],
    force: Annotated[bool, typer.Option("--force", help="Remove a dataset together with its models.")] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a model, or a dataset with everything that only it needs.

    A name that is both means the dataset with --force, and the models without. Your own files are never touched.
    """
    from winnow.api.inventory import remove

    removed = remove(name, force=force, workspace=workspace)
    if as_json:
        echo_json(removed)
        return
    from winnow.report.words import size

    what = [f"dataset {removed['dataset']}"] if removed["dataset"] else []
    what += [f"model {one}" for one in removed["models"]]
    typer.echo(f"Removed {', '.join(what) or 'nothing'}: {size(removed['bytes'])} freed.")


def _doctor(workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Say what this machine is, what Winnow found on it, and what could be better."""
    from winnow.api.doctor import examine

    findings = examine(None if workspace is None else Path(workspace))
    if as_json:
        echo_json([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            typer.echo(f"{'ok  ' if finding.is_well else 'look'}  {finding.what}: {finding.said}")
    if any(not finding.is_well and finding.is_serious for finding in findings):
        raise typer.Exit(5)
