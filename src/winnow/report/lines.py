"""Lines over a common axis, in SVG: what studies measured, by step, by layer, by size.

Colours and dashes come from `page/chart.css` by class name. Numbers stand in a table beside every drawing; the
drawing is for the shape.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from winnow.report.markup import Html, joined, tag
from winnow.report.study_schema import Chart, Series

WIDTH, HEIGHT = 640, 340
_LEFT, _TOP, _RIGHT, _BOTTOM = 62, 30, 34, 44
_KEY_ROW, _KEY_COLUMN, _KEYS_A_ROW = 18, 300, 2
_HUES = 8
_INK = "h7"
"""Theory is drawn in the colour of the words, thin and dotted, over what was measured."""
_TICKS = 6
_MOST_DECADES = 30.0
"""A logarithmic axis shows no more than these below its top: what has vanished entirely would flatten the rest."""
_DOTS_UP_TO = 12
_BANDS_UP_TO = 5
"""With more lines the intervals stand in the table alone: drawn over each other they would hide the lines."""


@dataclass(frozen=True, slots=True)
class Axis:
    """From values to 0..1, evenly or by their logarithm."""

    low: float
    high: float
    is_log: bool

    @classmethod
    def over(cls, values: Sequence[float], *, is_log: bool, room: float = 0.0) -> Axis:
        """The axis on which all these lie; on a logarithmic one those above 0."""
        seen = [math.log10(v) for v in values if v > 0] if is_log else list(values)
        low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
        if is_log:
            low = max(low, high - _MOST_DECADES)
        if high - low < 1e-9:
            low, high = low - 0.5, high + 0.5
        margin = room * (high - low)
        return cls(low - margin, high + margin, is_log)

    def place(self, value: float) -> float:
        """Where a value lies; beyond the ends at the ends."""
        if self.is_log:
            value = math.log10(value) if value > 0 else -math.inf
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def ticks(self) -> list[float]:
        """Round values between the ends."""
        if self.is_log and self.high - self.low >= 1:
            every = max(1, math.ceil((self.high - self.low) / _TICKS))
            return [10.0**power for power in range(math.ceil(self.low), math.floor(self.high) + 1, every)]
        low, high = (10**self.low, 10**self.high) if self.is_log else (self.low, self.high)
        rough = (high - low) / _TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
        return [n * step for n in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _chart(chart: Chart, *, top: float, is_titled: bool) -> Html:
    """The inside of one drawing, `WIDTH` by `height_of(chart)`, moved down by `top`."""
    xs = [x for one in chart.series for x in one.xs] or [0.0]
    has_bands = sum(not one.is_theory for one in chart.series) <= _BANDS_UP_TO
    ends = [v for one in chart.series for v in (*one.ys, *((*one.lows, *one.highs) if has_bands else ()))] or [0.0]
    x_axis = Axis.over([*xs, *(range(len(chart.x_names)) if chart.x_names else ())], is_log=chart.is_log_x)
    y_axis = Axis.over(ends, is_log=chart.is_log_y, room=0.04)
    bands = [_band(one, hue, x_axis, y_axis) for one, hue in _hued(chart.series)] if has_bands else []
    lines = [_line(one, hue, x_axis, y_axis) for one, hue in _hued(chart.series)]
    return tag(
        "g",
        tag("rect", class_="back", width=WIDTH, height=height_of(chart)),
        tag("text", chart.title, class_="title", x=_LEFT, y=18) if is_titled else None,
        *_grid(chart, x_axis, y_axis),
        *bands,
        *lines,
        *_key(chart.series),
        transform=f"translate(0 {top:g})" if top else None,
    )


def height_of(chart: Chart) -> int:
    """Of the drawing, its key included."""
    return HEIGHT + _KEY_ROW * math.ceil(len(chart.series) / _KEYS_A_ROW) + 8


def drawing(charts: Sequence[Chart], *, style: str | None = None) -> Html:
    """Charts below each other as one SVG.

    Args:
        charts: at least one.
        style: a style sheet to put in, and titles; None: the page has both.
    """
    heights = [height_of(chart) for chart in charts]
    tops = [sum(heights[:number]) for number in range(len(charts))]
    titles = "; ".join(chart.title for chart in charts)
    return tag(
        "svg",
        None if style is None else tag("style", Html(style)),
        *(_chart(chart, top=top, is_titled=style is not None) for chart, top in zip(charts, tops, strict=True)),
        xmlns="http://www.w3.org/2000/svg",
        class_="chart",
        viewBox=f"0 0 {WIDTH} {sum(heights)}",
        role="img",
        aria_label=f"{titles}. The numbers are in the table beside it.",
    )


def _point(x: float, y: float) -> tuple[float, float]:
    """Where (x, y), both in 0..1, lies in the drawing."""
    return round(_LEFT + x * (WIDTH - _LEFT - _RIGHT), 1), round(_TOP + (1 - y) * (HEIGHT - _TOP - _BOTTOM), 1)


def _grid(chart: Chart, x_axis: Axis, y_axis: Axis) -> list[Html]:
    parts: list[Html] = []
    for value in y_axis.ticks():
        left, y = _point(0, y_axis.place(value))
        parts += [
            tag("line", class_="grid", x1=left, x2=WIDTH - _RIGHT, y1=y, y2=y),
            tag("text", f"{value:g}", x=left - 8, y=y + 4, text_anchor="end"),
        ]
    named = list(enumerate(chart.x_names)) or [(value, f"{value:g}") for value in x_axis.ticks()]
    for value, name in named:
        x, bottom = _point(x_axis.place(value), 0)
        parts += [
            tag("line", class_="grid", x1=x, x2=x, y1=_TOP, y2=bottom),
            tag("text", name, x=x, y=bottom + 17, text_anchor="middle"),
        ]
    middle_x, middle_y = _point(0.5, 0.5)
    turned = f"translate(14 {middle_y}) rotate(-90)"
    return [
        *parts,
        tag("text", chart.x_title, x=middle_x, y=HEIGHT - 8, text_anchor="middle"),
        tag("text", chart.y_title, transform=turned, text_anchor="middle"),
    ]


def _hued(series: Sequence[Series]) -> list[tuple[Series, str]]:
    """Each with a style: a hue and its dashes for what was measured, ink for theory."""
    measured = itertools.count()
    return [(one, _INK if one.is_theory else f"h{next(measured) % _HUES + 1}") for one in series]


def _places(xs: Sequence[float], ys: Sequence[float], x_axis: Axis, y_axis: Axis) -> list[tuple[float, float]]:
    return [_point(x_axis.place(x), y_axis.place(y)) for x, y in zip(xs, ys, strict=True)]


def _path(places: Sequence[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x:g} {y:g}" for x, y in places)


def _band(one: Series, hue: str, x_axis: Axis, y_axis: Axis) -> Html | None:
    """The interval around a line."""
    if not one.lows or one.is_theory:
        return None
    there = _places(one.xs, one.highs, x_axis, y_axis)
    back = _places(one.xs, one.lows, x_axis, y_axis)[::-1]
    return tag("path", class_=f"range {hue}", d=_path([*there, *back]) + " Z")


def _line(one: Series, hue: str, x_axis: Axis, y_axis: Axis) -> Html:
    places = _places(one.xs, one.ys, x_axis, y_axis)
    parts = [tag("path", class_=f"line {hue} theory" if one.is_theory else f"line {hue}", d=_path(places))]
    if len(places) <= _DOTS_UP_TO and not one.is_theory:
        parts += [tag("circle", class_=f"dot {hue}", cx=x, cy=y, r=3) for x, y in places]
    return joined(parts)


def _key(series: Sequence[Series]) -> list[Html]:
    parts: list[Html] = []
    for number, (one, hue) in enumerate(_hued(series)):
        row, column = divmod(number, _KEYS_A_ROW)
        x, y = _LEFT - 40 + column * _KEY_COLUMN, HEIGHT + 6 + row * _KEY_ROW
        kind = f"line {hue} theory" if one.is_theory else f"line {hue}"
        parts += [
            tag("path", class_=kind, d=f"M{x} {y} L{x + 28} {y}"),
            tag("text", one.name, class_="key", x=x + 34, y=y + 4),
        ]
    return parts
