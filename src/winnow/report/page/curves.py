"""What each threshold would do: precision-recall and ROC curves under one slider, and the reliability diagram."""

from __future__ import annotations

from itertools import pairwise

from winnow.metrics.curves import MICRO, Curve, ThresholdRow
from winnow.metrics.evaluation import Evaluation
from winnow.report import svg, words
from winnow.report.markup import Html, data_block, tag

_ROWS_SHOWN = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


_RELIABILITY = (
    "Reliability (calibration): if dots lie on the diagonal, “80 % sure” is right 80 % of the time. Below it "
    "the model is too sure, above it too modest. Large dots stand for many pictures; bars are 95 % intervals."
)
_SEVERAL_RELIABILITY = (
    "Reliability (calibration): each picture asks of each class, is it there? If dots lie on the diagonal, a class "
    "that gets 80 % is there 80 % of the time. Below it the model is too sure, above it too modest. Large dots stand "
    "for many questions; bars are 95 % intervals."
)


def curves_section(evaluation: Evaluation, key: str, *, is_test: bool, has_data: bool = True) -> Html:
    """The two curves, the slider that walks along them, and a table of some thresholds.

    The slider needs the page's script; without it the curves and the table still stand.

    Args:
        evaluation: what is drawn.
        key: tells this section from others of the page.
        is_test: of the test split.
        has_data: bring `curves_data` along; False: the page's script has it from elsewhere.
    """
    names = _names_with_curve(evaluation)
    options = [tag("option", "all classes together (micro)", value="")]
    options += [tag("option", name, value=str(i)) for i, name in enumerate(names)]
    pr, roc = evaluation.pr_curves.get(MICRO), evaluation.roc_curves.get(MICRO)
    is_multilabel = evaluation.misses is not None
    asked = "Call a class if at least " if is_multilabel else "Answer only if at least "
    return tag(
        "section",
        tag("h3", "How sure must it be? Precision, recall and a threshold", id=f"{key}-curves"),
        tag("p", _explanation(is_multilabel=is_multilabel, is_test=is_test), class_="hint"),
        tag(
            "div",
            tag("label", "For ", tag("select", *options, data_part="class")),
            tag(
                "label",
                tag("span", asked, tag("output", "50 %", data_part="threshold"), " sure"),
                tag(
                    "input",
                    type="range",
                    min=0,
                    max=100,
                    step=1,
                    value=50,
                    data_part="slider",
                    aria_label="Threshold in per cent",
                ),
            ),
            tag("p", data_part="reading", role="status"),
            class_="controls",
            hidden=True,
        ),
        tag(
            "div",
            tag(
                "figure",
                _square(pr, "Precision-recall curve", "found: recall", "right when said: precision", "pr"),
                tag("figcaption", "Precision against recall"),
            ),
            tag(
                "figure",
                _square(roc, "ROC curve", "false alarms: false positive rate", "found: true positive rate", "roc"),
                tag("figcaption", "ROC: found against false alarms"),
            ),
            class_="pair",
        ),
        _threshold_table(evaluation),
        data_block(f"{key}-curves-data", curves_data(evaluation)) if has_data else None,
        class_="curves",
        data_curves=f"{key}-curves-data",
    )


def reliability_section(evaluation: Evaluation, key: str) -> Html:
    """Does 80 % sure mean right 80 % of the time? The diagram and the same numbers as a table."""
    rows = [
        tag(
            "tr",
            tag("th", f"{100 * b.low:.0f} to {100 * b.high:.0f} %", scope="row"),
            tag("td", words.number(b.n), class_="figure"),
            tag("td", words.percent(b.confidence), class_="figure"),
            tag(
                "td",
                words.percent(b.accuracy.value),
                tag("small", words.span("accuracy", b.accuracy)),
                class_="figure",
            ),
        )
        for b in evaluation.reliability
        if b.accuracy is not None and b.confidence is not None
    ]
    heads = [tag("th", "Sure", scope="col")]
    is_multilabel = evaluation.misses is not None
    counted = ("Questions", "Mean", "There") if is_multilabel else ("Pictures", "Mean", "Right")
    heads += [tag("th", name, scope="col", class_="figure") for name in counted]
    table = tag("table", tag("thead", tag("tr", *heads)), tag("tbody", *rows))
    return tag(
        "section",
        tag("h3", "Can its confidence be believed?", id=f"{key}-reliability"),
        tag(
            "p",
            _SEVERAL_RELIABILITY if is_multilabel else _RELIABILITY,
            class_="hint",
        ),
        tag("figure", svg.reliability(evaluation.reliability, "questions" if is_multilabel else "pictures")),
        tag("details", tag("summary", "The same as a table"), table),
    )


def _explanation(*, is_multilabel: bool, is_test: bool) -> str:
    said = (
        "The model gives each class a probability, and calls a class from a threshold on (each has its own, in the "
        "table below). Raise a threshold, and fewer calls are false but more is missed. Move the slider to see the "
        "trade."
        if is_multilabel
        else "The model gives each class a probability. Let it answer only above a threshold, and it makes fewer "
        "mistakes but leaves more pictures unanswered. Move the slider to see the trade."
    )
    if is_test:
        said += " Choose a threshold on the other pictures, not on these: a test that helps to choose is spent."
    return said


def _square(curve: Curve | None, label: str, x_title: str, y_title: str, plot: str) -> Html:
    return svg.square(
        svg.curve(curve.x, curve.y) if curve else Html(),
        label=f"{label}; the table below has some of its points",
        x_title=x_title,
        y_title=y_title,
        plot=plot,
        diagonal=plot == "roc",
    )


def _threshold_table(evaluation: Evaluation) -> Html:
    is_multilabel = evaluation.misses is not None
    heads = ("Least sure", "Answered", "Of those, right", "Precision", "Recall")
    if is_multilabel:
        heads = ("Called from", "Pictures with a call", "Precision", "Recall")
    shown = [_nearest(evaluation, threshold) for threshold in _ROWS_SHOWN] if evaluation.thresholds else []
    shown = [shown[0], *(b for a, b in pairwise(shown) if a != b)] if shown else []
    rows = [
        tag(
            "tr",
            tag("th", words.percent(row.threshold), scope="row", class_="figure"),
            *(
                tag("td", "–" if value is None else words.percent(value), class_="figure")
                for value in (row.coverage, *([] if is_multilabel else [row.accuracy]), row.precision, row.recall)
            ),
        )
        for row in shown
    ]
    head = tag("tr", *(tag("th", name, scope="col", class_="figure") for name in heads))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    return tag(
        "details",
        tag("summary", "Some thresholds as a table (all classes together)"),
        tag("div", table, class_="scroll", tabindex="0", role="group", aria_label="Thresholds"),
    )


def _nearest(evaluation: Evaluation, threshold: float) -> ThresholdRow:
    return min(evaluation.thresholds, key=lambda row: abs(row.threshold - threshold))


def _names_with_curve(evaluation: Evaluation) -> list[str]:
    """The classes that can be chosen: those that some picture is of."""
    return [c.name for c in evaluation.per_class if _key(c.name) in evaluation.pr_curves]


def curves_data(evaluation: Evaluation) -> dict[str, object]:
    """What a slider needs: the threshold rows, and by class both curves as [x, y, threshold] triples."""
    names = _names_with_curve(evaluation)
    numbers = {c.name: c.n for c in evaluation.per_class}
    n_true = sum(numbers.values())
    return {
        "n": evaluation.n,
        "is_multilabel": evaluation.misses is not None,
        # Pairs of picture and class that are true, by those that are not: from precision to false positive rate.
        "true_to_false": n_true / max(evaluation.n * len(evaluation.per_class) - n_true, 1),
        "rows": [
            [_short(v) for v in (row.threshold, row.coverage, row.accuracy, row.precision, row.recall)]
            for row in evaluation.thresholds
        ],
        "all": [_triples(evaluation.pr_curves.get(MICRO)), _triples(evaluation.roc_curves.get(MICRO))],
        "classes": [
            {
                "name": name,
                "n": numbers[name],
                "pr": _triples(evaluation.pr_curves[_key(name)]),
                "roc": _triples(evaluation.roc_curves.get(_key(name))),
            }
            for name in names
        ],
    }


def _key(class_name: str) -> str:
    # The curves of all classes together are called "micro"; a class of that name had to step aside.
    return f"{MICRO} (class)" if class_name == MICRO else class_name


def _triples(curve: Curve | None) -> list[list[float | None]]:
    if curve is None:
        return []
    points = zip(curve.x, curve.y, curve.thresholds, strict=True)
    return [[_short(value) for value in point] for point in points]


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
