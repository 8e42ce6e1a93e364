"""`winnow predict`: ask a model, here or behind an address."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from winnow.cli.options import WorkspaceOption, example
from winnow.errors import BadDataError, UserError

if TYPE_CHECKING:
    from winnow.api.model import Model, Prediction
    from winnow.api.neighbours import Neighbour

Form = Literal["table", "jsonl", "csv"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    examples = example(
        "winnow predict clouds sky.jpg",
        "winnow predict clouds ./inbox --to csv > answers.csv",
        "winnow predict clouds sky.jpg --near 5",
        "winnow predict clouds ./millions --out answers.parquet",
        "winnow predict --url http://127.0.0.1:8000 clouds sky.jpg",
    )
    app.command("predict", epilog=examples)(_predict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A model's answers, wherever it is, each with whether it may be called sure."""

    answers: Iterator[tuple[Prediction, bool]]
    classes: tuple[str, ...]
    has_several: bool


def _predict(
    model: Annotated[str, typer.Argument(help="A model's name or folder. With --url it may be left out.")],
    pictures: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders, or patterns such as 'photos/*.jpg'; with --out also a .txt file of paths, "
            "a line each, or - for such lines on stdin."
        ),
    ] = None,
    to: Annotated[Form, typer.Option(help="How to write the answers.")] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --to jsonl.")] = False,
    top: Annotated[
        int, typer.Option(min=1, help="How many classes the table shows for each picture; more if more are answered.")
    ] = 3,
    near: Annotated[
        int, typer.Option(min=0, help="Also name so many training pictures that are nearest to each (not in CSV).")
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            help="For any number of pictures: write a .parquet, .csv or .jsonl; goes on where it was stopped."
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="With --out: forget what an interrupted run did, and overwrite.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Ask the server there (winnow serve).")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="With --url: the file that holds the token [default: WINNOW_TOKEN].")
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="With --url: send the token over plain http to another machine.")
    ] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer for pictures, with calibrated probabilities.

    Answers below the probability from which on 9 of 10 were right when the model was judged are marked "not sure". A
    model of pictures with several classes answers all that reach their threshold; the table marks them with a *.

    A picture that cannot be read gets an error in place of an answer; the others are answered. It leaves with 3 if
    none could be read.

    With --out memory stays flat, however many pictures there are, and what a kill interrupts is taken up again by the
    same command.
    """
    form: Form = "jsonl" if as_json else to
    if url is not None:
        _refuse(near > 0, "--near", "with a model on this machine")
        _refuse(out is not None, "--out", "with a model on this machine")
        _refuse(restart, "--restart", "with --out")
        asked = _remote(url, token_file, insecure, [model, *(pictures or [])], is_table=form == "csv")
        nearest: Callable[[str], list[Neighbour]] = _no_neighbours
    else:
        _refuse(token_file is not None, "--token-file", "with --url")
        _refuse(insecure, "--insecure", "with --url")
        if not pictures:
            raise UserError(f"Name pictures, such as: winnow predict {model} sky.jpg")
        if out is not None:
            _refuse(near > 0, "--near", "without --out")
            _refuse(form != "table", "--json" if as_json else "--to", "without --out, whose ending says the form")
            _write_batch(model, pictures, out, restart, workspace)
            return
        _refuse(restart, "--restart", "with --out")
        from winnow.api.model import Model

        opened = Model.open(model, workspace)
        asked = _local(opened, pictures)
        nearest = _nearest(opened, near if form != "csv" else 0, workspace)
    _write_all(asked, nearest, form, top)


def _write_all(asked: _Asked, nearest: Callable[[str], list[Neighbour]], form: Form, top: int) -> None:
    from winnow.api.answer_table import write_answers

    n_answered = 0

    def counted() -> Iterator[tuple[Prediction, bool]]:
        nonlocal n_answered
        for prediction, is_sure in asked.answers:
            n_answered += prediction.error is None
            yield prediction, is_sure

    if form == "csv":
        answers = (prediction for prediction, _ in counted())
        write_answers(sys.stdout, answers, asked.classes, has_several=asked.has_several)
    else:
        write = _write_json if form == "jsonl" else partial(_write_line, top=top, has_several=asked.has_several)
        for one, is_sure in counted():
            write(one, is_sure, [] if one.error is not None else nearest(one.source))
    if n_answered == 0:
        raise BadDataError("None of these pictures could be read.")


def _refuse(is_there: bool, option: str, works: str) -> None:
    if is_there:
        raise UserError(f"{option} works only {works}: leave it out.")


def _write_batch(model: str, pictures: list[str], out: Path, restart: bool, workspace: Path | None) -> None:
    from winnow.api.batch import predict_files
    from winnow.api.printing import Printer
    from winnow.report.words import count, printable

    try:
        with Printer() as printer:
            done = predict_files(model, pictures, out, restart=restart, workspace=workspace, tell=printer)
    except KeyboardInterrupt:
        typer.echo("winnow: stopped. The same command goes on from there.", err=True)
        raise typer.Exit(130) from None
    where = printable(str(done.out))
    if done.errors == done.pictures:
        raise BadDataError(f"0 of {count(done.pictures, 'picture')} could be read: {where} says why.")
    bad = f", {done.errors} of which could not be read" if done.errors else ""
    typer.echo(f"{count(done.pictures, 'picture')}{bad}: {where}", err=True)


def _local(model: Model, pictures: list[str]) -> _Asked:
    from winnow.api.pictures import pictures_of

    answers = ((one, model.is_sure(one)) for one in model.predict_each(pictures_of(pictures)))
    return _Asked(answers, model.classes, model.task == "multilabel")


def _remote(url: str, token_file: Path | None, insecure: bool, words: list[str], *, is_table: bool) -> _Asked:
    from winnow.api.pictures import pictures_of
    from winnow.serve.client import Client
    from winnow.serve.token_file import token_in

    token = None if token_file is None else token_in(token_file)
    client = Client(url, token, allow_insecure=insecure)
    chosen = client.choose(words[0])
    pictures = words[1:] if chosen.is_named else words
    if not pictures:
        raise UserError(f"Name pictures, such as: winnow predict --url {url} {words[0]} sky.jpg")
    # A table has one set of columns, so one version answers all of it.
    asked = f"{chosen.model}@{chosen.version}" if is_table else chosen.asked
    answers = client.answers(pictures_of(pictures), model=asked)
    return _Asked(answers, chosen.classes, chosen.task == "multilabel")


def _no_neighbours(_: str) -> list[Neighbour]:
    return []


def _nearest(model: Model, k: int, workspace: Path | None) -> Callable[[str], list[Neighbour]]:
    """Gives the `k` nearest training pictures of a file."""
    if not k:
        return _no_neighbours
    from winnow.api.neighbours import TrainingPictures  # what stands behind it is not needed to predict

    known = TrainingPictures.of(model, workspace=workspace)
    return lambda file: known.nearest(model.features(file)[0], k)


def _write_json(one: Prediction, is_sure: bool, near: list[Neighbour]) -> None:
    values = {**one.as_dict(), "is_sure": is_sure}
    if near:
        values["nearest"] = [asdict(neighbour) for neighbour in near]
    typer.echo(json.dumps(values, ensure_ascii=False))


def _write_line(one: Prediction, is_sure: bool, near: list[Neighbour], top: int, has_several: bool) -> None:
    from winnow.report.words import percent, printable

    if one.error is not None:
        typer.echo(f"{printable(one.source)}: {printable(one.error)}")
        return
    shown = list(one.probs.items())[:top]
    if has_several:  # a class with a low threshold is answered even where others are likelier
        shown += [(name, one.probs[name]) for name in one.labels if name not in dict(shown)]
    marks = dict.fromkeys(one.labels, "*") if has_several else {}
    best = ", ".join(f"{marks.get(name, '')}{printable(name)} {percent(prob)}" for name, prob in shown)
    doubt = "" if has_several or is_sure else " (not sure)"
    typer.echo(f"{printable(one.source)}: {best}{doubt}")
    for neighbour in near:
        labels = ", ".join(map(printable, neighbour.labels))
        typer.echo(f"  near: {neighbour.similarity:.2f} {printable(neighbour.source)} ({labels})")
