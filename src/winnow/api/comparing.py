"""Compare: two models of one dataset on the same pictures, with the test that fits pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from winnow.api.comparison import Comparison, ScorePair
from winnow.api.dataset import Dataset
from winnow.api.evaluation import answers_kept, dataset_of, home_of
from winnow.api.judged_pictures import JudgedPictures, Split
from winnow.api.model import Model
from winnow.data.manifest import Example
from winnow.errors import BadDataError, UserError
from winnow.ladder.evidence import Judged, compare_all
from winnow.metrics.families import DEFAULTS, FAMILIES
from winnow.metrics.intervals import Interval
from winnow.metrics.mcnemar import paired_answers
from winnow.metrics.measure import drawn, interval_from_draws
from winnow.metrics.metric import Metric
from winnow.metrics.multilabel_predictions import MultilabelPredictions
from winnow.metrics.predictions import Predictions
from winnow.metrics.resamples import Resamples, make_resamples
from winnow.metrics.weighted import AnyPredictions, Weighted
from winnow.report.words import count
from winnow.tasks.multilabel.problem import marks_of
from winnow.workspace.workspace import Workspace

_DRAWS = 2000
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the two models, with what it answered."""

    model: Model
    pictures: JudgedPictures
    data: Dataset | None
    """The version that it learned from; None if it is gone."""

    @property
    def place_of(self) -> dict[str, int]:
        """Where a picture stands among the answers; of several of one content the first."""
        return {content: place for place, content in reversed(list(enumerate(self.pictures.contents)))}


@dataclass(frozen=True, slots=True)
class _Shared:
    """The pictures that both answered: their places on both sides, and what they show."""

    a: npt.NDArray[np.int64]
    b: npt.NDArray[np.int64]
    examples: list[Example]


def compare(
    model_a: Model | str | Path,
    model_b: Model | str | Path,
    *,
    on: Split | None = None,
    workspace: str | Path | Workspace | None = None,
) -> Comparison:
    """Whether one of two models of the same dataset is shown to be better, on the pictures that both answered.

    Nothing is opened and no opening is counted: what both have answered already is held side by side. A picture that
    one of them has learned from, or that is of a class which one of them does not know, is left out. Where the two
    versions of the dataset give a picture different labels, the newer one holds.

    Args:
        model_a: a `Model`, its folder, or its name ("clouds@1").
        model_b: likewise; differences are b minus a.
        on: "test": the test split, if both have opened theirs; "judged": what both climbs judged, each picture by a
            model that had not seen it; None: the test split if both have opened it.
        workspace: a folder; default: the one that `model_b` lies in, else WINNOW_WORKSPACE, else ~/.winnow.

    Returns:
        Every metric of both with its interval, their difference with its own (the paired bootstrap, and the
        continuity correction for accuracy, as on the ladder: `winnow.ladder.evidence.compare_all`), and McNemar's
        exact test of right and wrong.

    Raises:
        NotFoundError: no such model, or one of before that does not keep its answers.
        BadDataError: they have no picture in common.
        UserError: they are of different datasets or tasks, or `on` is "test" and one has not opened it.
    """
    a, b = (one if isinstance(one, Model) else Model.open(one, workspace) for one in (model_a, model_b))
    _check(a, b)
    split = _split(a, b, on)
    with home_of(b, workspace) as home:
        one, other = _side(a, split, home), _side(b, split, home)
        shared, notes = _in_common(one, other, split)
        if len(shared.a) < _FEWEST:
            raise BadDataError(
                f"{a.full_name} and {b.full_name} have {count(len(shared.a), 'picture')} in common that neither has "
                "learned from: compare models that were judged on the same pictures."
            )
    classes, seen = _seen(one, other, shared)
    resamples = make_resamples(one.pictures.clusters[shared.a], draws=_DRAWS)
    right = [_is_right(predictions) for predictions in seen]
    return Comparison(
        a=a.full_name,
        b=b.full_name,
        task=a.task,
        on=split,
        dataset=b.report.numbers.dataset.name,
        n=len(shared.a),
        n_independent=resamples.n_clusters,
        scores=_score_pairs(a.task, *seen, resamples),
        main=DEFAULTS[a.task],
        answers=paired_answers(*right),
        notes=(*notes, *_about_classes(a, b, classes), *_caution(a, b, split)),
    )


def _check(a: Model, b: Model) -> None:
    name_a, name_b = a.report.numbers.dataset.name, b.report.numbers.dataset.name
    if name_a.lower() != name_b.lower():
        raise UserError(
            f"{a.full_name} is a model of the dataset '{name_a}' and {b.full_name} one of '{name_b}': two models are "
            "compared on pictures that both were judged on. Choose two of one dataset, or measure both on the same "
            "new pictures: winnow evaluate MODEL FOLDER"
        )
    if a.task != b.task:
        raise UserError(f"{a.full_name} answers one class a picture and {b.full_name} any number, or the reverse.")
    if a.digest == b.digest:
        raise UserError(f"{a.full_name} and {b.full_name} are the same model: choose another one to compare with.")


def _split(a: Model, b: Model, on: Split | None) -> Split:
    closed = [model for model in (a, b) if model.report.numbers.test is None]
    if on is None:
        return "judged" if closed else "test"
    if on not in ("test", "judged"):
        raise UserError(f"'{on}' is nothing to compare on: choose test or judged.")
    if on == "test" and closed:
        raise UserError(
            f"{closed[0].full_name} has not opened its test split: compare on what the climbs judged, or open it first "
            f"(that is counted): winnow evaluate {closed[0].full_name}"
        )
    return on


def _side(model: Model, split: Split, home: Workspace | None) -> _Side:
    return _Side(model, answers_kept(model, split, home), dataset_of(model.report.numbers, home))


def _in_common(a: _Side, b: _Side, split: Split) -> tuple[_Shared, list[str]]:
    """The pictures that a fair comparison may use, and what was left out."""
    place_a, place_b = a.place_of, b.place_of
    both = [content for content in place_a if content in place_b]
    notes: list[str] = []
    if left := len(place_a) + len(place_b) - 2 * len(both):
        notes.append(f"Left out: {count(left, 'picture')} only one of them answered.")
    if a.data is None or b.data is None:
        missing = a if a.data is None else b
        raise UserError(
            f"The version of the dataset that {missing.model.full_name} learned from is no longer in the workspace, so "
            "nobody can say which pictures it has seen: name the workspace that has it."
        )
    newer = max((a.data, b.data), key=lambda data: data.version)
    example_of = {example.content: example for example in newer.examples()}
    if a.data.version != b.data.version:
        notes.append(
            f"They learned from versions {a.data.version} and {b.data.version} of '{newer.name}'; the labels are those "
            f"of version {newer.version}."
        )
    kept = [content for content in both if content in example_of]
    if split == "test":
        learned = {
            example.pixels for data in (a.data, b.data) for example in data.examples() if example.split != "test"
        }
        fair = [content for content in kept if example_of[content].pixels not in learned]
        if n_learned := len(kept) - len(fair):
            notes.append(f"Left out: {count(n_learned, 'picture')} of which one of them has learned from a copy.")
        kept = fair
    known = [content for content in kept if _is_known(example_of[content], a.model, b.model)]
    if n_unknown := len(kept) - len(known):
        notes.append(f"Left out: {count(n_unknown, 'picture')} of a class that one of them does not know.")
    places = [np.array([place_of[content] for content in known], dtype=np.int64) for place_of in (place_a, place_b)]
    return _Shared(places[0], places[1], [example_of[content] for content in known]), notes


def _is_known(example: Example, a: Model, b: Model) -> bool:
    truths = (a.answers.truths_of(example), b.answers.truths_of(example))
    if None in truths:
        return False
    return a.task == "multilabel" or set(example.labels or ()) <= set(a.classes) & set(b.classes)


def _seen(a: _Side, b: _Side, shared: _Shared) -> tuple[list[str], tuple[AnyPredictions, AnyPredictions]]:
    """What is compared on: the classes, and both models' answers in their order."""
    known_a, known_b = set(a.model.classes), set(b.model.classes)
    if a.model.task == "multilabel":
        classes = sorted(known_a & known_b)
        marks = marks_of(shared.examples, classes)
        sides = [_columns(side, places, classes) for side, places in ((a, shared.a), (b, shared.b))]
        return classes, (
            MultilabelPredictions(sides[0][0], marks, sides[0][1]),
            MultilabelPredictions(sides[1][0], marks, sides[1][1]),
        )
    classes = sorted(known_a | known_b)
    ids = {name: place for place, name in enumerate(classes)}
    labels = np.array([ids[str(example.label)] for example in shared.examples], dtype=np.int64)
    return classes, (
        Predictions(_columns(a, shared.a, classes)[0], labels),
        Predictions(_columns(b, shared.b, classes)[0], labels),
    )


def _columns(
    side: _Side, places: npt.NDArray[np.int64], classes: Sequence[str]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Probabilities and calls (N, C) in the order of `classes`; 0 for a class that the model does not know."""
    pictures = side.pictures.taken(places)
    probs = np.zeros((len(places), len(classes)), dtype=np.float32)
    called = np.zeros(probs.shape, dtype=np.bool_)
    own = {name: column for column, name in enumerate(side.model.classes)}
    for column, name in enumerate(classes):
        if name in own:
            probs[:, column] = pictures.probs[:, own[name]]
            if pictures.called is not None:
                called[:, column] = pictures.called[:, own[name]]
    return probs, called


def _is_right(predictions: AnyPredictions) -> npt.NDArray[np.bool_]:
    if isinstance(predictions, MultilabelPredictions):
        return predictions.is_exact
    assert isinstance(predictions, Predictions)
    return predictions.is_right


def _score_pairs(task: str, a: AnyPredictions, b: AnyPredictions, resamples: Resamples) -> dict[str, ScorePair]:
    """Every metric of the task's family for both, from one pass over the draws."""
    family = FAMILIES[task]
    draws: dict[str, list[tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]] = {name: [] for name in family}
    for weights in resamples.chunks():
        chunk_a, chunk_b = Weighted(a, weights), Weighted(b, weights)
        for name, metric in family.items():
            draws[name].append((drawn(metric, chunk_a), drawn(metric, chunk_b)))
    joined = {
        name: (np.concatenate([a for a, _ in parts], axis=-1), np.concatenate([b for _, b in parts], axis=-1))
        for name, parts in draws.items()
    }
    return {name: _score_pair(metric, (a, b), joined[name], resamples) for name, metric in family.items()}


def _score_pair(
    metric: Metric[AnyPredictions],
    seen: tuple[AnyPredictions, AnyPredictions],
    draws: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    resamples: Resamples,
) -> ScorePair:
    a, b = (interval_from_draws(metric, one, drawn_, resamples) for one, drawn_ in zip(seen, draws, strict=True))
    if a is None or b is None:
        return ScorePair(a, b, None)
    judged = [
        Judged(name, metric.sign * score.value, metric.sign * _replicates(metric, drawn_))
        for name, score, drawn_ in zip("ab", (a, b), draws, strict=True)
    ]
    gain = compare_all(judged, resamples.n_clusters, metric.is_counting).gain(1, 0)
    if gain is None or metric.higher_is_better:
        return ScorePair(a, b, gain)
    return ScorePair(a, b, Interval(-gain.value, -gain.high, -gain.low, gain.level))


def _replicates(metric: Metric[AnyPredictions], draws: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.abs(draws).sum(axis=0) if metric.kind == "calibration" else draws


def _about_classes(a: Model, b: Model, classes: Sequence[str]) -> list[str]:
    strange = set(a.classes) ^ set(b.classes)
    if not strange:
        return []
    named = ", ".join(sorted(strange)[:8]) + (", ..." if len(strange) > 8 else "")
    return [f"Only one of them knows {named}."]


def _caution(a: Model, b: Model, split: Split) -> list[str]:
    if split == "judged":
        return [
            "Both climbs chose their method on these pictures, so both figures are a little flattering; which method "
            "was chosen from more of them is flattered more. The test split would be the fairer judge."
        ]
    openings = max(one.report.numbers.openings.count for one in (a, b) if one.report.numbers.openings is not None)
    return [
        f"The test split has been opened {count(openings, 'time')}. Whoever chooses a model by it should not quote the "
        "winner's test figure as what new pictures will bring: choosing makes it a little too good."
    ]
