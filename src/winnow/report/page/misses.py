"""What is missed and what is falsely called, where a picture may show several classes; numbers open their pictures."""

from __future__ import annotations

from collections.abc import Container

from winnow.metrics.confusion import MissTable
from winnow.metrics.evaluation import ClassScores
from winnow.report import words
from winnow.report.markup import Html, data_block, tag
from winnow.report.page.pictures import Pictures
from winnow.report.schema import Judgement

_PER_CELL = 12
"""Pictures shown behind one number."""
_SAID = {"missed": "“{}”, not called", "false": "no “{}”, but called so", "found": "“{}”, called so"}
"""What the pictures behind a number are, after "12 pictures of"."""


def misses_section(judgement: Judgement, table: MissTable, key: str, pictures: Pictures) -> Html:
    """One row a class: how often it was found, missed and falsely called, and what it is mixed up with."""
    cells = {
        cell: [content for content in contents[:_PER_CELL] if pictures.has(content)]
        for cell, contents in judgement.cells.items()
    }
    cells = {cell: contents for cell, contents in cells.items() if contents}
    scores = judgement.evaluation.per_class
    data = {
        "names": table.classes,
        "cells": {
            cell: {"n": _count(table, scores, cell), "shown": shown, "what": _what(table, cell)}
            for cell, shown in cells.items()
        },
    }
    return tag(
        "section",
        tag("h3", "What is missed and what is falsely called", id=f"{key}-misses"),
        tag(
            "p",
            "A class is called where its probability reaches its threshold. “Instead” is what was falsely called most "
            "often where this class was missed. " + ("Press a number to see pictures behind it." if cells else ""),
            class_="hint",
        ),
        tag("div", misses_table(table, scores, cells, key), class_="scroll tall" if len(scores) > 15 else "scroll"),
        data_block(f"{key}-cells", data),
        class_="misses",
        data_cells=f"{key}-cells",
    )


def misses_table(table: MissTable, scores: tuple[ClassScores, ...], cells: Container[str], key: str) -> Html:
    """One row a class; the numbers of `cells` ("class,kind") are buttons."""
    columns = ("Shown by", "Found", "Missed", "Falsely called")
    heads = [_sortable("Class"), *(_sortable(name) for name in columns)]
    heads += [tag("th", name, scope="col") for name in ("Instead", "Often together with")]
    rows = [_row(table, scores, cells, c) for c in range(len(table.classes))]
    return tag(
        "table",
        tag("thead", tag("tr", *heads)),
        tag("tbody", *rows),
        class_="sortable",
        aria_labelledby=f"{key}-misses",
    )


def _row(table: MissTable, scores: tuple[ClassScores, ...], cells: Container[str], c: int) -> Html:
    together = [n if other != c else 0 for other, n in enumerate(table.together[c])]
    kinds = ("found", "missed", "false")
    return tag(
        "tr",
        tag("th", tag("bdi", table.classes[c]), scope="row"),
        tag("td", words.number(scores[c].n), class_="figure", data_value=scores[c].n),
        *(_number(table, scores, cells, f"{c},{kind}") for kind in kinds),
        tag("td", _most(table.classes, table.instead[c])),
        tag("td", _most(table.classes, tuple(together))),
    )


def _number(table: MissTable, scores: tuple[ClassScores, ...], cells: Container[str], cell: str) -> Html:
    n = _count(table, scores, cell)
    shown = tag("button", words.number(n), type="button", data_cell=cell) if cell in cells else words.number(n)
    return tag("td", shown, class_="figure", data_value=n)


def _most(classes: tuple[str, ...], counts: tuple[int, ...]) -> Html | str:
    best = max(range(len(counts)), key=lambda c: counts[c])
    if not counts[best]:
        return "–"
    return tag("span", tag("bdi", classes[best]), f" ({words.number(counts[best])})")


def _count(table: MissTable, scores: tuple[ClassScores, ...], cell: str) -> int:
    c, kind = _parts(cell)
    return {"missed": table.missed[c], "false": table.false[c], "found": scores[c].n_found or 0}[kind]


def _what(table: MissTable, cell: str) -> str:
    c, kind = _parts(cell)
    return _SAID[kind].format(table.classes[c])


def _parts(cell: str) -> tuple[int, str]:
    c, kind = cell.split(",")
    return int(c), kind


def _sortable(name: str) -> Html:
    return tag("th", tag("button", name, type="button"), scope="col", class_=None if name == "Class" else "figure")
