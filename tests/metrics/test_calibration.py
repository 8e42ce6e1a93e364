"""Does 80 % sure mean right 80 % of the time?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.naive_bayes import GaussianNB

from winnow.errors import UserError
from winnow.metrics.calibration import (
    apply_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
)
from winnow.metrics.resamples import make_resamples
from winnow.metrics.scores import METRICS

from .simulated import interval, simulated_predictions


def test_sure_and_right_is_perfectly_calibrated():
    assert expected_calibration_error(np.eye(2), np.array([0, 1])) == 0


def test_sure_and_wrong_is_as_bad_as_it_gets():
    assert expected_calibration_error(np.eye(2), np.array([1, 0])) == 1


def test_logits_are_refused_with_a_hint():
    with pytest.raises(UserError, match="softmax"):
        expected_calibration_error(np.array([[3.0, -1.0]]), np.array([0]))


def test_seven_of_ten_right_at_80_percent_is_ten_points_off():
    probs = np.tile([0.8, 0.2], (10, 1))
    labels = np.array([0] * 7 + [1] * 3)
    assert expected_calibration_error(probs, labels) == pytest.approx(0.1)
    full = [one for one in reliability_bins(probs, labels, bins=10) if one.n]
    assert len(full) == 1
    assert (full[0].low, full[0].high) == pytest.approx((0.7, 0.8))
    assert full[0].n == 10
    assert full[0].confidence == pytest.approx(0.8)
    assert full[0].accuracy is not None
    assert full[0].accuracy.value == pytest.approx(0.7)


def test_an_empty_bin_claims_nothing():
    first = reliability_bins(np.eye(2), np.array([0, 1]))[0]
    assert first.n == 0
    assert first.confidence is None
    assert first.accuracy is None


def test_a_perfectly_calibrated_model_may_have_no_calibration_error():
    # Labels drawn from the stated probabilities themselves: whatever error is measured is chance.
    rng = np.random.default_rng(0)
    starts_at_zero = 0
    for seed in range(40):
        first = rng.uniform(size=150)
        labels = (rng.uniform(size=150) > first).astype(np.int64)
        found = interval(
            METRICS["expected_calibration_error"],
            np.stack([first, 1 - first], axis=1),
            labels,
            make_resamples(np.arange(150), draws=200, seed=seed),
        )
        assert found is not None
        assert found.value > 0
        starts_at_zero += found.low == 0
    assert starts_at_zero >= 38


def test_a_boastful_model_is_shown_to_be_one():
    probs, labels = simulated_predictions(400, 3, seed=1, sharpness=6)
    found = interval(METRICS["expected_calibration_error"], probs, labels, make_resamples(np.arange(400), draws=300))
    assert found is not None
    assert found.low > 0.05


def test_the_temperature_equals_scikit_learns():
    X, y = load_digits(return_X_y=True)
    model = GaussianNB(var_smoothing=1e-3).fit(X[:900], y[:900])
    theirs = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(X[900:], y[900:])
    probs = model.predict_proba(X[900:])
    temperature = fit_temperature(np.log(probs + 1e-12), y[900:])
    beta = theirs.calibrated_classifiers_[0].calibrators[0].beta_
    assert 1 / temperature == pytest.approx(float(beta), rel=1e-6)
    ours = apply_temperature(np.log(probs + 1e-12), temperature)
    assert ours == pytest.approx(theirs.predict_proba(X[900:]), abs=1e-6)


def test_a_temperature_above_one_calms_a_boastful_model():
    probs, labels = simulated_predictions(2000, 3, seed=2, sharpness=6)
    temperature = fit_temperature(np.log(probs), labels)
    # With unit noise the honest sharpness is the skill, 2: the model is 3 times too sharp.
    assert temperature == pytest.approx(3, rel=0.15)
    calmed = apply_temperature(np.log(probs), temperature)
    assert expected_calibration_error(calmed, labels) < expected_calibration_error(probs, labels) / 3


def test_the_temperature_is_finite_when_every_answer_is_right_or_none_matters():
    assert np.exp(-10) <= fit_temperature(np.array([[5.0, 0.0], [0.0, 5.0]]), np.array([0, 1])) < 0.1
    assert fit_temperature(np.zeros((4, 3)), np.array([0, 1, 2, 0])) == 1


def test_infinite_logits_are_refused_with_a_hint():
    with pytest.raises(UserError, match="clipped above 0"):
        fit_temperature(np.array([[0.0, -np.inf]]), np.array([0]))
    with pytest.raises(UserError, match="N labels"):
        fit_temperature(np.zeros((3, 2)), np.array([0]))
