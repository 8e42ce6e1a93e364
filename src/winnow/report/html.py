"""The report as one HTML file that needs nothing else: no network, no fonts, no second file.

A content security policy names the hashes of the one style sheet and the one script inside and forbids all
else, so even a mistake of ours in escaping could neither run a stranger's code nor send anything away.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from importlib.resources import files

from winnow.report import words
from winnow.report.limits import is_optimistic
from winnow.report.markup import Html, joined, tag
from winnow.report.page.chart import chart_style
from winnow.report.page.confusion import cell_pictures, confusion_section
from winnow.report.page.curves import curves_section, reliability_section
from winnow.report.page.facts import cost_section, dataset_section, limits_section, reproduce_section
from winnow.report.page.health import health_section
from winnow.report.page.ladder import ladder_section
from winnow.report.page.learning import learning_section
from winnow.report.page.misses import misses_section
from winnow.report.page.mistakes import mistakes_section
from winnow.report.page.pictures import Pictures
from winnow.report.page.scores import classes_section, scores_section
from winnow.report.schema import Judgement, Report


def as_html(report: Report, pictures: Callable[[str], bytes | None]) -> str:
    """Draw a report as one self-contained HTML page, in UTF-8.

    Args:
        report: what was measured.
        pictures: gives the encoded thumbnail (JPEG, PNG, GIF or WebP; see `winnow.report.thumbnails`) of a
            content hash, or None where there is none to show. Asked at most once for each picture.

    Returns:
        The whole document. The same report and pictures give the same text.
    """
    shown = Pictures(pictures)
    body = tag(
        "body",
        tag("a", "Skip to the ladder", href="#ladder", class_="skip"),
        _header(report),
        tag(
            "main",
            ladder_section(report),
            learning_section(report),
            scores_section(report),
            _details(report, shown),
            None if report.health is None else health_section(report.health, shown),
            limits_section(report),
            cost_section(report),
            dataset_section(report),
            reproduce_section(report),
        ),
        tag("footer", f"Winnow {report.climb.winnow_version} · {report.created} · report {report.schema_version}"),
        page_dialog(),
        shown.data([c for judgement in _judgements(report) for c in cell_pictures(judgement)]),
        page_script(),
    )
    has_charts = any(rung.curves for rung in report.ladder)
    head = page_head(f"{report.dataset.name} · Winnow report", more_style=chart_style() if has_charts else "")
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def page_head(title: str, *, more_style: str = "") -> Html:
    """The head of a page of ours: its policy, its style with more of it at the end, its title."""
    style = Html("".join(map(_part, ("style.css", "ladder.css", "closer_look.css"))) + more_style)
    script = _part("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("link", rel="icon", href="data:,"),
        tag("title", title),
        tag("style", style),
    )


def _header(report: Report) -> Html:
    return tag(
        "header",
        tag("p", f"Winnow report · {report.task}", class_="eyebrow"),
        tag("h1", tag("bdi", report.dataset.name), tag("small", f" model {report.model}")),
        tag("p", report.verdict, class_="verdict"),
        tag("ul", *_tiles(report), class_="tiles"),
    )


def _tiles(report: Report) -> list[Html]:
    chosen = next((rung for rung in report.ladder if rung.is_chosen), None)
    tiles: list[Html] = []
    if chosen is not None and chosen.score is not None:
        metric = report.climb.optimise
        figure = words.score(metric, chosen.score.value)
        said = f"{words.plain(metric, report.task)}, {words.span(metric, chosen.score)}"
        tiles.append(_tile(figure, said))
    if report.test is not None:
        metric = report.climb.optimise
        interval = report.test.evaluation.scores.get(metric)
        if interval is not None:
            honesty = "optimistic" if is_optimistic(report) else "opened once"
            said = f"on the test split ({honesty}), {words.span(metric, interval)}"
            tiles.append(_tile(words.score(metric, interval.value), said))
    tiles.append(_tile(words.number(report.climb.n_judged), f"pictures judged, {report.climb.judged_by}"))
    energy = words.energy(report.climb.joules)
    tiles.append(_tile(words.duration(report.climb.seconds), f"for the whole climb, {energy}"))
    return tiles


def _tile(figure: str, said: str) -> Html:
    return tag("li", tag("b", figure), tag("span", said))


def _details(report: Report, pictures: Pictures) -> Html:
    """Curves, confusion and mistakes; a switch chooses the set of pictures where there are two."""
    if report.test is None:
        return tag("div", tag("h2", "A closer look"), _panel(report.judged, "judged", pictures, is_test=False))
    judged_by = report.climb.judged_by
    return tag(
        "div",
        tag("h2", "A closer look"),
        tag(
            "div",
            tag("button", words.capital(judged_by), type="button", data_panel="judged", aria_pressed="true"),
            tag("button", "Test split", type="button", data_panel="test", aria_pressed="false"),
            class_="switch",
            role="group",
            aria_label="Pictures to look at",
            hidden=True,
        ),
        tag("div", _panel(report.judged, "judged", pictures, is_test=False), id="judged"),
        tag(
            "div",
            tag("h2", "On the test split", class_="panel-title"),
            _panel(report.test, "test", pictures, is_test=True),
            id="test",
        ),
    )


def _panel(judgement: Judgement, key: str, pictures: Pictures, *, is_test: bool) -> Html:
    return joined(
        (
            _mix_ups(judgement, key, pictures),
            mistakes_section(judgement, key, pictures),
            curves_section(judgement.evaluation, key, is_test=is_test),
            reliability_section(judgement.evaluation, key),
            classes_section(judgement.evaluation, key),
        )
    )


def _mix_ups(judgement: Judgement, key: str, pictures: Pictures) -> Html | None:
    """The confusion matrix; where a picture may show several classes, what is missed and falsely called."""
    evaluation = judgement.evaluation
    if evaluation.confusion is not None:
        return confusion_section(judgement, evaluation.confusion, key, pictures)
    return None if evaluation.misses is None else misses_section(judgement, evaluation.misses, key, pictures)


def _judgements(report: Report) -> list[Judgement]:
    return [report.judged] if report.test is None else [report.judged, report.test]


def page_script() -> Html:
    """The one script that the policy allows."""
    return tag("script", _part("page.js"))


def page_dialog() -> Html:
    """Where the script shows pictures."""
    return tag(
        "dialog",
        tag("h2", id="dialog-title"),
        tag("div", class_="gallery"),
        tag("form", tag("button", "Close", autofocus=True), method="dialog"),
        aria_labelledby="dialog-title",
    )


def _part(name: str) -> Html:
    """A file of the page as it is; ours, so it is not escaped."""
    return Html((files("winnow.report.page") / name).read_text(encoding="utf-8"))


def _hash(part: str) -> str:
    return f"sha256-{b64encode(sha256(part.encode('utf-8')).digest()).decode('ascii')}"
