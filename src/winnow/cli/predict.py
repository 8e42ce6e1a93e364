"""`winnow predict`: ask a model."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from winnow.cli.options import WorkspaceOption, example
from winnow.errors import BadDataError

if TYPE_CHECKING:
    from winnow.api.model import Prediction

Form = Literal["table", "jsonl", "csv"]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    examples = example("winnow predict clouds sky.jpg", "winnow predict clouds ./inbox --to csv > answers.csv")
    app.command("predict", epilog=examples)(_predict)


def _predict(
    model: Annotated[str, typer.Argument(help="A model's name or folder.")],
    pictures: Annotated[list[str], typer.Argument(help="Files, folders, or patterns such as 'photos/*.jpg'.")],
    to: Annotated[Form, typer.Option(help="How to write the answers.")] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --to jsonl.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many classes the table shows for each picture.")] = 3,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer for pictures, with calibrated probabilities.

    A picture that cannot be read gets an error in place of an answer; the others are answered. Leaves with 3 if
    none could be read.
    """
    from winnow.api.model import Model
    from winnow.api.pictures import pictures_of

    opened = Model.open(model, workspace)
    given = pictures_of(pictures)
    n_answered = 0

    def counted(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
        nonlocal n_answered
        for prediction in predictions:
            n_answered += prediction.error is None
            yield prediction

    answers = counted(opened.predict_each(given))
    form: Form = "jsonl" if as_json else to
    if form == "jsonl":
        for prediction in answers:
            typer.echo(json.dumps(prediction.as_dict(), ensure_ascii=False))
    elif form == "csv":
        _write_csv(answers, opened.classes)
    else:
        _write_table(answers, top)
    if n_answered == 0:
        raise BadDataError("None of these pictures could be read.")


def _write_csv(answers: Iterable[Prediction], classes: tuple[str, ...]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["source", "label", "prob", *(f"prob_{name}" for name in classes), "error"])
    for one in answers:
        probs = [f"{one.probs[name]:.6f}" if one.probs else "" for name in classes]
        prob = "" if one.prob is None else f"{one.prob:.6f}"
        writer.writerow([one.source, one.label or "", prob, *probs, one.error or ""])


def _write_table(answers: Iterable[Prediction], top: int) -> None:
    from winnow.report.words import percent, printable

    for one in answers:
        if one.error is not None:
            typer.echo(f"{printable(one.source)}: {one.error}")
            continue
        best = ", ".join(f"{printable(name)} {percent(prob)}" for name, prob in list(one.probs.items())[:top])
        typer.echo(f"{printable(one.source)}: {best}")
