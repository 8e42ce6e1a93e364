"""A closer look at one set of pictures: thresholds, matrix, mistakes, calibration and classes, in one drawing.

The markup is the report's; `evaluate.js` moves it. Without what was answered picture by picture it stands still.
"""

from __future__ import annotations

from urllib.parse import quote

from winnow.metrics.evaluation import Evaluation
from winnow.report.markup import Html, tag
from winnow.report.page.confusion import matrix_table, pairs_table
from winnow.report.page.curves import curves_section, reliability_section
from winnow.report.page.misses import misses_table
from winnow.report.page.scores import classes_section
from winnow.studio.pages.evaluate.judged_sets import TEST, JudgedSet, set_address

_KEY = "look"
_BESIDE_UP_TO = 12
_REGION = {"tabindex": "0", "role": "group", "aria_labelledby": f"{_KEY}-confusion"}
_OF_BEFORE = (
    "This model was trained before Winnow kept each picture's probabilities: nothing moves here, and numbers open no "
    "pictures. Train again to get both."
)


def closer_look(shown: JudgedSet, model: str) -> Html:
    """The element that `evaluate.js` brings to life.

    Args:
        shown: a set of pictures.
        model: the model's full name.
    """
    address, evaluation = set_address(model, shown.name), shown.judgement.evaluation
    moves = shown.pictures is not None
    return tag(
        "winnow-evaluation",
        None if moves else tag("p", _OF_BEFORE, class_="notice"),
        tag(
            "div",
            curves_section(evaluation, _KEY, is_test=shown.name == TEST, has_data=False),
            _mix_ups(evaluation, moves=moves),
            # Many classes make a matrix that wants all the room there is.
            class_="together" if len(evaluation.per_class) <= _BESIDE_UP_TO else None,
        ),
        _how_counted() if moves and evaluation.confusion is not None else None,
        _mistakes() if moves else None,
        reliability_section(evaluation, _KEY),
        classes_section(evaluation, _KEY),
        _dialog() if moves else None,
        data_pictures=f"{address}/pictures.json",
        data_answers=f"{address}/answers.bin" if moves else None,
        data_label=f"/label/{quote(shown.dataset, safe='')}?show=near:",
    )


def _mix_ups(evaluation: Evaluation, *, moves: bool) -> Html:
    """The matrix; where a picture may show several classes, what is missed and falsely called."""
    move = "It moves with the slider. Press a number to see its pictures." if moves else None
    if evaluation.confusion is not None:
        table = evaluation.confusion
        title = "What is taken for what (confusion matrix)"
        said = (
            "Rows are the truth, columns the model’s answer; blue cells are right answers, orange ones mistakes, the "
            "deeper the larger the share of the row. “Most confused” counts the model’s own answers, at any threshold. "
        )
        tall = "scroll tall matrix" if len(table.classes) > 12 else "scroll matrix"
        drawn = [tag("div", matrix_table(table, (), _KEY), class_=tall, **_REGION), pairs_table(table, ())]
    else:
        assert evaluation.misses is not None
        table, scores = evaluation.misses, evaluation.per_class
        title = "What is missed and what is falsely called"
        said = "A class is called where its probability reaches its threshold. "
        tall = "scroll tall" if len(scores) > 15 else "scroll"
        drawn = [tag("div", misses_table(table, scores, (), f"{_KEY}-mix"), class_=tall, **_REGION)]
    return tag(
        "section",
        tag("h3", title, id=f"{_KEY}-confusion"),
        tag("p", said, move, class_="hint"),
        tag("div", *drawn, class_="beside", data_part="all"),
        _two() if moves else None,
        class_="misses" if evaluation.confusion is None else "confusion",
    )


def _how_counted() -> Html:
    said = (
        "With all classes together, only the likeliest class of a picture counts as its answer, and only where its "
        "probability reaches the threshold: precision is the share of answers that are right, recall the share of "
        "pictures that are answered right, and both are read off the matrix. From 50 % up these are the report’s "
        "micro-averaged figures; below, the report also counts second guesses. A class by itself is called wherever "
        "its own probability reaches the threshold, whatever else is likely."
    )
    return tag("details", tag("summary", "How these figures are counted"), tag("p", said))


def _two() -> Html:
    """One class against all others: four numbers, filled in by the script."""
    name = tag("bdi", data_name=True)
    head = tag("tr", tag("td"), tag("th", "called ", name, scope="col"), tag("th", "not called so", scope="col"))
    cells = (("is ", ("tp", "right"), ("fn", "wrong")), ("is not ", ("fp", "wrong"), ("tn", "right")))
    rows = [
        tag(
            "tr",
            tag("th", said, name, scope="row"),
            *(tag("td", data_two=kind, class_=colour) for kind, colour in pair),
        )
        for said, *pair in cells
    ]
    caption = tag("caption", "This class against all others: right in blue, wrong in orange")
    return tag("table", caption, tag("thead", head), tag("tbody", *rows), class_="two", data_part="two", hidden=True)


def _mistakes() -> Html:
    return tag(
        "section",
        tag("h3", "Mistakes, most sure first", id=f"{_KEY}-mistakes"),
        tag("p", "They are being counted.", class_="hint", data_part="mistakes-said"),
        tag("ol", class_="mistakes"),
        tag("button", "Show more", type="button", data_part="more", hidden=True),
    )


def _dialog() -> Html:
    head = tag(
        "div",
        tag("h2", id=f"{_KEY}-dialog"),
        tag("form", tag("button", "Close", autofocus=True), method="dialog"),
        class_="head",
    )
    more = tag("button", "Show more", type="button", data_part="more-pictures", hidden=True)
    return tag("dialog", head, tag("ol", class_="mistakes"), more, aria_labelledby=f"{_KEY}-dialog")
