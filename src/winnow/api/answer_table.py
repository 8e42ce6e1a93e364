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
    answered = ["labels"] if has_several else ["label", "prob"]
    writer.writerow(["source", *answered, *(f"prob_{name}" for name in classes), "error"])
    for one in answers:
        probs = [f"{one.probs[name]:.6f}" if one.probs else "" for name in classes]
        prob = "" if one.prob is None else f"{one.prob:.6f}"
        said = ["|".join(one.labels)] if has_several else [one.label or "", prob]
        cells = [as_text(one.source), *map(as_text, said), *probs, one.error or ""]
        writer.writerow(map(encodable, cells))
