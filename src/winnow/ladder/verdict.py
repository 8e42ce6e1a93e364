"""Which rung is chosen, and why, in sentences a beginner understands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from winnow.ladder.evidence import Comparisons, Judged
from winnow.metrics.intervals import Interval
from winnow.metrics.metric import Metric
from winnow.tasks.rung import Baseline

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


@dataclass(frozen=True, slots=True)
class Gain:
    """What a rung bought over the best of the cheaper ones."""

    over: str
    """The best cheaper rung."""
    interval: Interval
    """More is better; corrected for all comparisons of the climb."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which rung was chosen and why."""

    chosen: int
    """Its place among the judged rungs."""
    reason: str
    """In plain words, ready to be shown."""
    gains: tuple[Gain | None, ...]
    """For each rung its gain over the best cheaper one; None for the first, and where a score is undefined."""
    has_earned: tuple[bool, ...]
    """For each rung whether that gain is shown to be more than luck; the first has nothing to be compared with."""


def reach_verdict(
    judged: Sequence[Judged],
    comparisons: Comparisons,
    titles: Mapping[str, str],
    metric: Metric[Any],
    *,
    prefer: Literal["cheapest", "best"] = "cheapest",
    baseline: Baseline | None = None,
) -> Verdict:
    """Choose a rung and say why.

    "cheapest" takes the cheapest rung that no other is shown to beat; of those, none that a still cheaper one
    equals or exceeds in the plain score. "best" takes the best plain score, the cheaper of equals.

    Args:
        judged: the rungs that were climbed, cheapest first.
        comparisons: what `compare_all` made of them.
        titles: a rung's name to what it is called in a sentence, such as "features + logistic regression".
        metric: what was optimised.
        prefer: what to choose.
        baseline: the rung that looks at nothing, if there is one: a model that is not shown to beat it gets a
            caution.

    Raises:
        ValueError: no rung was judged.
    """
    if not judged:
        raise ValueError("There is no verdict without a judged rung.")
    gains = gains_of(judged, comparisons)
    has_earned = tuple(gain is not None and gain.interval.low > 0 for gain in gains)
    chosen = _choose(judged, comparisons, _best_cheaper(judged), prefer)
    said = [
        f"Chosen: {_title(judged[chosen], titles)}.",
        _score_sentence(judged[chosen], metric, gains[chosen], titles),
        _others_sentence(chosen, judged, comparisons, titles, prefer),
        _caution(chosen, judged, comparisons, metric, baseline),
    ]
    return Verdict(chosen, " ".join(sentence for sentence in said if sentence), gains, has_earned)


def gains_of(judged: Sequence[Judged], comparisons: Comparisons) -> tuple[Gain | None, ...]:
    """For each rung its gain over the best cheaper one; None for the first, and where a score is undefined."""
    return tuple(_gain(i, j, judged, comparisons) for i, j in enumerate(_best_cheaper(judged)))


def _best_cheaper(judged: Sequence[Judged]) -> list[int | None]:
    return [_best([j for j in range(i) if _is_defined(judged[j])], judged) for i in range(len(judged))]


def _choose(
    judged: Sequence[Judged],
    comparisons: Comparisons,
    best_cheaper: Sequence[int | None],
    prefer: Literal["cheapest", "best"],
) -> int:
    defined = [i for i, one in enumerate(judged) if _is_defined(one)]
    best = _best(defined, judged)
    if best is None:
        return 0
    if prefer == "best":
        return best
    for i in defined:
        cheaper = best_cheaper[i]
        is_pointless = cheaper is not None and judged[cheaper].value >= judged[i].value
        if not is_pointless and not any(comparisons.is_better(j, i) for j in defined):
            return i
    return best


def _best(candidates: Sequence[int], judged: Sequence[Judged]) -> int | None:
    return max(candidates, key=lambda i: judged[i].value, default=None)  # the first of equals


def _is_defined(one: Judged) -> bool:
    return math.isfinite(one.value)


def _gain(i: int, cheaper: int | None, judged: Sequence[Judged], comparisons: Comparisons) -> Gain | None:
    if cheaper is None:
        return None
    interval = comparisons.gain(i, cheaper)
    return None if interval is None else Gain(judged[cheaper].rung, interval)


def _title(one: Judged, titles: Mapping[str, str]) -> str:
    return titles.get(one.rung, one.rung)


def _score_sentence(one: Judged, metric: Metric[Any], gain: Gain | None, titles: Mapping[str, str]) -> str:
    if not _is_defined(one):
        return f"Its score could not be measured: these examples leave it undefined ({metric.term})."
    interval = one.interval
    value = metric.sign * one.value
    decimals = _decimals(interval, metric)
    unit = " %" if metric.is_ratio else ""
    sentence = metric.sentence.format(score=_number(value, metric, decimals) + unit)
    sentence += f" ({metric.term}"
    if interval is not None:
        low, high = (_number(end, metric, decimals) for end in (interval.low, interval.high))
        sentence += f", {interval.level:.0%}".replace("%", " %") + f" interval {low} to {high}{unit}"
    sentence += ")"
    if gain is not None:
        sentence += (
            f", {_difference(gain.interval, metric)} the best cheaper method, {titles.get(gain.over, gain.over)}"
        )
        sentence += f" ({_range(gain.interval, metric)})"
        if gain.interval.low <= 0:
            sentence += ", which may be luck"
    return sentence + "."


def _others_sentence(
    chosen: int,
    judged: Sequence[Judged],
    comparisons: Comparisons,
    titles: Mapping[str, str],
    prefer: Literal["cheapest", "best"],
) -> str:
    if len(judged) == 1:
        return "It is the only method that was tried, so nothing is known of what others would bring."
    said: list[str] = []
    dearer = len(judged) - 1 - chosen
    if dearer == 1:
        said.append("One dearer method was tried and was not shown to be better.")
    elif dearer > 1:
        number = _NUMBERS[dearer] if dearer < len(_NUMBERS) else str(dearer)
        said.append(f"{number} dearer methods were tried and none was shown to be better.")
    if prefer == "best":
        as_good = [i for i in range(chosen) if _is_defined(judged[i]) and not comparisons.is_better(chosen, i)]
        if as_good:
            said.append(f"A cheaper method, {_title(judged[as_good[0]], titles)}, is not shown to be worse.")
    return " ".join(said)


def _caution(
    chosen: int, judged: Sequence[Judged], comparisons: Comparisons, metric: Metric[Any], baseline: Baseline | None
) -> str:
    guess = next((i for i, one in enumerate(judged) if baseline and one.rung == baseline.rung), None)
    if guess is None or baseline is None:
        return ""
    if chosen == guess:
        if len(judged) == 1:
            return f"Caution: it always answers {baseline.answers} and looks at no picture."
        return (
            f"Caution: it always answers {baseline.answers} and looks at no picture; nothing that was tried is "
            "shown to be better. More examples, or checked labels, may help."
        )
    if comparisons.is_better(chosen, guess):
        return ""
    gain = comparisons.gain(chosen, guess)
    difference = "" if gain is None else f" (difference {_range(gain, metric)})"
    return (
        f"Caution: it is not shown to be better than always answering {baseline.answers}{difference}. "
        "More examples, or checked labels, may help."
    )


def _difference(gain: Interval, metric: Metric[Any]) -> str:
    amount = _number(abs(gain.value), metric, _decimals(gain, metric))
    if float(amount) == 0:
        return "no better than"
    unit = "" if not metric.is_ratio else " point" if float(amount) == 1 else " points"
    return f"{amount}{unit} {'better' if gain.value > 0 else 'worse'} than"


def _range(gain: Interval, metric: Metric[Any]) -> str:
    decimals = _decimals(gain, metric)
    unit = " points" if metric.is_ratio else ""
    return f"{_number(gain.low, metric, decimals)} to {_number(gain.high, metric, decimals)}{unit}"


def _decimals(interval: Interval | None, metric: Metric[Any]) -> int:
    """As many as the interval's width makes sense of: 94.2 %, but 99.47 % (99.39 to 99.55 %)."""
    is_narrow = interval is not None and interval.high - interval.low < 0.002
    return (2 if is_narrow else 1) if metric.is_ratio else (4 if is_narrow else 3)


def _number(value: float, metric: Metric[Any], decimals: int) -> str:
    text = f"{value * 100 if metric.is_ratio else value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")
