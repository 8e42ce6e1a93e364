"""Which rung is chosen, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pytest

from winnow.ladder.evidence import Comparisons, Judged
from winnow.ladder.verdict import Verdict, reach_verdict
from winnow.metrics.intervals import Interval
from winnow.metrics.scores import METRICS
from winnow.tasks.rung import Baseline

TITLES = {"guess": "commonest class", "pixels": "pixels + logistic regression", "features": "features + LDA"}
ACCURACY = METRICS["accuracy"]
GUESS = Baseline("guess", "the commonest class")


def _verdict(
    values: Sequence[float],
    rungs: Sequence[str] = ("guess", "pixels", "features", "forest"),
    *,
    error: float = 0.01,
    metric_name: str = "accuracy",
    prefer: Literal["cheapest", "best"] = "cheapest",
) -> Verdict:
    """A verdict on rungs whose gains reach 2 x `error` to each side."""
    metric = METRICS[metric_name]
    judged = [
        Judged(rung, value, np.empty(0), Interval(metric.sign * value, *_ends(metric.sign * value)))
        for rung, value in zip(rungs, values, strict=False)
    ]
    comparisons = Comparisons(
        tuple(one.rung for one in judged), np.array(values), np.full((len(values),) * 2, error), 2.0, 0.0, 0.95
    )
    return reach_verdict(
        judged, comparisons, TITLES, metric, prefer=prefer, baseline=Baseline("guess", "the commonest class")
    )


def _ends(value: float) -> tuple[float, float]:
    return value - 0.012, value + 0.011


def test_the_cheapest_rung_that_nothing_beats_is_chosen_and_the_sentence_says_so():
    verdict = _verdict([0.30, 0.911, 0.942, 0.943])
    assert verdict.chosen == 2
    assert verdict.reason == (
        "Chosen: features + LDA. It is right on 94.2 % of pictures it had not seen (accuracy, 95 % interval "
        "93.0 to 95.3 %), 3.1 points better than the best cheaper method, pixels + logistic regression "
        "(1.1 to 5.1 points). One dearer method was tried and was not shown to be better."
    )


def test_best_takes_the_best_mean_and_says_that_a_cheaper_one_may_be_as_good():
    verdict = _verdict([0.30, 0.911, 0.942, 0.943], prefer="best")
    assert verdict.chosen == 3
    assert "0.1 points better than the best cheaper method, features + LDA (−1.9 to 2.1 points), which may be luck" in (
        verdict.reason
    )
    assert verdict.reason.endswith("A cheaper method, features + LDA, is not shown to be worse.")


def test_a_rung_has_earned_its_place_when_its_gain_excludes_zero():
    verdict = _verdict([0.30, 0.90, 0.91, 0.95])
    assert verdict.has_earned == (False, True, False, True)
    assert [gain and gain.over for gain in verdict.gains] == [None, "guess", "pixels", "features"]
    gain = verdict.gains[3]
    assert gain is not None
    assert (gain.interval.low, gain.interval.high) == pytest.approx((0.02, 0.06))


def test_gains_are_over_the_best_cheaper_rung_not_the_nearest():
    verdict = _verdict([0.30, 0.95, 0.80, 0.96])
    assert verdict.gains[3] is not None
    assert verdict.gains[3].over == "pixels"
    assert verdict.chosen == 1
    assert "Two dearer methods were tried and none was shown to be better." in verdict.reason


def test_a_dearer_rung_that_scores_less_than_a_cheaper_one_is_never_chosen():
    # The third beats the first; it does not beat the second, which is dearer than the first and worse.
    judged = [Judged(name, value, np.empty(0)) for name, value in (("a", 0.90), ("b", 0.89), ("c", 0.95))]
    errors = np.array([[0, 0.05, 0.01], [0.05, 0, 0.05], [0.01, 0.05, 0]])
    comparisons = Comparisons(("a", "b", "c"), np.array([0.90, 0.89, 0.95]), errors, 2.0, 0.0, 0.95)
    assert reach_verdict(judged, comparisons, {}, ACCURACY).chosen == 2


def test_a_model_not_shown_to_beat_guessing_gets_a_caution():
    verdict = _verdict([0.30, 0.35], error=0.04, prefer="best")
    assert verdict.chosen == 1
    assert "Caution: it is not shown to be better than always answering the commonest class" in verdict.reason
    assert "(difference −3.0 to 13.0 points)" in verdict.reason
    assert "More examples" in verdict.reason


def test_choosing_to_guess_is_called_what_it_is():
    verdict = _verdict([0.30, 0.31, 0.30])
    assert verdict.chosen == 0
    assert "Caution: it always answers the commonest class and looks at no picture" in verdict.reason
    assert "best cheaper" not in verdict.reason


def test_a_model_that_beats_guessing_gets_no_caution():
    assert "Caution" not in _verdict([0.30, 0.90]).reason


def test_a_lonely_rung_is_said_to_be_lonely():
    verdict = _verdict([0.9], ["pixels"])
    assert verdict.chosen == 0
    assert verdict.gains == (None,)
    assert verdict.reason.endswith(
        "It is the only method that was tried, so nothing is known of what others would bring."
    )


def test_log_loss_reads_as_a_plain_number_and_less_is_better():
    verdict = _verdict([-1.2, -0.35, -0.30], metric_name="log_loss")
    assert verdict.chosen == 2
    assert verdict.reason == (
        "Chosen: features + LDA. Its surprise at the true class of pictures it had not seen is 0.300, where 0 is "
        "best (log loss, 95 % interval 0.288 to 0.311), 0.050 better than the best cheaper method, pixels + "
        "logistic regression (0.030 to 0.070)."
    )


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_has_its_sentence(name: str):
    metric = METRICS[name]
    verdict = _verdict([metric.sign * 0.5, metric.sign * 0.4], metric_name=name, prefer="best")
    assert f"({metric.term}, 95 % interval" in verdict.reason
    expected = "0.400" if name == "log_loss" else "50.0 %" if metric.higher_is_better else "40.0 %"
    assert expected in verdict.reason
    assert "{" not in verdict.reason


def test_narrow_intervals_show_one_more_digit():
    judged = [Judged("pixels", 0.99471, np.empty(0), Interval(0.99471, 0.9939, 0.9955))]
    comparisons = Comparisons(("pixels",), np.array([0.99471]), np.zeros((1, 1)), 2.0, 0.0, 0.95)
    assert "99.47 %" in reach_verdict(judged, comparisons, TITLES, ACCURACY).reason


def test_an_undefined_score_is_never_chosen_while_another_is_defined():
    judged = [Judged("odd", float("nan"), np.empty(0)), Judged("pixels", 0.8, np.empty(0))]
    comparisons = Comparisons(("odd", "pixels"), np.array([np.nan, 0.8]), np.zeros((2, 2)), 2.0, 0.0, 0.95)
    verdict = reach_verdict(judged, comparisons, TITLES, ACCURACY)
    assert verdict.chosen == 1
    assert verdict.gains == (None, None)
    assert "80.0 %" in verdict.reason


def test_where_no_score_is_defined_the_sentence_says_so():
    judged = [Judged("odd", float("nan"), np.empty(0))]
    comparisons = Comparisons(("odd",), np.array([np.nan]), np.zeros((1, 1)), 2.0, 0.0, 0.95)
    assert "could not be measured" in reach_verdict(judged, comparisons, TITLES, ACCURACY).reason


def test_no_rung_no_verdict():
    with pytest.raises(ValueError, match="without a judged rung"):
        reach_verdict([], Comparisons((), np.empty(0), np.empty((0, 0)), 2.0, 0.0, 0.95), TITLES, ACCURACY)
