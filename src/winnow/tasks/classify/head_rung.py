"""A rung that looks at one kind of features and learns one head on them: all of the light rungs."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from winnow.events import Event, Progress, Tell
from winnow.graph.features import FeatureGraph, Rows
from winnow.graph.formats import FormatChoice
from winnow.graph.join import join
from winnow.graph.runtime import open_small_graph, run_in_chunks
from winnow.machine import cores
from winnow.seeds import seed_for
from winnow.tasks.classify.calibration import choose, cross_fitted
from winnow.tasks.classify.problem import ClassifyProblem, Part
from winnow.tasks.heads.head import Head, Lesson, Write, head_graph, learn_all_classes, logits_graph
from winnow.tasks.rung import Candidate, Clock, Estimate, Settings

_FEATURES_S = {"pixels": 0.0006, "hog": 0.0012, "pixels and hog": 0.0012}
"""Seconds a picture costs one reference core, reading included."""


@dataclass(frozen=True)
class Look:
    """A kind of features, and why a problem may not have them."""

    features: Callable[[ClassifyProblem], FeatureGraph | None]
    missing: str


PIXELS = Look(lambda problem: problem.pixels, "")
HANDMADE = Look(lambda problem: problem.handmade, "")
HOG = Look(lambda problem: problem.hog, "the pictures are too small to have edges (under 16 px)")
BACKBONE = Look(
    lambda problem: problem.backbone_features,
    "no backbone is at hand; give one with --backbone FOLDER (recipes/timm_backbone.py makes one)",
)


@dataclass(frozen=True)
class HeadRung:
    """Features, then a head; one object per file in `rungs/`."""

    name: str
    title: str
    look: Look
    head: Head

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """Why this rung cannot pay here."""
        return self.look.missing if self.look.features(problem) is None else None

    def estimate(self, problem: ClassifyProblem) -> Estimate:
        """Features that are not at hand are counted in full; folds share the cores."""
        features = self.look.features(problem)
        if features is None:
            return Estimate(0.0)
        n_classes = len(problem.classes)
        per_picture = _FEATURES_S.get(features.name, 0.0)
        if features.is_backbone:
            choice = problem.format_of(features)
            per_picture = 1 / choice.pictures_per_s[choice.number_format] + 0.001
        features_s = per_picture * problem.features_missing(features) / cores()
        grid = len(self.head.grid(features.dim))
        n_train = len(problem.parts[0].train)
        once = self.head.estimate_s(n_train, features.dim, n_classes, grid)
        rounds = np.ceil((len(problem.parts) + problem.is_out_of_fold) / cores())
        return Estimate(float(once * rounds + 0.2), features.name, features_s)

    def climb(self, problem: ClassifyProblem, clock: Clock, tell: Tell) -> Candidate:
        """Learn in every part, choose the settings, learn from all, and write the graph."""
        features = self.look.features(problem)
        assert features is not None, "skip_reason was asked first"
        rows = problem.rows(features, _heeding(clock, tell))
        grid = self.head.grid(features.dim)
        seed = seed_for(problem.seed, self.name)
        grid_logits, writes = self._learn(problem, rows, grid, seed, clock, tell)
        labels = problem.labels[problem.judged]
        predictions = cross_fitted(grid_logits, labels, self._groups(problem))
        best, temperature = choose(grid_logits, labels)
        head = head_graph(writes[best], temperature, features.dim, len(problem.classes))
        choice = problem.format_of(features)
        settings: Settings = {**grid[best], "features": features.name, "temperature": round(temperature, 4)}
        if features.is_backbone:
            settings["number_format"] = choice.number_format
        notes = {
            "winnow.task": "classify",
            "winnow.rung": self.name,
            "winnow.classes": json.dumps(problem.classes, ensure_ascii=False),
            "winnow.input": features.input_spec.key,
        }
        return Candidate(
            predictions,
            join(problem.graph_of(features), head, notes=notes),
            _picture_ms(features, choice, head),
            settings,
        )

    def _learn(
        self,
        problem: ClassifyProblem,
        rows: Rows,
        grid: Sequence[Settings],
        seed: int,
        clock: Clock,
        tell: Tell,
    ) -> tuple[list[npt.NDArray[np.float32]], list[Write]]:
        """Logits (n_judged, C) of every entry of the grid, and what is learned for the final model.

        Out of fold, the final model learns from every example, beside the folds and with the whole grid: the core
        that five folds leave idle does it for nothing.
        """
        n_classes = len(problem.classes)
        grid_logits = [np.empty((problem.n_judged, n_classes), dtype=np.float32) for _ in grid]
        place_of = np.zeros(len(rows), dtype=np.int64)
        place_of[problem.judged] = np.arange(problem.n_judged)

        def one(part: Part) -> list[Write]:
            lesson = Lesson(rows[part.train], problem.labels[part.train], n_classes, seed, problem.is_balanced)
            writes = learn_all_classes(self.head, lesson, grid)
            if len(part.judged):
                for logits, write in zip(grid_logits, writes, strict=True):
                    graph = open_small_graph(logits_graph(write, rows.shape[1], n_classes))
                    logits[place_of[part.judged]] = run_in_chunks(graph, rows[part.judged])
            return writes

        parts = list(problem.parts)
        if problem.is_out_of_fold:
            parts.append(Part(np.arange(len(rows)), np.empty(0, dtype=np.int64)))
        # One part a core: linear algebra inside a part is single-threaded then, and the same bits every time.
        n_workers = min(cores(), len(parts))
        # Warning filters belong to the process, not to a thread: set here, not where the threads warn. A penalty so
        # weak that it has not converged need not do so to the last digit to be compared.
        with threadpool_limits(max(1, cores() // n_workers)), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            pool = ThreadPoolExecutor(n_workers, thread_name_prefix="winnow-folds")
            futures = [pool.submit(one, part) for part in parts]
            try:
                _wait_for_all(futures, clock, lambda done: tell(Progress(self.title, done, len(futures))))
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        return grid_logits, futures[-1].result()

    def _groups(self, problem: ClassifyProblem) -> npt.NDArray[np.int64]:
        """(n_judged,) the fold of each judged example; halves where there is only one part."""
        if not problem.is_out_of_fold:
            return problem.halves
        group_of = np.zeros(len(problem.labels), dtype=np.int64)
        for group, part in enumerate(problem.parts):
            group_of[part.judged] = group
        return group_of[problem.judged]


def _heeding(clock: Clock, tell: Tell) -> Tell:
    """Passes events on, and stops the work that tells them when the budget is spent."""

    def heed(event: Event) -> None:
        tell(event)
        clock.check()

    return heed


def _wait_for_all(futures: list[Future[list[Write]]], clock: Clock, tell: Callable[[int], None]) -> None:
    """Wait in short steps, so that Ctrl-C and the budget are heeded while C code is at work in the threads."""
    waiting, told = set(futures), -1
    while waiting:
        done, waiting = wait(waiting, timeout=0.2, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        if len(futures) - len(waiting) != told:
            told = len(futures) - len(waiting)
            tell(told)
        if waiting:  # what is finished is not thrown away
            clock.check()


def _picture_ms(features: FeatureGraph, choice: FormatChoice, head: bytes) -> float:
    """Milliseconds of one picture through features and head on one core: the median of a few."""
    blank = np.zeros((1, features.input_spec.side_px, features.input_spec.side_px, 3), dtype=np.uint8)
    features_ms = 0.0
    if features.is_backbone:
        features_ms = 1000 / choice.pictures_per_s[choice.number_format]
        row = np.zeros((1, features.dim), dtype=np.float32)
    else:
        opened = open_small_graph(features.graph)
        row = opened.run(blank)
        features_ms = _median_ms(lambda: opened.run(blank))
    opened_head = open_small_graph(head)
    return round(features_ms + _median_ms(lambda: opened_head.run(row)), 3)


def _median_ms(run: Callable[[], object], times: int = 7) -> float:
    taken: list[float] = []
    run()
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - start))
    return float(np.median(taken))
