"""The ladder: what each method scored, what it gained over the cheaper ones, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence

from winnow.metrics.intervals import Interval
from winnow.report import svg, words
from winnow.report.markup import Html, joined, tag
from winnow.report.scale import Scale, scale_for
from winnow.report.schema import Report, RungResult


def ladder_section(report: Report) -> Html:
    """Every rung in the order tried: a point and its interval on one scale, with gain and cost beside."""
    return tag(
        "section",
        tag("h2", "The ladder", id="ladder"),
        tag("p", _in_short(report), class_="hint"),
        ladder_table(report.ladder, report.climb.optimise, report.task, labelled_by="ladder"),
        tag("details", tag("summary", "How to read this"), how_to_read(report.ladder, report.climb.optimise)),
        left_out(report.ladder),
    )


def ladder_table(
    rungs: Sequence[RungResult], metric: str, task: str | None, *, labelled_by: str, waiting: Sequence[Html] = ()
) -> Html:
    """The rungs that have a score, as a table with a drawing in each row; its style is `ladder.css`.

    Args:
        rungs: in the order tried; those without a score are left out.
        metric: the name of what was optimised.
        task: of the dataset.
        labelled_by: the id of the heading that names the table.
        waiting: rows below them, for what has no score yet.
    """
    scale = _scale(rungs, metric)
    band = next((rung.score for rung in rungs if rung.is_chosen), None)
    climbed = [_climbed(rung, metric, scale, band, rungs) for rung in rungs if rung.score is not None]
    return tag(
        "table",
        _head(metric, task, scale),
        tag("tbody", *climbed, *waiting, role="rowgroup"),
        class_="ladder",
        role="table",
        aria_labelledby=labelled_by,
    )


def how_to_read(rungs: Sequence[RungResult], metric: str) -> Html:
    """What the drawing of these rungs shows."""
    return tag("p", _explanation(rungs, _scale(rungs, metric)), class_="hint")


def left_out(rungs: Sequence[RungResult]) -> Html | None:
    """Those without a score, and why."""
    items = [
        tag("li", tag("b", rung.title), f" {rung.state}: {rung.reason or 'no reason was recorded'}")
        for rung in rungs
        if rung.score is None
    ]
    return tag("div", tag("h3", "Not measured"), tag("ul", *items), class_="left-out") if items else None


def _scale(rungs: Sequence[RungResult], metric: str) -> Scale:
    return scale_for(
        [rung.score for rung in rungs if rung.score is not None] or [Interval(0.5, 0.0, 1.0)],
        higher_is_better=words.higher_is_better(metric),
        unit_range=words.is_share(metric),
    )


def _in_short(report: Report) -> str:
    return (
        f"Methods from cheap to dear, all judged on the same {words.count(report.climb.n_judged, 'picture')} "
        f"({report.climb.judged_by}). Further right is better; the bar is where the true value may lie."
    )


def _explanation(rungs: Sequence[RungResult], scale: Scale) -> Html:
    level = next((words.level(rung.score) for rung in rungs if rung.score), "95 %")
    said = [
        f"The dot is what was measured, the bar its {level} interval; the shaded band is the interval of the "
        "chosen method, to compare with. "
    ]
    if scale.is_stretched:
        said.append("The scale stretches to the right: each halving of the mistakes takes the same room. ")
    said.append(
        "Gain is the difference to the best cheaper method. A method has earned its place if that is more than "
        "chance: the interval of the gain, widened for the number of comparisons made, does not reach zero."
    )
    return joined(said)


def _head(metric: str, task: str | None, scale: Scale) -> Html:
    ticks = tag(
        "svg",
        *(_tick(metric, value, scale.place(value)) for value in scale.ticks()),
        class_="ticks",
        aria_hidden="true",
    )
    unit = ", points" if words.is_share(metric) else ""
    return tag(
        "thead",
        tag(
            "tr",
            tag("th", "Method", scope="col", role="columnheader"),
            tag("th", ticks, scope="col", role="columnheader", class_="scale", aria_label="Drawing"),
            tag("th", words.capital(words.term(metric, task)), scope="col", role="columnheader", class_="figure"),
            tag("th", f"Gain{unit}", scope="col", role="columnheader", class_="figure"),
            tag("th", "Time", scope="col", role="columnheader", class_="figure"),
            role="row",
        ),
        role="rowgroup",
    )


def _climbed(rung: RungResult, metric: str, scale: Scale, band: Interval | None, rungs: Sequence[RungResult]) -> Html:
    assert rung.score is not None
    kind = "chosen" if rung.is_chosen else "earned" if rung.has_earned else "plain"
    return tag(
        "tr",
        tag(
            "th",
            tag("span", rung.title, class_="name"),
            *_marks(rung),
            scope="row",
            role="rowheader",
        ),
        tag("td", svg.strip(rung.score, scale, kind, band), role="cell", class_="drawing"),
        tag(
            "td",
            tag("b", words.score(metric, rung.score.value)),
            tag("small", words.span(metric, rung.score)),
            role="cell",
            class_="figure",
        ),
        _gain(rung, metric, rungs),
        tag(
            "td",
            tag("span", "–" if rung.seconds is None else words.duration(rung.seconds)),
            None if rung.joules is None else tag("small", words.energy(rung.joules)),
            role="cell",
            class_="figure",
        ),
        role="row",
        class_=kind,
    )


def _gain(rung: RungResult, metric: str, rungs: Sequence[RungResult]) -> Html:
    if rung.gain is None:
        return tag("td", tag("span", "–", aria_label="no cheaper method"), role="cell", class_="figure gain")
    over = next((other.title for other in rungs if other.rung == rung.gain_over), None)
    return tag(
        "td",
        tag("span", words.gain(metric, rung.gain.value)),
        tag("small", words.gain_span(metric, rung.gain)),
        role="cell",
        class_="figure gain",
        title=None if over is None else f"compared with: {over}",
    )


def _marks(rung: RungResult) -> list[Html]:
    marks: list[Html] = []
    if rung.is_chosen:
        marks.append(tag("span", "chosen", class_="mark chosen"))
    if rung.has_earned:
        marks.append(tag("span", "✓ earned its place", class_="mark earned"))
    elif rung.gain is not None and not rung.is_chosen:
        marks.append(tag("small", "not shown to be better"))
    return marks


def _tick(metric: str, value: float, place: float) -> Html:
    written = f"{100 * value:.4g} %" if words.is_share(metric) else f"{value:.3g}"
    anchor = "start" if place < 0.06 else "end" if place > 0.94 else "middle"
    return tag("text", written, x=f"{100 * place:.1f}%", y="1em", text_anchor=anchor)
