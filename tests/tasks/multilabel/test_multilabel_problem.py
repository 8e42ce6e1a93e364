"""Who learns and who judges where a picture may show several classes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as oracle

from winnow.data.splits import clusters as find_clusters
from winnow.errors import BadDataError
from winnow.tasks import judging
from winnow.tasks.multilabel.problem import MultilabelProblem
from winnow.tasks.multilabel.thresholds import best_f1_thresholds

from .shapes import made_up_examples, made_up_problem, shown_on


def check_nothing_leaks(problem: MultilabelProblem) -> None:
    clusters = find_clusters([e.pixels for e in problem.examples], [e.group for e in problem.examples])
    for part in problem.parts:
        assert len(part.train) > 0
        assert len(part.judged) > 0
        assert not set(clusters[part.train]) & set(clusters[part.judged])
    judged = np.concatenate([part.judged for part in problem.parts])
    assert np.array_equal(np.sort(judged), problem.judged)


def test_labels_are_a_column_a_class_in_alphabetical_order():
    problem = made_up_problem(made_up_examples([("b", "a"), (), ("c",), ("a",), ("b",), ()]))
    assert problem.classes == ("a", "b", "c")
    assert problem.labels.tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_out_of_fold_covers_every_example_once_those_that_show_nothing_too():
    problem = made_up_problem(made_up_examples(shown_on(60)))
    check_nothing_leaks(problem)
    assert len(problem.parts) == judging.FOLDS
    assert problem.judged.tolist() == list(range(60))
    assert problem.judged_by == "5-fold out-of-fold predictions"
    for part in problem.parts:
        assert abs(problem.labels[part.judged].mean(axis=0) - problem.labels.mean(axis=0)).max() < 0.2


def test_a_class_with_one_picture_does_not_make_few_folds():
    problem = made_up_problem(made_up_examples([*shown_on(40), ("rare", "blue disc")]))
    check_nothing_leaks(problem)
    assert len(problem.parts) == 5
    assert 40 in problem.judged


def test_copies_and_groups_stay_on_one_side():
    groups = [f"patient {i // 6}" for i in range(60)]
    problem = made_up_problem(made_up_examples(shown_on(60), group=groups))
    check_nothing_leaks(problem)
    assert problem.n_independent == 10


def test_the_users_validation_split_judges_and_the_rest_learns():
    splits = ["train", "train", "validation"] * 20
    problem = made_up_problem(made_up_examples(shown_on(60), split=splits))
    check_nothing_leaks(problem)
    assert problem.judged.tolist() == list(range(2, 60, 3))
    assert set(np.unique(problem.halves)) == {0, 1}


def test_many_examples_are_judged_by_a_split_of_our_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(judging, "MOST_OUT_OF_FOLD", 99)
    problem = made_up_problem(made_up_examples(shown_on(100)))
    check_nothing_leaks(problem)
    assert problem.judged_by == "a validation split"
    assert problem.n_judged == pytest.approx(20, abs=2)


def test_a_single_class_that_is_there_or_not_is_a_problem():
    problem = made_up_problem(made_up_examples([("defect",), ()] * 10))
    assert problem.classes == ("defect",)
    check_nothing_leaks(problem)


@pytest.mark.parametrize("labels", [[("a",), ("b",)], [("a",)] * 5, [(), (), ("a", "b")]])
def test_too_few_pictures_are_refused_with_what_to_do(labels: list[tuple[str, ...]]):
    with pytest.raises(BadDataError, match=r"one class is shown by two pictures or more and is absent .* Add pictures"):
        made_up_problem(made_up_examples(labels))


def test_weights_are_none_where_all_examples_count_the_same():
    labels = shown_on(10)
    assert made_up_problem(made_up_examples(labels)).weights is None
    weighted = made_up_problem(made_up_examples(labels, weight=[1.0] * 9 + [2.5]))
    assert weighted.weights is not None
    assert weighted.weights.tolist() == [1.0] * 9 + [2.5]


def test_candidates_are_judged_by_the_metric_and_more_is_better():
    examples = made_up_examples(shown_on(80))
    rng = np.random.default_rng(0)
    problem = made_up_problem(examples)
    probs = np.clip(0.5 + 0.3 * (problem.labels - 0.5) + rng.normal(0, 0.15, (80, 3)), 0, 1).astype(np.float32)
    judged = problem.judge(probs)
    assert judged is not None
    expected = oracle.average_precision_score(problem.labels, probs)
    assert judged.score.value == judged.value == pytest.approx(expected)
    loss = made_up_problem(examples, "hamming_loss").judge(probs)
    assert loss is not None
    assert loss.value == -loss.score.value
    assert loss.score.value == pytest.approx(oracle.hamming_loss(problem.labels, problem.calls(probs)))


def test_a_model_calls_by_thresholds_from_all_the_judged_and_is_judged_by_those_of_other_folds():
    problem = made_up_problem(made_up_examples(shown_on(80)))
    probs = np.random.default_rng(0).random((80, 3)).astype(np.float32) * 0.5 + 0.4 * problem.labels
    assert problem.thresholds(probs) == pytest.approx(best_f1_thresholds(probs, problem.labels), abs=1e-6)
    part = problem.parts[0]
    of_others = best_f1_thresholds(probs[part.train], problem.labels[part.train])
    assert np.array_equal(problem.calls(probs)[part.judged], probs[part.judged] >= of_others)
