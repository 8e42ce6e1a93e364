"""Who learns and who judges: nobody is judged by a model that saw it, a copy of it, or its group."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from winnow.data.splits import clusters as find_clusters
from winnow.errors import BadDataError
from winnow.tasks import judging
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.judging import FOLDS

from .problems import Shop, made_up_examples, made_up_problem


def check_nothing_leaks(problem: ClassifyProblem) -> None:
    clusters = find_clusters([e.pixels for e in problem.examples], [e.group for e in problem.examples])
    for part in problem.parts:
        assert len(part.train) > 0
        assert len(part.judged) > 0
        assert not set(clusters[part.train]) & set(clusters[part.judged])
    judged = np.concatenate([part.judged for part in problem.parts])
    assert len(judged) == len(set(judged.tolist())) == problem.n_judged
    assert np.array_equal(np.sort(judged), problem.judged)


def test_out_of_fold_covers_every_example_once():
    problem = made_up_problem(made_up_examples(["a"] * 20 + ["b"] * 30))
    check_nothing_leaks(problem)
    assert len(problem.parts) == FOLDS
    assert problem.judged.tolist() == list(range(50))
    assert problem.is_out_of_fold
    assert problem.judged_by == "5-fold out-of-fold predictions"
    for part in problem.parts:
        assert np.bincount(problem.labels[part.judged]).tolist() == [4, 6]
        assert len(part.train) == 40


def test_copies_and_groups_stay_on_one_side():
    groups = [None] * 20 + [f"patient {i // 5}" for i in range(40)]
    pixels = [f"p{i // 2}" for i in range(20)] + [f"q{i}" for i in range(40)]
    problem = made_up_problem(made_up_examples(["a", "b", "a", "b", "b"] * 12, groups=groups, pixels=pixels))
    check_nothing_leaks(problem)
    assert problem.n_judged == 60
    assert problem.n_independent == 10 + 8


def test_a_classs_only_picture_is_learned_from_and_never_judged():
    problem = made_up_problem(made_up_examples(["a"] * 6 + ["rare"] + ["b"] * 6))
    check_nothing_leaks(problem)
    assert 6 not in problem.judged
    assert all(6 in part.train for part in problem.parts)
    assert problem.classes == ("a", "b", "rare")
    assert problem.judged_by == "5-fold out-of-fold predictions"


def test_a_classs_only_picture_is_not_learned_from_while_its_own_group_is_judged():
    groups = ["p", "p", None, None, "q", "q", "p"]
    problem = made_up_problem(made_up_examples(["a", "b", "a", "b", "a", "b", "rare"], groups=groups))
    check_nothing_leaks(problem)
    assert {6 in part.train for part in problem.parts} == {True, False}


def test_small_classes_make_few_folds():
    assert len(made_up_problem(made_up_examples(["a", "a", "b", "b"])).parts) == 2
    assert len(made_up_problem(made_up_examples(["a"] * 9 + ["b"] * 3)).parts) == 3


def test_few_groups_make_few_folds():
    groups = [f"patient {i % 3}" for i in range(60)]
    problem = made_up_problem(made_up_examples(["a", "b"] * 30, groups=groups))
    check_nothing_leaks(problem)
    assert len(problem.parts) == 3


def test_whatever_the_classes_and_groups_are_nothing_leaks_and_all_but_singles_are_judged():
    rng = np.random.default_rng(0)
    tried = 0
    for _ in range(300):
        n = int(rng.integers(4, 25))
        labels = [f"class {i}" for i in rng.integers(0, rng.integers(2, 6), n)]
        groups = [None if rng.random() < 0.4 else f"g{i}" for i in rng.integers(0, rng.integers(1, 12), n)]
        pixels = [f"p{i}" for i in rng.integers(0, 3 * n, n)]
        try:
            problem = made_up_problem(made_up_examples(labels, groups=groups, pixels=pixels))
        except BadDataError:
            continue
        tried += 1
        check_nothing_leaks(problem)
        counts = np.bincount(problem.labels)
        assert problem.n_judged == counts[counts >= 2].sum()
    assert tried > 200


def test_the_users_validation_split_judges_and_the_rest_learns():
    splits = ["train", "train", "validation"] * 10
    problem = made_up_problem(made_up_examples(["a", "b", "a", "a", "b", "b"] * 5, splits=splits))
    check_nothing_leaks(problem)
    assert not problem.is_out_of_fold
    assert problem.judged.tolist() == list(range(2, 30, 3))
    assert problem.judged_by == "your validation split"
    assert set(np.unique(problem.halves)) == {0, 1}
    # Each half holds the classes of the whole: each calibrates the other.
    assert np.bincount(problem.labels[problem.judged][problem.halves == 0]).tolist() in ([2, 3], [3, 2])


def test_examples_that_are_all_called_validation_are_judged_out_of_fold():
    problem = made_up_problem(made_up_examples(["a", "b"] * 5, splits=["validation"] * 10))
    assert problem.is_out_of_fold


def test_many_examples_are_judged_by_a_split_of_our_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(judging, "MOST_OUT_OF_FOLD", 99)
    groups = [f"g{i // 2}" for i in range(100)]
    problem = made_up_problem(made_up_examples(["a", "b", "b", "b"] * 25, groups=groups))
    check_nothing_leaks(problem)
    assert not problem.is_out_of_fold
    assert problem.judged_by == "a validation split"
    assert problem.n_judged == 20
    monkeypatch.setattr(judging, "MOST_VALIDATION", 10)
    assert made_up_problem(made_up_examples(["a", "b", "b", "b"] * 25)).n_judged == pytest.approx(10, abs=1)


def test_the_same_seed_splits_alike_and_another_one_differently():
    examples = made_up_examples(["a", "b"] * 30)
    first, again, other = (made_up_problem(examples, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.judged, b.judged) for a, b in zip(first.parts, again.parts, strict=True))
    assert any(not np.array_equal(a.judged, b.judged) for a, b in zip(first.parts, other.parts, strict=True))
    assert np.array_equal(first.resamples.weights, again.resamples.weights)


def test_one_class_is_refused_by_name():
    with pytest.raises(BadDataError, match=r"of one class \('a'\): at least two classes are needed"):
        made_up_problem(made_up_examples(["a"] * 5))


@pytest.mark.parametrize(("labels", "found"), [(["a", "b"], "0 of 2"), (["a", "a", "b", "c"], "1 of 3")])
def test_too_few_pictures_are_refused_with_what_to_do(labels: list[str], found: str):
    with pytest.raises(BadDataError, match=rf"two classes have two pictures .* here {found} has\. Add pictures"):
        made_up_problem(made_up_examples(labels))


def test_pictures_of_one_group_cannot_judge_each_other():
    with pytest.raises(BadDataError, match=r"belong to one group.*Add pictures that are independent"):
        made_up_problem(made_up_examples(["a", "b"] * 5, groups=["video"] * 10))


def test_a_validation_split_of_one_picture_is_refused_with_what_to_do():
    with pytest.raises(BadDataError, match=r"validation split holds a single picture.*import without one"):
        made_up_problem(made_up_examples(["a", "b"] * 5, splits=["validation"] + ["train"] * 9))


def test_candidates_are_judged_by_the_metric_and_more_is_better():
    examples = made_up_examples(["a", "b", "c"] * 20)
    labels = np.arange(60) % 3
    probs = np.full((60, 3), 0.1, dtype=np.float32)
    answers = np.where(np.arange(60) < 45, labels, (labels + 1) % 3)
    probs[np.arange(60), answers] = 0.8
    accuracy = made_up_problem(examples).judge(probs)
    assert accuracy is not None
    assert accuracy.score.value == accuracy.value == accuracy_score(labels, answers) == 0.75
    assert accuracy.score.low < 0.75 < accuracy.score.high
    assert accuracy.draws.shape == (judging.DRAWS,)
    loss = made_up_problem(examples, "log_loss").judge(probs)
    assert loss is not None
    assert loss.score.value == pytest.approx(log_loss(labels, probs), abs=1e-6)
    assert loss.value == -loss.score.value
    assert loss.draws.mean() == pytest.approx(loss.value, abs=0.02)


def test_classes_are_weighed_equally_where_the_metric_does():
    examples = made_up_examples(["a", "b"] * 5)
    balanced = {name: made_up_problem(examples, name).is_balanced for name in ("accuracy", "balanced_accuracy")}
    assert balanced == {"accuracy": False, "balanced_accuracy": True}


def test_small_pictures_of_one_size_keep_their_pixels_and_larger_ones_are_shrunk(tmp_path: Path):
    shop = Shop(tmp_path, 2)
    assert shop.problem().pixels.dim == 16 * 16 * 3
    photos = [replace(e, width=640, height=480) for e in shop.examples]
    assert shop.problem(examples=photos).pixels.input_spec.side_px < 64
    grey = [replace(e, is_grey=True) for e in shop.examples]
    assert shop.problem(examples=grey).pixels.dim == 16 * 16
    tiny = [replace(e, width=8, height=8) for e in shop.examples]
    assert shop.problem(examples=tiny).hog is None
    assert shop.problem(examples=tiny).handmade.name == "pixels"


def test_rows_are_computed_once_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shop = Shop(tmp_path, 2)
    problem = shop.problem()
    assert problem.features_missing(problem.pixels) == len(shop.examples)
    first = problem.rows(problem.pixels)
    assert first.shape == (len(shop.examples), problem.pixels.dim)
    assert problem.rows(problem.pixels) is first
    assert problem.features_missing(problem.pixels) == 0
