"""`winnow predict`: ask a model."""

from __future__ import annotations

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
    top: Annotated[
        int, typer.Option(min=1, help="How many classes the table shows for each picture; more if more are answered.")
    ] = 3,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer for pictures, with calibrated probabilities.

    A model of pictures with several classes answers all that reach their threshold; the table marks them with a *.

    A picture that cannot be read gets an error in place of an answer; the others are answered. Leaves with 3 if
    none could be read.
    """
    from winnow.api.answer_table import write_answers
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
        write_answers(sys.stdout, answers, opened.classes, has_several=opened.task == "multilabel")
    else:
        _write_table(answers, top, has_several=opened.task == "multilabel")
    if n_answered == 0:
        raise BadDataError("None of these pictures could be read.")


def _write_table(answers: Iterable[Prediction], top: int, *, has_several: bool) -> None:
    from winnow.report.words import percent, printable

    for one in answers:
        if one.error is not None:
            typer.echo(f"{printable(one.source)}: {one.error}")
            continue
        shown = list(one.probs.items())[:top]
        if has_several:  # a class with a low threshold is answered even where others are likelier
            shown += [(name, one.probs[name]) for name in one.labels if name not in dict(shown)]
        marks = dict.fromkeys(one.labels, "*") if has_several else {}
        best = ", ".join(f"{marks.get(name, '')}{printable(name)} {percent(prob)}" for name, prob in shown)
        typer.echo(f"{printable(one.source)}: {best}")
