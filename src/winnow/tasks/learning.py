"""How a rung with a head learns: part by part on all cores, heeding the clock; and what it will cost."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from winnow.events import Event, Progress, Tell
from winnow.graph.features import FeatureGraph
from winnow.graph.formats import FormatChoice
from winnow.graph.runtime import open_small_graph, run_in_chunks
from winnow.machine import cores
from winnow.tasks.heads.head import Rows, Write, logits_graph
from winnow.tasks.judging import Part
from winnow.tasks.pictures import PictureProblem
from winnow.tasks.rung import Clock, Estimate

Logits = npt.NDArray[np.float32]

_FEATURES_S = {"pixels": 0.0006, "hog": 0.0012, "pixels and hog": 0.0012}
"""Seconds a picture costs one reference core, reading included."""


def estimate(problem: PictureProblem, features: FeatureGraph, once_s: float) -> Estimate:
    """Seconds of a rung that takes `once_s` to learn in one part on one core.

    Features that are not at hand are counted in full; the parts share the cores.
    """
    per_picture = _FEATURES_S.get(features.name, 0.0)
    if features.is_backbone:
        choice = problem.format_of(features)
        per_picture = 1 / choice.pictures_per_s[choice.number_format] + 0.001
    features_s = per_picture * problem.features_missing(features) / cores()
    rounds = np.ceil((len(problem.parts) + problem.is_out_of_fold) / cores())
    return Estimate(float(once_s * rounds + 0.2), features.name, features_s)


def learn_in_parts(
    problem: PictureProblem,
    rows: Rows,
    n_classes: int,
    n_entries: int,
    learn: Callable[[npt.NDArray[np.int64]], list[Write]],
    clock: Clock,
    tell: Callable[[int, int], None],
) -> tuple[list[Logits], list[Write]]:
    """Logits (n_judged, C) of every entry of the grid, and what is learned for the final model.

    Out of fold, the final model learns from every example, beside the folds and with the whole grid: the core
    that five folds leave idle does it for nothing.

    Args:
        problem: says who learns and who is judged.
        rows: (N, D) features of all examples.
        n_classes: C.
        n_entries: of the grid.
        learn: gives what is learned from the examples at these places, an entry of the grid each.
        clock: raises `OutOfTimeError` when the budget is spent.
        tell: hears how many of how many parts are done.
    """
    grid_logits = [np.empty((problem.n_judged, n_classes), dtype=np.float32) for _ in range(n_entries)]
    place_of = np.zeros(len(rows), dtype=np.int64)
    place_of[problem.judged] = np.arange(problem.n_judged)

    def one(part: Part) -> list[Write]:
        writes = learn(part.train)
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
            _wait_for_all(futures, clock, lambda done: tell(done, len(futures)))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return grid_logits, futures[-1].result()


def heeding(clock: Clock, tell: Tell) -> Tell:
    """Passes events on, and stops the work that tells them when the budget is spent."""

    def heed(event: Event) -> None:
        tell(event)
        clock.check()

    return heed


def telling_parts(title: str, tell: Tell) -> Callable[[int, int], None]:
    """Tells the parts that are done as the progress of the rung of this title."""
    return lambda done, total: tell(Progress(title, done, total))


def picture_ms(features: FeatureGraph, choice: FormatChoice, head: bytes) -> float:
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


def _median_ms(run: Callable[[], object], times: int = 7) -> float:
    taken: list[float] = []
    run()
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append(1000 * (time.perf_counter() - start))
    return float(np.median(taken))
