"""What every light rung of classification promises; a new rung is tested the day its line is added.

Those that train networks promise more, and are slower: see test_trained_rungs.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from sklearn.neighbors import KNeighborsClassifier

from graph.tiny import plain_run
from winnow import installed
from winnow.data.inputs import read_input
from winnow.data.manifest import Example
from winnow.errors import NotFoundError, UserError
from winnow.events import Event, Progress, tell_nobody
from winnow.graph import formats
from winnow.ladder.climb import climb
from winnow.tasks import judging
from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.rungs import all_rungs, find_rungs
from winnow.tasks.heads.head import Lesson, Write
from winnow.tasks.heads.nearest_neighbour import NearestNeighbour
from winnow.tasks.heads.prior import Prior
from winnow.tasks.looks import PIXELS
from winnow.tasks.rung import Candidate, Clock, OutOfTimeError, Rung, Settings

from .problems import COLOURS, Shop

LIGHT = [rung for rung in all_rungs() if isinstance(rung, HeadRung)]
every_rung = pytest.mark.parametrize("rung", LIGHT, ids=lambda rung: rung.name)


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
    problem: ClassifyProblem
    candidate: Candidate
    heard: list[Event]


@pytest.fixture(scope="module")
def climbs(shop: Shop) -> dict[str, Climbed]:
    return {}


def climbed(rung: Rung[ClassifyProblem], shop: Shop, climbs: dict[str, Climbed]) -> Climbed:
    """What became of the rung; climbed once for all tests."""
    if rung.name not in climbs:
        heard: list[Event] = []
        problem = shop.problem()
        climbs[rung.name] = Climbed(problem, rung.climb(problem, Clock(), heard.append), heard)
    return climbs[rung.name]


def _with_validation(shop: Shop) -> list[Example]:
    return [replace(e, split="validation" if i % 3 == 0 else "train") for i, e in enumerate(shop.examples)]


def test_names_and_titles_are_unique():
    assert len({rung.name for rung in all_rungs()}) == len(all_rungs()) > 10
    assert len({rung.title for rung in all_rungs()}) == len(all_rungs())
    assert all(rung.name == rung.name.lower().replace(" ", "-") for rung in all_rungs())


@every_rung
def test_predictions_are_probabilities_for_every_judged_example(
    rung: Rung[ClassifyProblem], shop: Shop, climbs: dict[str, Climbed]
):
    done = climbed(rung, shop, climbs)
    assert done.candidate.predictions.shape == (done.problem.n_judged, len(COLOURS))
    assert done.candidate.predictions.dtype == np.float32
    assert done.candidate.predictions.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert done.problem.judge(done.candidate.predictions) is not None


@every_rung
def test_the_saved_graph_run_whole_anywhere_gives_the_same_probabilities(
    rung: Rung[ClassifyProblem], shop: Shop, climbs: dict[str, Climbed]
):
    done = climbed(rung, shop, climbs)
    spec = done.problem.input_spec_of(done.candidate)
    contents = done.problem.contents
    seen = np.stack([read_input(shop.blobs.read(content), spec) for content in contents])
    model = onnx.load_from_string(done.candidate.graph)
    assert [(entry.name, entry.type.tensor_type.elem_type) for entry in model.graph.input] == [
        ("pixels", onnx.TensorProto.UINT8)
    ]
    whole = plain_run(done.candidate.graph, seen)
    assert whole == pytest.approx(done.problem.probabilities(done.candidate, contents), abs=1e-4)
    # One picture or many: the same answer.
    assert plain_run(done.candidate.graph, seen[3:4]) == pytest.approx(whole[3:4], abs=1e-5)


@every_rung
def test_the_graph_says_what_it_is(rung: Rung[ClassifyProblem], shop: Shop, climbs: dict[str, Climbed]):
    done = climbed(rung, shop, climbs)
    notes = {entry.key: entry.value for entry in onnx.load_from_string(done.candidate.graph).metadata_props}
    assert notes["winnow.task"] == "classify"
    assert notes["winnow.rung"] == rung.name
    assert json.loads(notes["winnow.classes"]) == sorted(COLOURS)
    assert notes["winnow.input"] == done.problem.input_spec_of(done.candidate).key
    assert done.candidate.picture_ms > 0
    assert json.loads(json.dumps(done.candidate.settings)) == done.candidate.settings
    assert done.problem.number_format_of(done.candidate) == "fp32"


@every_rung
def test_the_same_seed_gives_the_same_bytes(rung: Rung[ClassifyProblem], shop: Shop, climbs: dict[str, Climbed]):
    first = climbed(rung, shop, climbs).candidate
    again = rung.climb(shop.problem(), Clock(), tell_nobody)
    assert first.graph == again.graph
    assert first.predictions.tobytes() == again.predictions.tobytes()
    assert first.settings == again.settings


@every_rung
def test_progress_is_told_fold_by_fold(rung: Rung[ClassifyProblem], shop: Shop, climbs: dict[str, Climbed]):
    told = [event for event in climbed(rung, shop, climbs).heard if isinstance(event, Progress)]
    assert told[-1].what == rung.title
    assert told[-1].done == told[-1].total == 6


@every_rung
def test_estimates_are_known_before_anything_is_read(rung: Rung[ClassifyProblem], shop: Shop):
    problem = shop.problem()
    assert rung.skip_reason(problem) is None
    estimate = rung.estimate(problem)
    assert 0 < estimate.own_s <= estimate.total_s < 60
    assert estimate.shared is not None


def test_features_that_are_at_hand_cost_nothing_more(shop: Shop):
    problem = shop.problem()
    (rung,) = find_rungs(["features-lda"])
    before = rung.estimate(problem)
    rung.climb(problem, Clock(), tell_nobody)
    after = rung.estimate(problem)
    assert (after.own_s, after.shared, after.shared_s) == (before.own_s, before.shared, 0.0)


class _SlowPrior(Prior):
    """A head that takes its time."""

    def learn(self, lesson: Lesson, grid: Sequence[Settings]) -> list[Write]:
        time.sleep(0.3)
        return super().learn(lesson, grid)


def test_a_rung_stops_when_the_budget_ends_while_it_learns(shop: Shop):
    problem = shop.problem()
    problem.rows(problem.pixels)
    with pytest.raises(OutOfTimeError):
        HeadRung("x", "x", PIXELS, _SlowPrior()).climb(problem, Clock(budget_s=0.1), tell_nobody)


def test_a_rung_stops_when_the_budget_ends_while_features_are_computed(tmp_path: Path):
    (rung,) = find_rungs(["features-lda"])
    with pytest.raises(OutOfTimeError):
        rung.climb(Shop(tmp_path, 2).problem(), Clock(budget_s=0), tell_nobody)


def test_work_that_is_finished_is_not_thrown_away_because_the_budget_ended_meanwhile(shop: Shop):
    problem = shop.problem()
    problem.rows(problem.pixels)
    HeadRung("x", "x", PIXELS, Prior()).climb(problem, Clock(budget_s=0), tell_nobody)


@every_rung
def test_features_rungs_are_skipped_without_a_backbone_and_say_how_to_get_one(rung: Rung[ClassifyProblem], shop: Shop):
    reason = rung.skip_reason(shop.problem(backbone=None))
    if rung.name.startswith("features-"):
        assert reason is not None
        assert "--backbone FOLDER" in reason
    else:
        assert reason is None


@every_rung
def test_a_validation_split_is_answered_whole(rung: Rung[ClassifyProblem], shop: Shop):
    candidate = rung.climb(shop.problem(examples=_with_validation(shop)), Clock(), tell_nobody)
    assert candidate.predictions.shape == (10, 3)
    assert candidate.predictions.sum(axis=1) == pytest.approx(1, abs=1e-5)


@every_rung
def test_the_smallest_dataset_of_two_pictures_a_class_can_be_climbed(rung: Rung[ClassifyProblem], shop: Shop):
    examples = [e for e in shop.examples if e.source.endswith(("/0.png", "/1.png")) and e.label != "green"]
    assert len(examples) == 4
    candidate = rung.climb(shop.problem(examples=examples), Clock(), tell_nobody)
    assert candidate.predictions.shape == (4, 2)
    assert np.isfinite(candidate.predictions).all()


def test_balanced_metrics_make_rungs_weigh_classes_equally(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    seen: list[bool] = []
    learn = Prior.learn
    monkeypatch.setattr(
        Prior, "learn", lambda self, lesson, grid: seen.append(lesson.is_balanced) or learn(self, lesson, grid)
    )
    rung = HeadRung("x", "x", PIXELS, Prior())
    rung.climb(shop.problem("balanced_accuracy"), Clock(), tell_nobody)
    rung.climb(shop.problem("accuracy"), Clock(), tell_nobody)
    assert seen == [True] * 6 + [False] * 6


@pytest.mark.parametrize("has_validation", [False, True])
def test_answers_are_those_of_a_model_that_did_not_learn_from_the_judged(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, has_validation: bool
):
    monkeypatch.setattr(NearestNeighbour, "grid", lambda *_: [{"neighbours": 1}])
    problem = shop.problem(examples=_with_validation(shop) if has_validation else shop.examples)
    rung = HeadRung("x", "x", PIXELS, NearestNeighbour())
    answers = np.zeros(len(problem.labels), dtype=np.int64)
    answers[problem.judged] = rung.climb(problem, Clock(), tell_nobody).predictions.argmax(axis=1)
    rows = problem.rows(problem.pixels)
    for part in problem.parts:
        oracle = KNeighborsClassifier(1).fit(rows[part.train], problem.labels[part.train])
        assert np.array_equal(answers[part.judged], oracle.predict(rows[part.judged]))


def test_copies_under_random_labels_cannot_be_known_by_heart(shop: Shop):
    # Every picture twice, its two copies under one random label: a leak would answer them all rightly.
    labels = np.random.default_rng(0).integers(0, 2, len(shop.examples))
    copied = [
        replace(e, labels=(str(label),)) for e, label in zip(shop.examples, labels, strict=True) for _ in range(2)
    ]
    problem = shop.problem(examples=copied)
    rung = next(rung for rung in all_rungs() if rung.name == "pixels-nearest-neighbour")
    predictions = rung.climb(problem, Clock(), tell_nobody).predictions
    assert (predictions.argmax(axis=1) == problem.labels).mean() < 0.75


def test_rungs_are_found_by_name_in_ladder_order():
    assert find_rungs(None) == all_rungs()
    names = [rung.name for rung in find_rungs(["features-lda", "commonest-class", "pixels-svm"])]
    assert names == ["commonest-class", "pixels-svm", "features-lda"]


def test_an_unknown_rung_gets_a_hint():
    with pytest.raises(NotFoundError, match=r"No rung is called 'pixel-svm'\. Did you mean .*pixels-svm"):
        find_rungs(["pixel-svm"])
    with pytest.raises(NotFoundError, match=r"Known are commonest-class, .*fine-tune.*\."):
        find_rungs(["commonest-class", "zzz"])


@dataclass
class Point:
    """An installed package's entry point."""

    name: str
    value: str
    rung: object

    def load(self) -> object:
        if isinstance(self.rung, Exception):
            raise self.rung
        return self.rung


def _install(monkeypatch: pytest.MonkeyPatch, *points: Point) -> None:
    def entry_points(*, group: str) -> list[Point]:
        assert group == "winnow.rungs.classify"
        return list(points)

    monkeypatch.setattr(installed, "entry_points", entry_points)


def test_other_packages_rungs_are_tried_after_ours(monkeypatch: pytest.MonkeyPatch, shop: Shop):
    ours = [rung.name for rung in all_rungs()]
    second = Point("b", "other:SECOND", HeadRung("guess-twice", "guess twice", PIXELS, Prior()))
    first = Point("a", "other:FIRST", HeadRung("guess", "guess", PIXELS, Prior()))
    _install(monkeypatch, second, first)
    assert [rung.name for rung in all_rungs()] == [*ours, "guess", "guess-twice"]
    (found,) = find_rungs(["guess"])
    assert found.climb(shop.problem(), Clock(), tell_nobody).predictions.shape == (30, 3)


def test_another_packages_rung_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch):
    _install(monkeypatch, Point("a", "other.rungs:RUNG", ImportError("no module torch")))
    with pytest.raises(UserError, match=r"other\.rungs:RUNG cannot be loaded \(no module torch\): update or remove"):
        all_rungs()
    _install(monkeypatch, Point("a", "other:RUNG", HeadRung("pixels-svm", "x", PIXELS, Prior())))
    with pytest.raises(UserError, match="a rung called 'pixels-svm' already, and other:RUNG"):
        all_rungs()


def test_rungs_look_at_nothing_but_what_they_name(tmp_path: Path):
    shop = Shop(tmp_path, 3)
    problem = shop.problem()
    (rung,) = find_rungs(["pixels-nearest-neighbour"])
    rung.climb(problem, Clock(), tell_nobody)
    assert problem.features_missing(problem.pixels) == 0
    assert not (shop.cache / "features").exists()


def test_a_real_climb_resumes_to_the_same_bits(shop: Shop, tmp_path: Path):
    names = ["commonest-class", "pixels-logistic-regression", "features-nearest-mean"]
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


def test_features_that_lie_in_the_cache_cost_a_later_climb_nothing(tmp_path: Path):
    shop = Shop(tmp_path, 2)
    (rung,) = find_rungs(["features-nearest-mean"])
    assert rung.estimate(shop.problem()).shared_s > 0
    rung.climb(shop.problem(), Clock(), tell_nobody)
    assert rung.estimate(shop.problem()).shared_s == 0
