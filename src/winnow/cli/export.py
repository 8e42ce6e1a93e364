"""`winnow export`: write a model or a dataset in a format that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example
from winnow.errors import UserError

if TYPE_CHECKING:
    from winnow.api.exporting import Exported
    from winnow.api.model_exports.writing import ExportedModel


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "winnow export clouds --to standalone",
        "winnow export clouds@2 --to onnx --out ./clouds-2",
        "winnow export clouds --to coco --out ./clouds-coco",
    )
    app.command("export", epilog=examples)(_export)


def _export(
    name: Annotated[str, typer.Argument(help="A model's name or folder, or a dataset's name: the format says which.")],
    to: Annotated[
        str,
        typer.Option(
            help="Of a model: onnx (one graph for any ONNX runtime), openvino (for OpenVINO), int8 (the ONNX graph in "
            "8-bit numbers), standalone (a folder with one short predict.py), docker (a Dockerfile and its files, to "
            "serve it), huggingface (a folder for the Hugging Face Hub) or web (a page that runs it in the browser). "
            "Of a dataset: folders (one for each class), csv (a table beside the pictures), coco (JSON with boxes), "
            "parquet (for Hugging Face datasets) or zip."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="A new folder, or file for a zip [default: NAME-FORMAT, here].")
    ] = None,
    version: Annotated[int | None, typer.Option(help="Of a dataset: an older version.")] = None,
    split: Annotated[str | None, typer.Option(help="Of a dataset: only train, validation or test.")] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(help="Of a model: a folder of pictures to prove it on [default: those it was judged on]."),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            help="Of a web page: the folder of the npm package onnxruntime-web "
            "[default: WINNOW_ONNXRUNTIME_WEB, else node_modules/onnxruntime-web, here]."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a model, or a dataset, for other programs. Nothing is overwritten.

    A model is handed over only when it is proven: the finished export answers as the evaluated model on the pictures
    that this one was judged on, and proof.json beside it says so. `winnow verify FOLDER` follows it back to the model.

    A dataset's pictures are written as they are, with their labels and splits; what a format cannot hold is told.
    `winnow import` reads it back.
    """
    from winnow.api.model_exports.by_name import export_model_named, is_for_models
    from winnow.api.printing import Printer

    if is_for_models(to):
        _refuse({"--version": version, "--split": split}, f"belongs to datasets, and {to} is a format for models", name)
        if to.strip().casefold() != "web":
            _refuse({"--runtime": runtime}, "belongs to web pages (--to web)", name)
        with Printer() as printer:
            model = export_model_named(
                name, to=to, out=out, pictures=pictures, runtime=runtime, workspace=workspace, tell=printer
            )
        _show_model(model, as_json)
        return
    from winnow.api.exporting import export

    _refuse(
        {"--pictures": pictures, "--runtime": runtime}, f"belongs to models, and {to} is a format for datasets", name
    )
    with Printer() as printer:
        exported = export(name, to=to, out=out, version=version, split=split, workspace=workspace, tell=printer)
    _show_dataset(exported, as_json)


def _refuse(options: dict[str, object], why: str, name: str) -> None:
    given = next((option for option, value in options.items() if value is not None), None)
    if given is None:
        return
    hint = f"; an older model is named {name.partition('@')[0]}@1" if given == "--version" else ""
    raise UserError(f"{given} {why}: leave it out{hint}.")


def _show_model(exported: ExportedModel, as_json: bool) -> None:
    if as_json:
        echo_json(exported.as_dict())
        return
    from winnow.report.words import count, printable, size

    what, where = f"{count(exported.files, 'file')}, {size(exported.n_bytes)}", printable(str(exported.path))
    typer.echo(f"{printable(exported.model)}: {what}, as {exported.format} in {where}")
    for sentence in exported.proof.sentences():
        typer.echo(printable(sentence))


def _show_dataset(exported: Exported, as_json: bool) -> None:
    if as_json:
        echo_json(_facts(exported))
        return
    from winnow.report.words import count, printable, size

    what = f"{count(exported.pictures, 'picture')}, {size(exported.bytes)}"
    where = printable(str(exported.path))
    typer.echo(f"{exported.dataset}, version {exported.version}: {what}, as {exported.format} in {where}")


def _facts(exported: Exported) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(exported), "path": str(exported.path)}
