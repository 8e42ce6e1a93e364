"""Put together the report of a climb's chosen model: from what the climb found out to one document."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from winnow.data.manifest import Example
from winnow.ladder.climb import Outcome, Step
from winnow.metrics.evaluation import evaluate, evaluate_multilabel
from winnow.report.schema import EpochFacts, Judgement, LearningCurve, Mistake, RungResult
from winnow.tasks import rung

_MOST_MISTAKES = 30
_PER_WRONG_CELL = 12
_PER_RIGHT_CELL = 4
_MOST_CELL_PICTURES = 600  # a page with 102 classes stays below some 3 MB
_LIBRARIES = ("numpy", "scikit-learn", "onnx", "onnxruntime", "openvino", "Pillow")


def judgement(
    probs: npt.NDArray[np.floating],
    labels: npt.NDArray[np.integer],
    classes: Sequence[str],
    examples: Sequence[Example],
    clusters: npt.NDArray[np.integer],
    seed: int,
) -> Judgement:
    """Measure predictions on a set of examples, and pick the pictures that a reader wants to see.

    Args:
        probs: (N, C) probabilities.
        labels: (N,) class ids.
        classes: C names.
        examples: N.
        clusters: (N,) which examples belong together.
        seed: of the resamples.
    """
    truths: list[int] = labels.tolist()
    answers: list[int] = probs.argmax(axis=1).tolist()
    confidence = probs.max(axis=1)
    surest_first: list[int] = np.argsort(-confidence, kind="stable").tolist()
    wrong = [i for i in surest_first if answers[i] != truths[i]]
    mistakes = tuple(
        Mistake(
            content=examples[i].content,
            source=examples[i].source,
            truth=classes[truths[i]],
            answer=classes[answers[i]],
            prob=float(confidence[i]),
        )
        for i in wrong[:_MOST_MISTAKES]
    )
    cells: dict[str, tuple[str, ...]] = {}
    for i in surest_first:
        key = f"{truths[i]},{answers[i]}"
        most = _PER_WRONG_CELL if truths[i] != answers[i] else _PER_RIGHT_CELL
        shown = cells.get(key, ())
        if len(shown) < most and sum(map(len, cells.values())) < _MOST_CELL_PICTURES:
            cells[key] = (*shown, examples[i].content)
    return Judgement(evaluation=evaluate(probs, labels, classes, clusters, seed=seed), mistakes=mistakes, cells=cells)


def multilabel_judgement(
    probs: npt.NDArray[np.floating],
    labels: npt.NDArray[np.generic],
    called: npt.NDArray[np.bool_],
    thresholds: Sequence[float],
    classes: Sequence[str],
    examples: Sequence[Example],
    clusters: npt.NDArray[np.integer],
    seed: int,
) -> Judgement:
    """`judgement` where a picture may show any number of classes.

    Args:
        probs: (N, C) probabilities.
        labels: (N, C) 0 and 1.
        called: (N, C) which classes were answered.
        thresholds: (C,) from which probability on the model calls them.
        classes: C names.
        examples: N.
        clusters: (N,) which examples belong together.
        seed: of the resamples.
    """
    shown = np.asarray(labels) == 1
    # How sure the model was of its answer to each question whether a class is there.
    sureness = np.where(called, probs, 1 - probs)
    wrong_sureness = np.where(called != shown, sureness, -1.0)
    worst_first: list[int] = np.argsort(-wrong_sureness.max(axis=1), kind="stable").tolist()

    def names(row: npt.NDArray[np.bool_]) -> tuple[str, ...]:
        return tuple(classes[c] for c in np.flatnonzero(row).tolist())

    mistakes = tuple(
        Mistake(
            content=examples[i].content,
            source=examples[i].source,
            truth=", ".join(names(shown[i])) or "nothing",
            answer=", ".join(names(called[i])) or "nothing",
            prob=float(wrong_sureness[i].max()),
            worst=classes[int(wrong_sureness[i].argmax())],
            missed=names(shown[i] & ~called[i]),
            false=names(called[i] & ~shown[i]),
        )
        for i in worst_first[:_MOST_MISTAKES]
        if (called[i] != shown[i]).any()
    )
    cells: dict[str, tuple[str, ...]] = {}
    kinds = (("missed", shown & ~called), ("false", called & ~shown), ("found", shown & called))
    for kind, is_kind in kinds:
        most = _PER_RIGHT_CELL if kind == "found" else _PER_WRONG_CELL
        for c in range(len(classes)):
            left = min(most, _MOST_CELL_PICTURES - sum(map(len, cells.values())))
            places: list[int] = np.flatnonzero(is_kind[:, c]).tolist()
            surest = sorted(places, key=lambda i: -sureness[i, c])[:left]
            if surest:
                cells[f"{c},{kind}"] = tuple(examples[i].content for i in surest)
    evaluation = evaluate_multilabel(probs, labels, called, thresholds, classes, clusters, seed=seed)
    return Judgement(evaluation=evaluation, mistakes=mistakes, cells=cells)


def rung_results(outcome: Outcome) -> tuple[RungResult, ...]:
    """Every rung of the ladder, in its order, with what it cost and what it bought."""
    places = {step.rung: place for place, step in enumerate(outcome.climbed)}
    return tuple(_rung_result(step, outcome, places.get(step.rung)) for step in outcome.steps)


def _rung_result(step: Step, outcome: Outcome, place: int | None) -> RungResult:
    if place is None or step.candidate is None or step.judged is None:
        return RungResult(
            rung=step.rung, title=step.title, state=step.state, reason=step.reason, estimate_s=step.estimate_s
        )
    gain = outcome.verdict.gains[place]
    return RungResult(
        rung=step.rung,
        title=step.title,
        state=step.state,
        estimate_s=step.estimate_s,
        score=step.judged.score,
        gain=None if gain is None else gain.interval,
        gain_over=None if gain is None else gain.over,
        has_earned=outcome.verdict.has_earned[place],
        is_chosen=place == outcome.verdict.chosen,
        seconds=step.seconds,
        joules=step.joules,
        graph_bytes=len(step.candidate.graph),
        picture_ms=step.candidate.picture_ms,
        settings=step.candidate.settings,
        curves=tuple(_curve(curve) for curve in step.candidate.curves),
    )


def _curve(curve: rung.LearningCurve) -> LearningCurve:
    epochs = tuple(EpochFacts(losses=dict(e.losses), scores=dict(e.scores), lr=e.lr) for e in curve.epochs)
    return LearningCurve(network=curve.network, epochs=epochs)


def libraries() -> dict[str, str]:
    """Versions of the libraries whose numbers are in the report."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES if _is_installed(name)}


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def now() -> str:
    """The time of a report, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
