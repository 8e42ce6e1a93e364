"""Lines over a common axis on a page: the drawing, and behind a click the same numbers as a table."""

from __future__ import annotations

from importlib.resources import files

from winnow.report import words
from winnow.report.lines import drawing
from winnow.report.markup import Html, joined, tag
from winnow.report.study_schema import Chart, Series
from winnow.report.study_words import value_in_words


def chart_style() -> str:
    """What a page's style sheet needs for them."""
    return (files("winnow.report.page") / "chart.css").read_text(encoding="utf-8")


def chart_figure(chart: Chart) -> Html:
    """The chart without its title."""
    return joined(
        (
            tag("figure", drawing([chart])),
            tag("details", tag("summary", "The numbers"), tag("div", _numbers(chart), class_="scroll tall")),
        )
    )


def _numbers(chart: Chart) -> Html:
    """One row for every place, one column for every line; means with their intervals."""
    xs = sorted({x for one in chart.series for x in one.xs})
    if _is_path(chart):
        return _places(chart)
    cells = [{x: _cell(one, place) for place, x in enumerate(one.xs)} for one in chart.series]
    head = [tag("th", chart.x_title, scope="col"), *(tag("th", s.name, scope="col") for s in chart.series)]
    rows = [
        tag("tr", tag("th", _x_name(chart, x), scope="row"), *(tag("td", of.get(x, "")) for of in cells)) for x in xs
    ]
    caption = tag("caption", words.capital(chart.y_title))
    return tag("table", caption, tag("thead", tag("tr", *head)), tag("tbody", *rows))


def _is_path(chart: Chart) -> bool:
    """Whether a line goes back and forth: then its places are listed in order."""
    return any(list(one.xs) != sorted(one.xs) for one in chart.series)


def _places(chart: Chart) -> Html:
    head = [
        tag("th", "Line", scope="col"),
        tag("th", chart.x_title, scope="col"),
        tag("th", chart.y_title, scope="col"),
    ]
    rows = [
        tag("tr", tag("th", one.name, scope="row"), tag("td", value_in_words(x)), tag("td", value_in_words(y)))
        for one in chart.series
        for x, y in zip(one.xs, one.ys, strict=True)
    ]
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *rows))


def _cell(one: Series, place: int) -> str:
    value = value_in_words(one.ys[place])
    if not one.lows or one.is_theory:
        return value
    return f"{value} ({value_in_words(one.lows[place])} to {value_in_words(one.highs[place])})"


def _x_name(chart: Chart, x: float) -> str:
    return chart.x_names[int(x)] if chart.x_names else value_in_words(x)
