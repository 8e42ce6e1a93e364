"""Promise: on digits the best rung is right on at least 98.5 % out of fold; on cats and dogs (1,000 to learn from, 800
to test on) the chosen model, with the EdgeTPU backbone at 192 px, on at least 97 % of the test pictures.

Five seeds each. The peer of the digits is scikit-learn's own SVM of its digits example (gamma 0.001),
cross-validated on all 1,797; Winnow learns from four fifths of them and keeps the rest for its test.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from harness import edgetpu_backbone, keep, need_data
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.svm import SVC

import winnow

SEEDS = range(5)


def silent(_: object) -> None:
    """Nobody listens."""


def main() -> None:
    """Climb with every seed."""
    digits: list[float] = []
    chosen: list[float] = []
    peers: list[float] = []
    pets: list[tuple[float, float, float]] = []
    X, y = load_digits(return_X_y=True)
    with tempfile.TemporaryDirectory() as folder:
        backbone = edgetpu_backbone(Path(folder, "backbone"), 192)
        for seed in SEEDS:
            workspace = Path(folder, f"workspace-{seed}")
            report = winnow.train("digits", seed=seed, workspace=workspace, tell=silent).report.numbers
            scores = [rung.score.value for rung in report.ladder if rung.score is not None]
            digits.append(max(scores))
            chosen.append(next(r.score.value for r in report.ladder if r.is_chosen and r.score))
            folds = StratifiedKFold(5, shuffle=True, random_state=seed)
            peers.append(float(cross_val_score(SVC(gamma=0.001), X, y, cv=folds).mean()))
            data = need_data() / "cats-dogs"
            model = winnow.train(data, seed=seed, workspace=workspace, backbone=backbone, tell=silent)
            assert model.report.numbers.test is not None
            accuracy = model.report.numbers.test.evaluation.scores["accuracy"]
            assert accuracy is not None
            pets.append((accuracy.value, accuracy.low, accuracy.high))
            print(seed, digits[-1], pets[-1], model.rung, flush=True)
    keep(
        "accuracy",
        {
            "digits_best_rung": [round(one, 4) for one in digits],
            "digits_chosen_rung": [round(one, 4) for one in chosen],
            "digits_peer_svm": [round(one, 4) for one in peers],
            "digits_mean_and_spread": [round(float(np.mean(digits)), 4), round(float(np.std(digits)), 4)],
            "cats_dogs_test_with_interval": [[round(v, 4) for v in one] for one in pets],
        },
        {
            "digits: best rung at least 0.985 out of fold, mean of seeds": float(np.mean(digits)) >= 0.985,
            "cats-dogs: at least 0.97 on test, every seed": min(one[0] for one in pets) >= 0.97,
        },
    )


if __name__ == "__main__":
    main()
