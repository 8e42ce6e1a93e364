"""`winnow predict`: ask a model."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from winnow.cli.options import WorkspaceOption, example
from winnow.errors import BadDataError

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
    )
    app.command("predict", epilog=examples)(_predict)


def _predict(
    model: Annotated[str, typer.Argument(help="A model's name or folder.")],
    pictures: Annotated[list[str], typer.Argument(help="Files, folders, or patterns such as 'photos/*.jpg'.")],
    to: Annotated[Form, typer.Option(help="How to write the answers.")] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --to jsonl.")] = False,
    top: Annotated[
        int, typer.Option(min=1, help="How many classes the table shows for each picture; more if more are answered.")
    ] = 3,
    near: Annotated[
        int, typer.Option(min=0, help="Also name so many training pictures that are nearest to each (not in CSV).")
    ] = 0,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer for pictures, with calibrated probabilities.

    Answers below the probability from which on 9 of 10 were right when the model was judged are marked "not sure". A
    model of pictures with several classes answers all that reach their threshold; the table marks them with a *.

    A picture that cannot be read gets an error in place of an answer; the others are answered. Leaves with 3 if
    none could be read.
    """
    from winnow.api.answer_table import write_answers
    from winnow.api.model import Model
    from winnow.api.pictures import pictures_of

    opened = Model.open(model, workspace)
    given = pictures_of(pictures)
    nearest = _nearest(opened, near if to != "csv" else 0, workspace)
    n_answered = 0

    def counted() -> Iterator[Prediction]:
        nonlocal n_answered
        for prediction in opened.predict_each(given):
            n_answered += prediction.error is None
            yield prediction

    form: Form = "jsonl" if as_json else to
    if form == "csv":
        write_answers(sys.stdout, counted(), opened.classes, has_several=opened.task == "multilabel")
    else:
        write = _write_json if form == "jsonl" else partial(_write_line, top=top)
        for one in counted():
            write(opened, one, [] if one.error is not None else nearest(one.source))
    if n_answered == 0:
        raise BadDataError("None of these pictures could be read.")


def _nearest(model: Model, k: int, workspace: Path | None) -> Callable[[str], list[Neighbour]]:
    """Gives the `k` nearest training pictures of a file."""
    if not k:
        return lambda _: []
    from winnow.api.neighbours import TrainingPictures  # what stands behind it is not needed to predict

    known = TrainingPictures.of(model, workspace=workspace)
    return lambda file: known.nearest(model.features(file)[0], k)


def _write_json(model: Model, one: Prediction, near: list[Neighbour]) -> None:
    values = {**one.as_dict(), "is_sure": model.is_sure(one)}
    if near:
        values["nearest"] = [asdict(neighbour) for neighbour in near]
    typer.echo(json.dumps(values, ensure_ascii=False))


def _write_line(model: Model, one: Prediction, near: list[Neighbour], top: int) -> None:
    from winnow.report.words import percent, printable

    if one.error is not None:
        typer.echo(f"{printable(one.source)}: {one.error}")
        return
    has_several = model.task == "multilabel"
    shown = list(one.probs.items())[:top]
    if has_several:  # a class with a low threshold is answered even where others are likelier
        shown += [(name, one.probs[name]) for name in one.labels if name not in dict(shown)]
    marks = dict.fromkeys(one.labels, "*") if has_several else {}
    best = ", ".join(f"{marks.get(name, '')}{printable(name)} {percent(prob)}" for name, prob in shown)
    doubt = "" if has_several or model.is_sure(one) else " (not sure)"
    typer.echo(f"{printable(one.source)}: {best}{doubt}")
    for neighbour in near:
        labels = ", ".join(map(printable, neighbour.labels))
        typer.echo(f"  near: {neighbour.similarity:.2f} {printable(neighbour.source)} ({labels})")
