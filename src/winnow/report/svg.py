"""Small drawings in SVG: an interval on a line, a curve in a square, a reliability diagram.

Colours come from the page's style sheet by class name, so light, dark and print are decided in one place.
Drawings without text use per cent for lengths and so fit any width; the squares scale as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from winnow.metrics.calibration import ReliabilityBin
from winnow.metrics.intervals import Interval
from winnow.report.markup import Html, joined, tag
from winnow.report.scale import Scale
from winnow.report.words import percent

_SIDE = 320
_LEFT, _TOP, _RIGHT, _BOTTOM = 54, 12, 12, 44


def strip(interval: Interval, scale: Scale, kind: str, band: Interval | None = None) -> Html:
    """One score and its interval on a scale, the height and width of whatever holds it.

    Args:
        interval: what is drawn.
        scale: shared by all strips that are read together.
        kind: the style's name for it ("chosen", "earned", "plain").
        band: an interval that every strip shows behind its own, to compare with.
    """
    ticks = (_per_cent(scale.place(value)) for value in scale.ticks())
    parts = [tag("line", class_="grid", x1=x, x2=x, y1="0", y2="100%") for x in ticks]
    if band is not None:
        left, right = _ends(band, scale)
        parts.append(tag("rect", class_="band", x=_per_cent(left), width=_per_cent(right - left), height="100%"))
    left, right = _ends(interval, scale)
    parts.append(tag("line", class_="whisker", x1=_per_cent(left), x2=_per_cent(right), y1="50%", y2="50%"))
    parts.append(tag("circle", class_="dot", cx=_per_cent(scale.place(interval.value)), cy="50%", r="5"))
    # The numbers stand beside it as text; read aloud, the drawing would only repeat them.
    return tag("svg", *parts, class_=f"strip {kind}", aria_hidden="true")


def square(*children: Html, label: str, x_title: str, y_title: str, plot: str, diagonal: bool = False) -> Html:
    """A unit square with grid, axes from 0 to 1 and titles; `children` are drawn inside.

    Args:
        children: in plot units, made with `place`.
        label: what a screen reader says.
        x_title: under the horizontal axis.
        y_title: along the vertical axis.
        plot: a name by which the page's script finds the drawing.
        diagonal: draw the line from (0, 0) to (1, 1).
    """
    grid: list[Html] = []
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = place(value, value)
        grid += [
            tag("line", class_="grid", x1=x, x2=x, y1=_TOP, y2=_SIDE - _BOTTOM),
            tag("line", class_="grid", x1=_LEFT, x2=_SIDE - _RIGHT, y1=y, y2=y),
            tag("text", f"{value:g}", class_="tick", x=x, y=_SIDE - _BOTTOM + 16, text_anchor="middle"),
            tag("text", f"{value:g}", class_="tick", x=_LEFT - 8, y=y + 4, text_anchor="end"),
        ]
    if diagonal:
        (x1, y1), (x2, y2) = place(0, 0), place(1, 1)
        grid.append(tag("line", class_="diagonal", x1=x1, y1=y1, x2=x2, y2=y2))
    middle_x, middle_y = place(0.5, 0.5)
    titles = [
        tag("text", x_title, class_="axis", x=middle_x, y=_SIDE - 6, text_anchor="middle"),
        tag(
            "text",
            y_title,
            class_="axis",
            transform=f"translate(12 {middle_y}) rotate(-90)",
            text_anchor="middle",
        ),
    ]
    return tag(
        "svg",
        *grid,
        *children,
        *titles,
        class_="square",
        viewBox=f"0 0 {_SIDE} {_SIDE}",
        role="img",
        aria_label=label,
        data_plot=plot,
        # Where the unit square lies, for the page's script: left, top, width, height.
        data_box=f"{_LEFT} {_TOP} {_SIDE - _LEFT - _RIGHT} {_SIDE - _TOP - _BOTTOM}",
    )


def place(x: float, y: float) -> tuple[float, float]:
    """Where the point (x, y) of the unit square lies in a square drawing."""
    width, height = _SIDE - _LEFT - _RIGHT, _SIDE - _TOP - _BOTTOM
    return round(_LEFT + x * width, 2), round(_TOP + (1 - y) * height, 2)


def curve(xs: Sequence[float], ys: Sequence[float]) -> Html:
    """A curve through the points, and the movable point of the page's slider (hidden until it is moved)."""
    steps = " L".join("{:g} {:g}".format(*place(x, y)) for x, y in zip(xs, ys, strict=True))
    return joined(
        (
            tag("path", class_="curve", d=f"M{steps}" if steps else "M0 0", fill="none"),
            tag("circle", class_="here", r=6, cx=-20, cy=-20),
        )
    )


def reliability(bins: Sequence[ReliabilityBin], counted: str = "pictures") -> Html:
    """How often the model was right, by how sure it was; the dots' size tells how many answers each stands for.

    Args:
        bins: by how sure it was.
        counted: what the answers are about.
    """
    marks: list[Html] = []
    n = sum(b.n for b in bins)
    for b in bins:
        if b.accuracy is None or b.confidence is None:
            continue
        x, y = place(b.confidence, b.accuracy.value)
        _, low = place(0, b.accuracy.low)
        _, high = place(0, b.accuracy.high)
        radius = round(3 + 9 * (b.n / max(n, 1)) ** 0.5, 2)
        marks += [
            tag("line", class_="whisker", x1=x, x2=x, y1=low, y2=high),
            tag(
                "circle",
                tag("title", f"{b.n} {counted}: sure {percent(b.confidence)}, right {percent(b.accuracy.value)}"),
                class_="dot",
                cx=x,
                cy=y,
                r=radius,
            ),
        ]
    return square(
        *marks,
        label="Reliability diagram: how often right, by how sure. The same numbers are in the table below it.",
        x_title="how sure the model was (confidence)",
        y_title="how often it was right",
        plot="reliability",
        diagonal=True,
    )


def _ends(interval: Interval, scale: Scale) -> tuple[float, float]:
    left, right = sorted((scale.place(interval.low), scale.place(interval.high)))
    return left, right


def _per_cent(share: float) -> str:
    return f"{100 * share:.2f}%"
