"""`winnow train`: climb the ladder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example

if TYPE_CHECKING:
    from winnow.api.job import Job


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    examples = example("winnow train ./photos", "winnow train clouds --budget 5m --background")
    app.command("train", epilog=examples)(_train)


def _train(
    dataset: Annotated[str, typer.Argument(help="The name of a dataset, or anything that `winnow import` takes.")],
    budget: Annotated[
        str | None, typer.Option(help="Time for the climb: 30s, 5m, 1h [default: as long as it takes].")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same model.")] = 0,
    optimise: Annotated[
        str | None,
        typer.Option(
            help="The metric that methods are compared by: accuracy [default], balanced_accuracy, macro_f1, micro_f1, "
            "log_loss, macro_auroc, macro_average_precision, expected_calibration_error. Where pictures have several "
            "classes: macro_average_precision (mAP) [default], micro_average_precision, macro_f1, micro_f1, "
            "subset_accuracy, hamming_loss, macro_auroc, label_ranking_average_precision, coverage_error, log_loss, "
            "expected_calibration_error."
        ),
    ] = None,
    prefer: Annotated[
        str,
        typer.Option(help="cheapest: the cheapest method that nothing dearer is shown to beat; best: the best mean."),
    ] = "cheapest",
    rungs: Annotated[str | None, typer.Option(help="Only these methods, separated by commas.")] = None,
    backbone: Annotated[
        str | None, typer.Option(help="A backbone's folder or name, or none [default: the first at hand].")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What to call the model, and the dataset of files [default: after these].")
    ] = None,
    version: Annotated[int | None, typer.Option(help="Of the dataset [default: the newest].")] = None,
    no_test: Annotated[bool, typer.Option("--no-test", help="Leave the test split closed.")] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Put it into the queue and return; `winnow jobs` shows it.")
    ] = False,
    workspace: WorkspaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Climb the ladder of methods within a budget and keep the model that earned its place.

    Methods are tried from cheap to dear and judged on the same pictures. Ctrl-C keeps the best so far; the same
    command goes on from there. The test split is opened once, at the end, for the chosen model alone.
    """
    from winnow.api.jobs import enqueue, train_here
    from winnow.api.loading import load
    from winnow.api.printing import Printer
    from winnow.api.wish import Wish

    wish = Wish.checked(  # before a long import
        budget=budget,
        seed=seed,
        optimise=optimise,
        prefer=prefer,
        rungs=None if rungs is None else [one.strip() for one in rungs.split(",") if one.strip()],
        backbone=backbone,
        name=name,
        open_test=not no_test,
    )
    with Printer(metric=optimise or "accuracy") as printer:
        data = load(
            dataset,
            name=name if Path(dataset).expanduser().exists() else None,
            workspace=workspace,
            version=version,
            tell=printer,
        )
        if background:
            _echo_job(enqueue(data, wish), as_json)
            return
        model = train_here(data, wish, tell=printer)
    if as_json:
        echo_json({"model": model.full_name, "folder": str(model.folder), "report": model.report.as_dict()})
        return
    from rich.console import Console

    from winnow.report.text import summary

    Console(highlight=False).print(summary(model.report.numbers))
    typer.echo(f"Report: {model.report.page}")
    typer.echo(f"Next: winnow predict {model.full_name} PICTURE...")


def _echo_job(job: Job, as_json: bool) -> None:
    if as_json:
        echo_json(job.as_dict())
        return
    typer.echo(f"Job {job.id}: the climb on {job.dataset} version {job.version} runs by itself, after those before it.")
    typer.echo(f"Next: winnow jobs watch {job.id}, or winnow jobs stop {job.id}")
