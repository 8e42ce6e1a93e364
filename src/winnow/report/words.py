"""Numbers as people say them: per cent, points, seconds, joules, with a unit and no more digits than are known."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

from winnow.metrics.families import FAMILIES
from winnow.metrics.intervals import Interval
from winnow.metrics.metric import Metric

MINUS = "−"


def _known(metric: str, task: str | None = None) -> Metric[Any] | None:
    # A report may come from another version or carry a plugin's metric: it is drawn all the same.
    families = [FAMILIES[task]] if task in FAMILIES else FAMILIES.values()
    return next((family[metric] for family in families if metric in family), None)


def is_share(metric: str) -> bool:
    """Whether people read this metric in per cent rather than as a bare number; the same in every task."""
    known = _known(metric)
    return known is not None and known.is_ratio


def higher_is_better(metric: str) -> bool:
    """Whether more of this metric is better, the same in every task; taken to be so where the metric is unknown."""
    known = _known(metric)
    return known is None or known.higher_is_better


def plain(metric: str, task: str | None = None) -> str:
    """What a metric says, in plain words.

    >>> plain("accuracy")
    'share of pictures answered right'
    """
    known = _known(metric, task)
    return term(metric) if known is None else known.title


def term(metric: str, task: str | None = None) -> str:
    """The field's word for a metric, in the task of a report.

    >>> term("macro_f1"), term("balanced_accuracy"), term("macro_average_precision", "multilabel")
    ('macro F1', 'balanced accuracy', 'mAP')
    """
    known = _known(metric, task)
    return metric.replace("_", " ") if known is None else known.term


def percent(share: float) -> str:
    """A share in per cent; a second digit appears where the first would hide the last few mistakes.

    >>> percent(0.9421), percent(0.99963), percent(1.0)
    ('94.2 %', '99.96 %', '100 %')
    """
    return f"{_percent_digits(share)} %"


def threshold(prob: float | None) -> str:
    """From which probability on a class is called, as "31 %"; "–" where there is no threshold.

    >>> threshold(0.3124), threshold(0.004), threshold(None)
    ('31 %', '0.4 %', '–')
    """
    if prob is None:
        return "–"
    return f"{100 * prob:.0f} %" if prob >= 0.01 else f"{100 * prob:.2g} %"


def score(metric: str, value: float) -> str:
    """A metric's value: per cent for ratios, else three decimals."""
    if math.isnan(value):
        return "not defined"
    return percent(value) if is_share(metric) else f"{value:.3f}".replace("-", MINUS)


def span(metric: str, interval: Interval) -> str:
    """The two ends of an interval, as "93.0 to 95.3"."""
    if math.isnan(interval.low) or math.isnan(interval.high):
        return "not defined"
    if is_share(metric):
        return f"{_percent_digits(interval.low)} to {_percent_digits(interval.high)}"
    return f"{interval.low:.3f} to {interval.high:.3f}".replace("-", MINUS)


def score_with_span(metric: str, interval: Interval) -> str:
    """A value and its interval, as "94.2 % (93.0 to 95.3)"."""
    return f"{score(metric, interval.value)} ({span(metric, interval)})"


def gain(metric: str, value: float) -> str:
    """A difference with its sign; in points (hundredths) for ratios.

    >>> gain("accuracy", 0.031), gain("log_loss", -0.2)
    ('+3.1', '−0.200')
    """
    digits = f"{100 * value:+.1f}" if is_share(metric) else f"{value:+.3f}"
    return digits.replace("-", MINUS)


def gain_with_span(metric: str, interval: Interval) -> str:
    """A difference and its interval, as "+3.1 (1.9 to 4.3)"."""
    return f"{gain(metric, interval.value)} ({gain_span(metric, interval)})"


def gain_span(metric: str, interval: Interval) -> str:
    """The two ends of a difference, as "−0.6 to 1.6"."""
    return f"{gain(metric, interval.low)} to {gain(metric, interval.high)}".replace("+", "")


def level(interval: Interval) -> str:
    """How sure an interval is meant to be, as "95 %"."""
    return f"{100 * interval.level:g} %"


def duration(seconds: float) -> str:
    """A time a person can compare.

    >>> duration(0.0031), duration(3.21), duration(75), duration(4000)
    ('3 ms', '3.2 s', '1 min 15 s', '1 h 7 min')
    """
    if seconds < 0.0995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    if seconds < 3570:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def energy(joules: float) -> str:
    """Energy in J, kJ or MJ.

    >>> energy(312.4), energy(12_400)
    ('312 J', '12.4 kJ')
    """
    for factor, unit in ((1e6, "MJ"), (1e3, "kJ")):
        if joules >= factor:
            return f"{joules / factor:.1f} {unit}"
    return f"{joules:.0f} J" if joules >= 10 else f"{joules:.1f} J"


def size(n_bytes: int) -> str:
    """The size of a file in kB, MB or GB (powers of ten, as disks are sold)."""
    unit, name = next(((u, n) for u, n in ((1e9, "GB"), (1e6, "MB")) if n_bytes >= u), (1e3, "kB"))
    return f"{n_bytes / unit:.1f} {name}"


def milliseconds(value: float) -> str:
    """Time for one picture."""
    return f"{value:.2g} ms" if value < 9.95 else f"{value:.0f} ms"


def number(value: float) -> str:
    """A whole number in groups of three.

    >>> number(12345)
    '12,345'
    """
    return f"{value:,.0f}"


def count(n: int, what: str, many: str | None = None) -> str:
    """A number of things.

    >>> count(1, "picture"), count(2, "class", "classes")
    ('1 picture', '2 classes')
    """
    return f"{number(n)} {what if n == 1 else many or what + 's'}"


def capital(written: str) -> str:
    """The same words with a capital at the start (and, unlike str.capitalize, nothing else changed).

    >>> capital("macro F1"), capital("mAP")
    ('Macro F1', 'mAP')
    """
    first = written.split(" ", 1)[0]
    # A word with capitals inside, such as mAP, has its own spelling.
    return written if first[1:].lower() != first[1:] else written[:1].upper() + written[1:]


def printable(written: str) -> str:
    """A user's text that cannot command a terminal: control and format characters become "?".

    >>> printable("a\\x1b[31mb")
    'a?[31mb'
    """
    # Cc: control; Cf: bidi overrides and other invisible signs; Cs: lone surrogates of odd file names.
    return "".join("?" if unicodedata.category(sign) in ("Cc", "Cf", "Cs") else sign for sign in written)


def _percent_digits(share: float) -> str:
    if math.isnan(share):
        return "?"
    hundredths = 100 * share
    if share in (0.0, 1.0):
        return f"{hundredths:.0f}"
    written = (f"{hundredths:.{digits}f}" for digits in (1, 2, 3))
    return next((w for w in written if float(w) not in (0.0, 100.0)), f"{hundredths:.0f}")
