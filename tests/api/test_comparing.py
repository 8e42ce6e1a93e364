"""Comparing two models: the same pictures, fairly shared, and the tests that fit pairs."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import winnow
from winnow.api.comparing import compare
from winnow.api.comparison import Comparison
from winnow.api.evaluation import answers_kept
from winnow.api.judged_pictures import FILES, JudgedPictures
from winnow.api.model import Model
from winnow.errors import NotFoundError, UserError
from winnow.events import tell_nobody
from winnow.metrics.measure import value
from winnow.metrics.predictions import Predictions
from winnow.metrics.scores import METRICS
from winnow.workspace.workspace import Workspace

from .shapes import MULTILABEL_RUNGS, write_shapes
from .squares import RUNGS, write_squares


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace.open(tmp_path_factory.mktemp("comparing") / "workspace")


def trained_on(photos: Path, workspace: Workspace, rungs: Sequence[str], *, open_test: bool = True) -> Model:
    return winnow.train(photos, workspace=workspace, rungs=rungs, open_test=open_test, tell=tell_nobody)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_squares(tmp_path_factory.mktemp("pictures") / "squares", n=120)


@pytest.fixture(scope="module")
def guess(photos: Path, workspace: Workspace) -> Model:
    """Always answers the commonest class."""
    return trained_on(photos, workspace, RUNGS[:1])


@pytest.fixture(scope="module")
def good(guess: Model, photos: Path, workspace: Workspace) -> Model:
    """Right on nearly all."""
    return trained_on(photos, workspace, RUNGS[1:])


@pytest.fixture(scope="module")
def found(guess: Model, good: Model, workspace: Workspace) -> Comparison:
    return compare(guess, good, workspace=workspace)


def test_a_model_that_looks_beats_one_that_guesses(found: Comparison, guess: Model, good: Model) -> None:
    assert (found.a, found.b) == (guess.full_name, good.full_name) == ("squares@1", "squares@2")
    assert found.on == "test"
    assert found.better == "b"
    assert found.verdict.startswith("squares@2 is shown to be better than squares@1. On the same 24 pictures")
    assert "McNemar's exact test, p =" in found.verdict


def test_the_difference_is_that_of_the_two_reports(found: Comparison, guess: Model, good: Model) -> None:
    for name, pair in found.scores.items():
        reports = [model.report.judgement.evaluation.scores[name] for model in (guess, good)]
        for mine, reported in zip((pair.a, pair.b), reports, strict=True):
            assert mine is not None
            assert reported is not None
            assert mine.value == pytest.approx(reported.value)
        if pair.difference is not None and pair.a is not None and pair.b is not None:
            assert pair.difference.value == pytest.approx(pair.b.value - pair.a.value)
            assert pair.difference.low <= pair.difference.value <= pair.difference.high


def test_accuracy_differs_as_the_closed_form_says(found: Comparison, workspace: Workspace) -> None:
    """Edwards' corrected McNemar interval: (b - c) / n +- (z sqrt(b + c) + 1) / n, the bootstrap finding its z."""
    answers, difference = found.answers, found.scores["accuracy"].difference
    assert difference is not None
    tosses = answers.only_a + answers.only_b
    half = (difference.high - difference.low) / 2
    assert difference.value == pytest.approx((answers.only_b - answers.only_a) / found.n)
    assert half == pytest.approx((1.96 * math.sqrt(tosses) + 1) / found.n, rel=0.15)


def test_the_other_way_round_turns_every_sign(found: Comparison, guess: Model, good: Model) -> None:
    turned = compare(good, guess)
    assert turned.better == "a"
    assert turned.answers.p_value == found.answers.p_value
    for name, pair in found.scores.items():
        other = turned.scores[name].difference
        if pair.difference is not None and other is not None:
            assert (-other.high, -other.value, -other.low) == pytest.approx(
                (pair.difference.low, pair.difference.value, pair.difference.high)
            )


def test_where_the_answers_are_alike_nothing_is_shown(photos: Path, good: Model, workspace: Workspace) -> None:
    again = trained_on(photos, workspace, ["pixels-logistic-regression"])
    found = compare(good, again, workspace=workspace)
    assert found.better is None
    assert found.verdict.startswith("It is not shown that")


def test_nothing_is_opened(found: Comparison, workspace: Workspace, photos: Path, good: Model) -> None:
    before = workspace.find_dataset("squares").openings
    closed = trained_on(photos, workspace, ["pixels-svm"], open_test=False)
    judged = compare(good, closed, workspace=workspace)
    assert judged.on == "judged"
    assert judged.n == 96
    assert "flattering" in judged.notes[-1]
    assert workspace.find_dataset("squares").openings == before
    with pytest.raises(UserError, match="has not opened its test split"):
        compare(good, closed, on="test", workspace=workspace)


def test_a_picture_that_one_has_learned_from_is_left_out(
    guess: Model, photos: Path, workspace: Workspace, tmp_path: Path
) -> None:
    data = winnow.load(photos, workspace=workspace, tell=tell_nobody)
    tested = sorted(example.source for example in data.examples("test"))
    moved = data.move(tested[:5], "train")
    later = winnow.train(moved, rungs=RUNGS[1:], name="later", tell=tell_nobody)
    found = compare(guess, later, workspace=workspace)
    assert found.n == 19
    assert "Left out: 5 pictures only one of them answered" in found.notes[0]
    assert any(note.startswith("They learned from versions 1 and 2") for note in found.notes)


def test_another_dataset_or_the_same_model_is_refused(good: Model, tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(UserError, match="same model"):
        compare(good, good)
    other = winnow.train(write_squares(tmp_path / "others"), workspace=workspace, rungs=RUNGS, tell=tell_nobody)
    with pytest.raises(UserError, match=r"of the dataset 'squares'.*one of 'others'"):
        compare(good, other)


def test_it_is_json(found: Comparison) -> None:
    values = json.loads(json.dumps(found.as_dict()))
    assert values["better"] == "b"
    assert values["p_value"] == found.answers.p_value
    assert set(values["scores"]) == set(METRICS)


# What a model answered is kept beside it


def test_what_was_answered_gives_the_very_figures_of_the_report(good: Model) -> None:
    for split, judgement in (("judged", good.report.numbers.judged), ("test", good.report.numbers.test)):
        assert judgement is not None
        pictures = answers_kept(good, split, None)  # type: ignore[arg-type]
        predictions = Predictions(pictures.probs, pictures.truths)
        for name in ("accuracy", "log_loss"):
            reported = judgement.evaluation.scores[name]
            assert reported is not None
            assert value(METRICS[name], predictions) == pytest.approx(reported.value)
        assert pictures.is_right.mean() == pytest.approx(value(METRICS["accuracy"], predictions))


def test_a_model_of_before_is_asked_again_about_its_test_split(guess: Model, workspace: Workspace) -> None:
    before = JudgedPictures.read(guess.folder, "test")
    (guess.folder / FILES["test"]).unlink()
    openings = workspace.find_dataset("squares").openings
    again = answers_kept(guess, "test", workspace)
    assert again.contents == before.contents
    np.testing.assert_allclose(again.probs, before.probs, atol=1e-5)
    assert JudgedPictures.read(guess.folder, "test").contents == before.contents
    assert workspace.find_dataset("squares").openings == openings


def test_without_what_was_answered_it_says_what_to_do(good: Model, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="train it again"):
        JudgedPictures.read(tmp_path, "judged")


def test_pictures_of_several_classes_are_kept_with_what_was_called(tmp_path: Path) -> None:
    probs = np.array([[0.7, 0.2], [0.4, 0.9]], dtype=np.float32)
    truths = np.array([[1, 0], [1, 1]])
    pictures = JudgedPictures(("ab" * 32, "cd" * 32), probs, truths, np.array([0, 1]), probs >= 0.5)
    pictures.write(tmp_path, "judged")
    read = JudgedPictures.read(tmp_path, "judged")
    assert read.contents == pictures.contents
    assert read.called is not None
    assert read.is_right.tolist() == [True, False]


def test_models_of_several_classes_are_compared_by_map_and_wholly_right_answers(tmp_path: Path) -> None:
    data = winnow.load(write_shapes(tmp_path / "shapes"), workspace=tmp_path / "workspace", tell=tell_nobody)
    guess, good = (winnow.train(data, rungs=[rung], name="m", tell=tell_nobody) for rung in MULTILABEL_RUNGS)
    found = compare(guess, good)
    assert (found.task, found.main, found.better) == ("multilabel", "macro_average_precision", "b")
    assert "mAP" in found.verdict
    assert "wholly right" in found.verdict
    for model, pair in ((guess, found.scores["subset_accuracy"].a), (good, found.scores["subset_accuracy"].b)):
        reported = model.report.judgement.evaluation.scores["subset_accuracy"]
        assert pair is not None
        assert reported is not None
        assert pair.value == pytest.approx(reported.value)
    answers = found.answers
    right_b = found.scores["subset_accuracy"].b
    assert right_b is not None
    assert (answers.both + answers.only_b) / answers.n == pytest.approx(right_b.value)
