"""What a climb will try, before it tries it: every rung with its estimate, or why it is left out."""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import TypeVar

from winnow.tasks.rung import Clock, Estimate, Problem, Rung

P = TypeVar("P", bound=Problem)


@dataclass(frozen=True, slots=True)
class PlannedRung:
    """What a climb would do with one rung."""

    rung: str
    title: str
    seconds: float | None
    """Estimated, on this machine; what it shares with a rung before it is not counted again. None: it cannot pay."""
    skipped: str | None
    """Why it would not be tried, as the end of a sentence; None if it would."""
    is_short: bool = False
    """The budget alone is why; a climb asks again when it gets there."""


def plan_climb(
    problem: P, rungs: Sequence[Rung[P]], clock: Clock, *, is_asked: bool, kept: Container[str] = ()
) -> list[PlannedRung]:
    """All rungs in their order; what rungs share counts once, in the first one that needs it.

    Args:
        problem: the task bound to its examples.
        rungs: in ladder order, cheapest first.
        clock: says what is left of the budget.
        is_asked: there is a budget, or somebody named these rungs: one that takes its time need not be asked for.
        kept: names of the rungs that an earlier run of the climb has finished.
    """
    planned: list[PlannedRung] = []
    total, shared = 0.0, set[str | None]()
    for rung in rungs:
        skipped = rung.skip_reason(problem)
        if skipped is not None:
            planned.append(PlannedRung(rung.name, rung.title, None, skipped))
            continue
        estimate = Estimate(0.0) if rung.name in kept else rung.estimate(problem)
        seconds = estimate.own_s if estimate.shared in shared else estimate.total_s
        skipped = None if is_asked else unasked_reason(rung.name, estimate)
        left_s = clock.left_s() - total
        is_short = skipped is None and seconds > left_s
        if is_short:
            skipped = short_reason(seconds, left_s)
        planned.append(PlannedRung(rung.name, rung.title, seconds, skipped, is_short))
        if skipped is None:
            total += seconds
            shared.add(estimate.shared)
    return planned


def unasked_reason(name: str, estimate: Estimate) -> str | None:
    """Why a rung that takes its time waits until somebody asks for it; None if it does not take long."""
    if estimate.total_s <= estimate.unasked_s:
        return None
    budget = f"{max(1, math.ceil(1.5 * estimate.total_s / 60))}m"
    about = _about(estimate.total_s)
    return f"it would take about {about}; give it time (--budget {budget}) or name it (--rungs {name})"


def short_reason(needed_s: float, left_s: float) -> str:
    """Why a rung is left out that does not fit into what is left of the budget."""
    return f"it needs about {needed_s:.0f} s and {max(left_s, 0):.0f} s of the budget are left"


def _about(seconds: float) -> str:
    for unit_s, unit in ((3600, "h"), (60, "min")):
        if seconds >= 1.5 * unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds:.0f} s"
