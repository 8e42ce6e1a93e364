"""What every rung of multi-label classification promises; a new rung is tested the day its line is added."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from sklearn.metrics import average_precision_score
from sklearn.neighbors import KNeighborsClassifier

from graph.tiny import plain_run
from winnow.data.inputs import read_input
from winnow.errors import NotFoundError
from winnow.events import Event, Progress, tell_nobody
from winnow.graph import formats
from winnow.ladder.climb import climb
from winnow.tasks import judging
from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.classify.rungs import all_rungs as classify_rungs
from winnow.tasks.heads.nearest_neighbour import NearestNeighbour
from winnow.tasks.looks import PIXELS
from winnow.tasks.multilabel import head_rung
from winnow.tasks.multilabel.head_rung import EachHeadRung
from winnow.tasks.multilabel.problem import MultilabelProblem
from winnow.tasks.multilabel.rungs import all_rungs, find_rungs
from winnow.tasks.rung import Candidate, Clock, Rung

from .shapes import SHAPES, Shop

every_rung = pytest.mark.parametrize("rung", all_rungs(), ids=lambda rung: rung.name)


@pytest.fixture(scope="module", autouse=True)
def _small_and_exact() -> Generator[None]:
    """Ten trees; and fp32, because a bf16 backbone on plain ONNX Runtime is an fp32 one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("winnow.tasks.heads.random_forest.TREES", 10)
        patch.setattr(formats, "_formats_to_try", lambda: iter(()))
        patch.setattr(formats, "_TIMED_S", 0.01)
        patch.setattr(judging, "DRAWS", 100)
        yield


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


@dataclass
class Climbed:
    problem: MultilabelProblem
    candidate: Candidate
    heard: list[Event]


@pytest.fixture(scope="module")
def climbs(shop: Shop) -> dict[str, Climbed]:
    return {}


def climbed(rung: Rung[MultilabelProblem], shop: Shop, climbs: dict[str, Climbed]) -> Climbed:
    """What became of the rung; climbed once for all tests."""
    if rung.name not in climbs:
        heard: list[Event] = []
        problem = shop.problem()
        climbs[rung.name] = Climbed(problem, rung.climb(problem, Clock(), heard.append), heard)
    return climbs[rung.name]


def test_the_ladder_is_that_of_classification_under_the_same_names():
    light = [rung for rung in classify_rungs() if isinstance(rung, HeadRung)]
    assert [(rung.name, rung.title) for rung in all_rungs()][1:] == [(rung.name, rung.title) for rung in light][1:]
    assert all_rungs()[0].name == "base-rates"


@every_rung
def test_predictions_are_probabilities_for_every_judged_example(
    rung: Rung[MultilabelProblem], shop: Shop, climbs: dict[str, Climbed]
):
    done = climbed(rung, shop, climbs)
    assert done.candidate.predictions.shape == (done.problem.n_judged, len(SHAPES))
    assert done.candidate.predictions.dtype == np.float32
    assert 0 <= done.candidate.predictions.min() <= done.candidate.predictions.max() <= 1
    assert done.problem.judge(done.candidate.predictions) is not None


@every_rung
def test_the_saved_graph_run_whole_anywhere_gives_the_same_probabilities(
    rung: Rung[MultilabelProblem], shop: Shop, climbs: dict[str, Climbed]
):
    done = climbed(rung, shop, climbs)
    spec, contents = done.problem.input_spec_of(done.candidate), done.problem.contents
    seen = np.stack([read_input(shop.blobs.read(content), spec) for content in contents])
    whole = plain_run(done.candidate.graph, seen)
    assert whole.shape == (len(contents), len(SHAPES))
    assert whole == pytest.approx(done.problem.probabilities(done.candidate, contents), abs=1e-4)
    assert plain_run(done.candidate.graph, seen[3:4]) == pytest.approx(whole[3:4], abs=1e-5)


@every_rung
def test_the_graph_says_what_it_is_and_when_to_call_a_class(
    rung: Rung[MultilabelProblem], shop: Shop, climbs: dict[str, Climbed]
):
    done = climbed(rung, shop, climbs)
    notes = {entry.key: entry.value for entry in onnx.load_from_string(done.candidate.graph).metadata_props}
    assert notes["winnow.task"] == "multilabel"
    assert notes["winnow.rung"] == rung.name
    assert json.loads(notes["winnow.classes"]) == sorted(SHAPES)
    assert json.loads(notes["winnow.thresholds"]) == list(done.problem.thresholds(done.candidate.predictions))
    assert json.loads(json.dumps(done.candidate.settings)) == done.candidate.settings
    assert "weights" not in done.candidate.settings


@every_rung
def test_the_same_seed_gives_the_same_bytes(rung: Rung[MultilabelProblem], shop: Shop, climbs: dict[str, Climbed]):
    first = climbed(rung, shop, climbs).candidate
    again = rung.climb(shop.problem(), Clock(), tell_nobody)
    assert first.graph == again.graph
    assert first.predictions.tobytes() == again.predictions.tobytes()


@every_rung
def test_progress_is_told_fold_by_fold(rung: Rung[MultilabelProblem], shop: Shop, climbs: dict[str, Climbed]):
    told = [event for event in climbed(rung, shop, climbs).heard if isinstance(event, Progress)]
    assert told[-1].what == rung.title
    assert told[-1].done == told[-1].total == 6


@every_rung
def test_estimates_are_known_before_anything_is_read(rung: Rung[MultilabelProblem], shop: Shop):
    problem = shop.problem()
    assert rung.skip_reason(problem) is None
    estimate = rung.estimate(problem)
    assert 0 < estimate.own_s <= estimate.total_s < 60


@every_rung
def test_features_rungs_are_skipped_without_a_backbone_and_say_how_to_get_one(
    rung: Rung[MultilabelProblem], shop: Shop
):
    reason = rung.skip_reason(shop.problem(backbone=None))
    assert ("--backbone FOLDER" in (reason or "")) == rung.name.startswith("features-")


@every_rung
def test_a_validation_split_is_answered_whole(rung: Rung[MultilabelProblem], shop: Shop):
    examples = [replace(e, split="validation" if i % 3 == 0 else "train") for i, e in enumerate(shop.examples)]
    candidate = rung.climb(shop.problem(examples=examples), Clock(), tell_nobody)
    assert candidate.predictions.shape == (14, 3)
    assert np.isfinite(candidate.predictions).all()


@every_rung
def test_classes_that_a_fold_shows_never_or_always_can_be_climbed(rung: Rung[MultilabelProblem], shop: Shop):
    # "rare" is on one picture, "always" on all, and there are six pictures.
    names = [("red square", "always"), ("always",)] * 3
    names[2] = ("red square", "rare", "always")
    examples = [replace(e, labels=labels) for e, labels in zip(shop.examples[:6], names, strict=True)]
    problem = shop.problem(examples=examples)
    candidate = rung.climb(problem, Clock(), tell_nobody)
    assert problem.classes == ("always", "rare", "red square")
    assert candidate.predictions.shape == (6, 3)
    assert candidate.predictions[:, 0].min() > 0.5
    assert candidate.predictions[problem.labels[:, 1] == 1, 1] < 0.5, "nobody could have learned it there"
    assert problem.judge(candidate.predictions) is not None


@every_rung
def test_one_class_that_is_there_or_not_can_be_climbed(rung: Rung[MultilabelProblem], shop: Shop):
    examples = [replace(e, labels=tuple(n for n in e.labels or () if n == "red square")) for e in shop.examples]
    assert rung.climb(shop.problem(examples=examples), Clock(), tell_nobody).predictions.shape == (40, 1)


@every_rung
def test_weights_that_differ_are_noted_as_heeded_or_ignored(
    rung: Rung[MultilabelProblem], shop: Shop, climbs: dict[str, Climbed]
):
    weighted = [replace(e, weight=3.0 if i % 2 else 1.0) for i, e in enumerate(shop.examples)]
    candidate = rung.climb(shop.problem(examples=weighted), Clock(), tell_nobody)
    assert isinstance(rung, EachHeadRung)
    if rung.head.heeds_weights:
        assert candidate.settings["weights"] == "heeded"
    else:
        assert candidate.settings["weights"] == "ignored"
        assert candidate.predictions.tobytes() == climbed(rung, shop, climbs).candidate.predictions.tobytes()


def test_answers_are_those_of_a_model_that_did_not_learn_from_the_judged(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(NearestNeighbour, "grid", lambda *_: [{"neighbours": 1}])
    kept: list[np.ndarray] = []
    cross_fitted = head_rung.cross_fitted
    monkeypatch.setattr(
        head_rung,
        "cross_fitted",
        lambda grid, labels, groups: kept.append(grid[0]) or cross_fitted(grid, labels, groups),
    )
    problem = shop.problem()
    EachHeadRung("x", "x", PIXELS, NearestNeighbour()).climb(problem, Clock(), tell_nobody)
    rows = problem.rows(problem.pixels)
    for part in problem.parts:
        oracle = KNeighborsClassifier(1).fit(rows[part.train], problem.labels[part.train])
        # With the vote of one neighbour, half smoothed by a rate, the logit says yes or no.
        assert np.array_equal(kept[0][part.judged] > 0, oracle.predict(rows[part.judged]) == 1)


def test_shapes_are_told_apart_with_map_above_095(tmp_path: Path):
    shop = Shop(tmp_path, 200)
    (rung,) = find_rungs(["pixels-svm"])
    problem = shop.problem(backbone=None)
    candidate = rung.climb(problem, Clock(), tell_nobody)
    assert average_precision_score(problem.labels, candidate.predictions) > 0.95


def test_random_labels_cannot_be_known(shop: Shop):
    rng = np.random.default_rng(0)
    names = [tuple(n for n in "ab" if rng.random() < 0.5) for _ in shop.examples]
    problem = shop.problem(examples=[replace(e, labels=one) for e, one in zip(shop.examples, names, strict=True)])
    for rung in find_rungs(["base-rates", "pixels-logistic-regression", "pixels-nearest-neighbour"]):
        judged = problem.judge(rung.climb(problem, Clock(), tell_nobody).predictions)
        assert judged is not None
        assert judged.value < 0.7


def test_a_real_climb_resumes_to_the_same_bits(shop: Shop, tmp_path: Path):
    names = ["base-rates", "pixels-logistic-regression", "features-nearest-mean"]
    first, again = (climb(shop.problem(), find_rungs(names), tmp_path / folder) for folder in ("a", "b"))
    (tmp_path / "a" / f"{names[1]}.json").unlink()
    resumed = climb(shop.problem(), find_rungs(names), tmp_path / "a")
    for other in (again, resumed):
        assert first.verdict == other.verdict
        assert first.comparisons.errors.tobytes() == other.comparisons.errors.tobytes()
        for one, two in zip(first.climbed, other.climbed, strict=True):
            assert one.candidate is not None
            assert two.candidate is not None
            assert one.candidate.graph == two.candidate.graph
            assert one.candidate.predictions.tobytes() == two.candidate.predictions.tobytes()


def test_a_verdict_speaks_of_what_was_optimised_and_of_the_base_rates(shop: Shop, tmp_path: Path):
    outcome = climb(shop.problem(), find_rungs(["base-rates"]), tmp_path)
    assert "(mAP, 95 % interval" in outcome.verdict.reason
    assert "it always answers how common each class is and looks at no picture" in outcome.verdict.reason


def test_an_unknown_rung_gets_a_hint():
    with pytest.raises(NotFoundError, match=r"No rung is called 'pixel-svm'\. Did you mean .*pixels-svm"):
        find_rungs(["pixel-svm"])
