"""Answers as a table for spreadsheets: the same columns from the command line and from the studio."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from winnow.data.class_names import encodable
from winnow.data.sources.tables.formulas import as_text

if TYPE_CHECKING:
    from winnow.api.model import Prediction


def write_answers(file: TextIO, answers: Iterable[Prediction], classes: Sequence[str], *, has_several: bool) -> None:
    """Write answers as CSV, a line each: source, what is answered, the probability of each class, the error.

    Names that a spreadsheet would run as formulas get an apostrophe in front; bytes of a file's name that are no text
    are written as %E9.

    Args:
        file: to write to; open it with `newline=""`.
        answers: written one by one as they come.
        classes: gives the columns, in this order.
        has_several: a picture may have several classes: `labels`, separated by |, instead of `label` and `prob`.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header(classes, has_several=has_several))
    for one in answers:
        probs = [one.probs[name] if one.probs else None for name in classes]
        labels = one.labels if has_several or one.label is None else (one.label,)
        writer.writerow(table_cells(one.source, labels, one.prob, probs, one.error, has_several=has_several))


def header(classes: Sequence[str], *, has_several: bool) -> list[str]:
    """The names of the columns."""
    answered = ["labels"] if has_several else ["label", "prob"]
    return ["source", *answered, *(encodable(f"prob_{name}") for name in classes), "error"]


def table_cells(
    source: str,
    labels: Sequence[str],
    prob: float | None,
    probs: Sequence[float | None],
    error: str | None,
    *,
    has_several: bool,
) -> list[str]:
    """The cells of one line.

    Args:
        labels: what is answered.
        prob: of the one answer.
        probs: of each class; None where there is no answer.
    """
    label = labels[0] if labels else ""
    said = [_text("|".join(labels))] if has_several else [_text(label), _number(prob)]
    return [_text(source), *said, *map(_number, probs), encodable(error or "")]


def _text(cell: str) -> str:
    return encodable(as_text(cell))


def _number(prob: float | None) -> str:
    return "" if prob is None else f"{prob:.6f}"
