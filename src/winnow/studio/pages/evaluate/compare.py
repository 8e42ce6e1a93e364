"""Compare with another model of the same dataset, on the same pictures, with a paired test."""

from __future__ import annotations

import json
import shlex

from nicegui import ui

from winnow.api.comparing import compare
from winnow.api.comparison import Comparison, deciding_sentence, score_rows
from winnow.errors import UserError
from winnow.report import words
from winnow.studio.answering import aside
from winnow.studio.fields import choice, on_change
from winnow.studio.page import Visit
from winnow.studio.pages.evaluate.links import model_page
from winnow.studio.parts import box, details, heading, para, same_as, table
from winnow.workspace.records import ModelRecord
from winnow.workspace.workspace import Workspace

_NONE = ""


async def comparison(visit: Visit, record: ModelRecord, records: list[ModelRecord]) -> None:
    """A list of the other models of this dataset; the chosen one is held beside this one."""
    others = [
        one
        for one in sorted(records, key=lambda one: one.created, reverse=True)
        if one.dataset == record.dataset and one.digest != record.digest
    ]
    name = record.full_name
    with box("section", "card", id="compare"):
        heading("Is another model better?")
        if not others:
            para(
                f"There is no other model of {record.dataset} yet. Once there is, both are held side by side here, on "
                "the same pictures."
            )
            return
        known = {one.full_name: one.full_name for one in others}
        wanted = visit.query.get("with", _NONE)
        other = wanted if wanted in known else _NONE
        options = {_NONE: "Choose a model", **known}
        chooser = choice("Compare with", options, value=other, hint="Models of the same dataset; nothing is opened.")
        on_change(chooser, lambda chosen: ui.navigate.to(model_page(name, with_=str(chosen)) + "#compare"))
        if other:
            await _compared(visit.workspace, other, name)
        a, b = other or others[0].full_name, name
        same_as(
            f"winnow compare {shlex.quote(a)} {shlex.quote(b)}",
            f"import winnow\nprint(winnow.compare({json.dumps(a, ensure_ascii=False)}, "
            f"{json.dumps(b, ensure_ascii=False)}).verdict)",
        )


async def _compared(workspace: Workspace, a: str, b: str) -> None:
    try:
        found: Comparison = await aside(lambda: compare(a, b, workspace=workspace))
    except UserError as error:
        para(str(error), "notice wrong")
        return
    para(found.verdict, "lead", id="compared")
    on = "the test split that both have opened" if found.on == "test" else "what both climbs judged"
    caption = f"On {words.count(found.n, 'picture')} of {on}; the difference is {found.b} minus {found.a}"
    table(caption, ("Measure", found.a, found.b, "Difference"), score_rows(found))
    with box("ul"):
        for note in found.notes:
            with box("li"):
                para(note)
    with details("Right and wrong, picture by picture"):
        answers = found.answers
        right = "right" if found.task == "classify" else "wholly right"
        rows = [
            [f"{found.a} {right}", words.number(answers.both), words.number(answers.only_a)],
            [f"{found.a} not {right}", words.number(answers.only_b), words.number(answers.neither)],
        ]
        table("Pictures", ("", f"{found.b} {right}", f"{found.b} not {right}"), rows)
        para(
            "Only the two numbers where the models disagree say which is better. McNemar's exact test asks how often a "
            "fair coin would share them out so unevenly. The intervals come from the paired bootstrap: whole pictures, "
            "or groups of them, are drawn again and again, for both models alike. " + deciding_sentence(found)
        )
