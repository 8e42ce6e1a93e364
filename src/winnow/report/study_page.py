"""A study as one HTML file that needs nothing else, and its charts as one SVG file."""

from __future__ import annotations

from winnow.report import words
from winnow.report.html import page_head, page_script
from winnow.report.lines import drawing
from winnow.report.markup import Html, tag
from winnow.report.page.chart import chart_figure, chart_style
from winnow.report.study_schema import Chart, StudyReport
from winnow.report.study_words import mean_in_words, needed_in_words, span_in_words


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
    head = page_head(f"{study.title} · Winnow study", more_style=chart_style())
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def as_study_svg(study: StudyReport) -> str:
    """Draw a study's charts as one SVG file, light or dark as whoever looks at it."""
    return f"{drawing(study.charts, style=chart_style())}\n"


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
    return tag("section", tag("h2", chart.title), chart_figure(chart))


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
