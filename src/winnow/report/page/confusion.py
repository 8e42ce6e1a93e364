"""Which class is taken for which: a table of counts whose cells open their pictures."""

from __future__ import annotations

from collections.abc import Container

from winnow.metrics.confusion import ConfusionTable
from winnow.report import words
from winnow.report.markup import Html, data_block, tag
from winnow.report.page.pictures import Pictures
from winnow.report.schema import Judgement

_WHOLE_UP_TO = 30
"""With more classes than this the matrix is folded away behind its most confused pairs."""
_PAIRS = 12
_PER_CELL = 12
"""Pictures shown behind one cell."""
_SHADES = 9


def confusion_section(judgement: Judgement, table: ConfusionTable, key: str, pictures: Pictures) -> Html:
    """The most confused pairs, and the whole matrix (folded away where there are many classes)."""
    cells = _cells_with_pictures(judgement, pictures)
    matrix = tag(
        "div",
        matrix_table(table, cells, key),
        class_="scroll tall matrix",
        tabindex="0",
        role="group",
        aria_labelledby=f"{key}-confusion",
    )
    n_classes = len(table.classes)
    if n_classes > _WHOLE_UP_TO:
        matrix = tag("details", tag("summary", f"The whole matrix ({n_classes} classes)"), matrix)
    data = {
        "names": table.classes,
        "cells": {
            cell: {"n": _count(table, cell), "shown": shown, "what": _what(table, cell)}
            for cell, shown in cells.items()
        },
    }
    return tag(
        "section",
        tag("h3", "What is taken for what (confusion matrix)", id=f"{key}-confusion"),
        tag(
            "p",
            "Rows are the truth, columns the model’s answer; blue cells are right answers, orange ones mistakes, "
            "the deeper the larger the share of the row. "
            + ("Press a number to see pictures behind it." if cells else ""),
            class_="hint",
        ),
        tag("div", pairs_table(table, cells), matrix, class_=None if n_classes > _WHOLE_UP_TO else "beside"),
        data_block(f"{key}-cells", data),
        class_="confusion",
        data_cells=f"{key}-cells",
    )


def cell_pictures(judgement: Judgement) -> list[str]:
    """Content hashes of all pictures that the cells of a table may open, mistakes first."""
    return [content for cell in _mistakes_first(judgement) for content in judgement.cells[cell][:_PER_CELL]]


def _cells_with_pictures(judgement: Judgement, pictures: Pictures) -> dict[str, list[str]]:
    shown = {
        cell: [content for content in judgement.cells[cell][:_PER_CELL] if pictures.has(content)]
        for cell in _mistakes_first(judgement)
    }
    return {cell: contents for cell, contents in shown.items() if contents}


def _mistakes_first(judgement: Judgement) -> list[str]:
    return sorted(judgement.cells, key=lambda cell: cell.endswith(",found") or len(set(cell.split(","))) == 1)


def _count(table: ConfusionTable, cell: str) -> int:
    row, column = map(int, cell.split(","))
    return table.counts[row][column]


def _what(table: ConfusionTable, cell: str) -> str:
    truth, answer = (table.classes[int(i)] for i in cell.split(","))
    return f"“{truth}” answered “{answer}”"


def pairs_table(table: ConfusionTable, cells: Container[str]) -> Html | None:
    """The pairs of classes that are mixed up most often; the numbers of `cells` ("row,column") are buttons."""
    mistakes = [
        (n, n / sum(row), i, j) for i, row in enumerate(table.counts) for j, n in enumerate(row) if i != j and n > 0
    ]
    if not mistakes:
        return tag("p", "Not one mistake among these pictures, so there is nothing to mix up.", class_="good")
    mistakes.sort(key=lambda m: (-m[0], -m[1], m[2], m[3]))
    if len(table.classes) == 2:
        return None  # the matrix itself says it all
    rows = [
        tag(
            "tr",
            tag("td", tag("bdi", table.classes[i])),
            tag("td", tag("bdi", table.classes[j])),
            tag("td", _number(table, cells, i, j), class_="figure"),
            tag("td", words.percent(share), class_="figure"),
        )
        for _, share, i, j in mistakes[:_PAIRS]
    ]
    head = tag(
        "tr",
        tag("th", "Truth", scope="col"),
        tag("th", "Taken for", scope="col"),
        tag("th", "Pictures", scope="col", class_="figure"),
        tag("th", "Share of the class", scope="col", class_="figure"),
    )
    more = len(mistakes) - _PAIRS
    return tag(
        "div",
        tag("table", tag("caption", "Most confused"), tag("thead", head), tag("tbody", *rows)),
        tag("p", f"and {words.count(more, 'rarer pair')}, in the matrix.", class_="hint") if more > 0 else None,
        class_="scroll pairs",
        tabindex="0",
        role="group",
        aria_label="Most confused",
    )


def matrix_table(table: ConfusionTable, cells: Container[str], key: str) -> Html:
    """The whole matrix; the numbers of `cells` ("row,column") are buttons."""
    heads = [tag("th", tag("small", "truth ↓  answer →"), class_="corner")]
    heads += [tag("th", tag("bdi", name), scope="col") for name in table.classes]
    rows = [
        tag(
            "tr",
            tag("th", tag("bdi", name), scope="row"),
            *(_cell(table, cells, i, j) for j in range(len(table.classes))),
        )
        for i, name in enumerate(table.classes)
    ]
    size = "small" if len(table.classes) <= 12 else "large"
    return tag(
        "table", tag("thead", tag("tr", *heads)), tag("tbody", *rows), aria_labelledby=f"{key}-confusion", class_=size
    )


def _cell(table: ConfusionTable, cells: Container[str], i: int, j: int) -> Html:
    n = table.counts[i][j]
    if n == 0:
        return tag("td", class_="right" if i == j else None)
    # The square root lifts small shares, and the palest shade begins at one picture: every mistake must be seen.
    shade = max(1, round(_SHADES * (n / sum(table.counts[i])) ** 0.5))
    return tag("td", _number(table, cells, i, j), class_=f"{'right' if i == j else 'wrong'} s{shade}")


def _number(table: ConfusionTable, cells: Container[str], i: int, j: int) -> Html:
    n, cell = table.counts[i][j], f"{i},{j}"
    if cell not in cells:
        return tag("span", words.number(n))
    return tag("button", words.number(n), type="button", data_cell=cell)
