"""`winnow jobs`: climbs that run by themselves: which there are, watch one, stop one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from winnow.cli.options import JsonOption, WorkspaceOption, echo_json, example
from winnow.errors import UserError

if TYPE_CHECKING:
    from winnow.api.job import Job

_SHOWN = 20

_jobs = typer.Typer(rich_markup_mode=None)

IdArgument = Annotated[int, typer.Argument(metavar="ID", help="The job's number, as `winnow jobs` lists it.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    examples = example("winnow train clouds --background", "winnow jobs", "winnow jobs watch 1", "winnow jobs stop 1")
    app.add_typer(_jobs, name="jobs", epilog=examples)


@_jobs.callback(invoke_without_command=True)
def _list(context: typer.Context, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """List climbs: those under way, those that wait, and those that are over.

    Climbs that were asked for with `winnow train --background` or in the studio run by themselves, one after the other;
    one that a terminal runs is listed, too. Should the process of one die, another one goes on with it.
    """
    if context.invoked_subcommand is not None:
        return
    from winnow.api.dataset import using
    from winnow.api.jobs import ensure_worker, jobs

    with using(workspace) as opened:
        ensure_worker(opened)
        found = jobs(opened)
    if as_json:
        echo_json([job.as_dict() for job in found])
        return
    if not found:
        typer.echo("No climb was asked for yet. Next: winnow train DATASET --background")
    if (older := len(found) - _SHOWN) > 0:
        typer.echo(f"{older} older ones: winnow jobs --json")
    for job in found[-_SHOWN:]:
        typer.echo(f"job {job.id:<4} {job.state:8}  {job.dataset} version {job.version}, {_said(job)}")


@_jobs.command("watch", epilog=example("winnow jobs watch 1"))
def _watch(job_id: IdArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """Show what a climb has done so far and follow it to its end; Ctrl-C leaves it alone."""
    from winnow.api.jobs import find_job
    from winnow.api.printing import Printer

    job = find_job(job_id, workspace)
    try:
        with Printer(metric=job.wish["optimise"] or "accuracy") as printer:
            job = job.watch(printer)
    except KeyboardInterrupt:
        typer.echo(f"winnow: the climb goes on by itself. To end it: winnow jobs stop {job_id}", err=True)
        raise typer.Exit(130) from None
    if as_json:
        echo_json(job.as_dict())
    elif job.error is not None:
        raise UserError(f"Job {job.id} failed. {job.error}")
    elif job.model is not None:
        _show(job.model, workspace)
    else:
        typer.echo("Stopped before there was anything to keep.")


@_jobs.command("stop", epilog=example("winnow jobs stop 1"))
def _stop(job_id: IdArgument, workspace: WorkspaceOption = None, as_json: JsonOption = False) -> None:
    """End a climb and keep the best so far, or take one that waits off the list."""
    from winnow.api.jobs import find_job

    job = find_job(job_id, workspace).stop()
    if as_json:
        echo_json(job.as_dict())
    elif job.state == "stopping":
        typer.echo(f"Job {job.id} ends in a moment and keeps the best so far. Next: winnow jobs watch {job.id}")
    else:
        typer.echo(f"Job {job.id} is {job.state}.")


def _show(model: str, workspace: WorkspaceOption) -> None:
    from rich.console import Console

    from winnow.api.model import Model
    from winnow.report.text import summary

    opened = Model.open(model, workspace)
    Console(highlight=False).print(summary(opened.report.numbers))
    typer.echo(f"Report: {opened.report.page}")
    typer.echo(f"Next: winnow predict {model} PICTURE...")


def _said(job: Job) -> str:
    from winnow.report.words import duration, printable

    if job.error is not None:
        return printable(job.error)
    if job.is_over:
        return f"model {job.model}" if job.model else "nothing to keep"
    if job.started_at is None or job.heartbeat_at is None:
        return f"asked for {job.created_at:%Y-%m-%d %H:%M} UTC"
    again = f", attempt {job.attempts}" if job.attempts > 1 else ""
    return f"for {duration((job.heartbeat_at - job.started_at).total_seconds())} by {job.worker}{again}"
