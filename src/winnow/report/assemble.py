"""Put together the report of a climb's chosen model: from what the climb found out to one document."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from winnow.data.manifest import Example
from winnow.ladder.climb import Outcome, Step
from winnow.metrics.evaluation import evaluate
from winnow.report.schema import Judgement, Mistake, RungResult

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
    )


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
