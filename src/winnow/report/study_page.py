"""A study as one HTML file that needs nothing else, and its charts as one SVG file."""

from __future__ import annotations

from importlib.resources import files

from winnow.report import words
from winnow.report.html import page_head, page_script
from winnow.report.lines import drawing
from winnow.report.markup import Html, tag
from winnow.report.study_schema import Chart, Series, StudyReport
from winnow.report.study_words import mean_in_words, needed_in_words, span_in_words, value_in_words


def as_study_page(study: StudyReport) -> str:
    """Draw a study as one self-contained HTML page, in UTF-8."""
    body = tag(
        "body",
        tag(
            "header",
            tag("p", "Winnow study", class_="eyebrow"),
            tag("h1", study.title),
            tag("p", study.claim, class_="verdict"),
        ),
        tag("main", _verdict(study), *(_chart(chart) for chart in study.charts), _setup(study)),
        tag("footer", f"Run in {words.duration(study.seconds)}"),
        page_script(),
    )
    head = page_head(f"{study.title} · Winnow study", more_style=_style())
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def as_study_svg(study: StudyReport) -> str:
    """Draw a study's charts as one SVG file, light or dark as whoever looks at it."""
    return f"{drawing(study.charts, style=_style())}\n"


def _verdict(study: StudyReport) -> Html:
    head = tag(
        "tr",
        tag("th", "What was measured", scope="col"),
        *(tag("th", name, scope="col", class_="figure") for name in ("Mean", "95 % interval", "The claim needs")),
        tag("th", "Verdict", scope="col"),
    )
    rows = [
        tag(
            "tr",
            tag("th", words.capital(one.what), scope="row"),
            tag("td", mean_in_words(one), class_="figure"),
            tag("td", span_in_words(one), class_="figure"),
            tag("td", needed_in_words(one), class_="figure"),
            tag("td", one.verdict),
        )
        for one in study.comparisons
    ]
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    hint = (
        f"{len(study.seeds)} seeds; compared seed by seed. An interval holds the mean of other seeds 95 % of the time; "
        "it does not speak of other pictures or other nets."
    )
    return tag(
        "section",
        tag("h2", words.capital(study.verdict)),
        tag("p", hint, class_="hint"),
        tag("div", table, class_="scroll"),
    )


def _chart(chart: Chart) -> Html:
    return tag(
        "section",
        tag("h2", chart.title),
        tag("figure", drawing([chart])),
        tag("details", tag("summary", "The numbers"), tag("div", _numbers(chart), class_="scroll tall")),
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


def _setup(study: StudyReport) -> Html:
    facts = {
        "Source of the claim": study.source,
        "Pictures": study.pictures or "none",
        "Seeds": ", ".join(map(str, study.seeds)),
        **{words.capital(name): value for name, value in study.settings.items()},
        "Machine": ", ".join(f"{name} {value}" for name, value in (study.machine | study.libraries).items()),
    }
    pairs = [part for name, value in facts.items() for part in (tag("dt", name), tag("dd", value))]
    return tag(
        "section", tag("h2", "How it was measured"), tag("dl", *pairs), tag("p", "Again:"), tag("pre", study.command)
    )


def _style() -> str:
    return (files("winnow.report.page") / "chart.css").read_text(encoding="utf-8")
