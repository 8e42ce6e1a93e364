"""One run up a ladder: try the rungs from cheap to dear, judge all on the same examples, choose."""

from __future__ import annotations

import contextlib
import shutil
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from winnow.errors import BadDataError, UserError
from winnow.events import PlanMade, RungFinished, RungSkipped, RungStarted, Tell, tell_nobody
from winnow.ladder.evidence import Comparisons, compare_all
from winnow.ladder.evidence import Judged as JudgedRung
from winnow.ladder.keep import Kept, Shelf
from winnow.ladder.plan import plan_climb, short_reason, unasked_reason
from winnow.ladder.verdict import Verdict, gains_of, reach_verdict
from winnow.machine import Meter
from winnow.tasks.rung import (
    Candidate,
    CannotPayError,
    Clock,
    Estimate,
    Judged,
    LongRung,
    OutOfTimeError,
    Problem,
    Rung,
    Workbench,
)

P = TypeVar("P", bound=Problem)

_ROUGHLY = 4
"""A rough estimate may be wrong by this factor: what is further off is neither tried nor timed."""

State = Literal["climbed", "skipped", "failed"]
Prefer = Literal["cheapest", "best"]


@dataclass
class Step:
    """What became of one rung in a climb."""

    rung: str
    title: str
    state: State = "skipped"
    reason: str | None = None
    estimate_s: float | None = None
    seconds: float = 0.0
    joules: float = 0.0
    candidate: Candidate | None = None
    judged: Judged | None = None


@dataclass
class Outcome:
    """What a climb found out."""

    steps: list[Step]
    """Every rung of the ladder, in its order."""
    climbed: list[Step]
    """Those that have a candidate."""
    comparisons: Comparisons
    """Between the climbed ones, by their places in `climbed`."""
    verdict: Verdict
    seconds: float
    joules: float
    was_interrupted: bool = False

    @property
    def chosen(self) -> Step:
        """The step whose candidate becomes the model."""
        return self.climbed[self.verdict.chosen]


def climb(
    problem: P,
    rungs: Sequence[Rung[P]],
    folder: Path,
    *,
    budget_s: float | None = None,
    prefer: Prefer = "cheapest",
    are_named: bool = False,
    tell: Tell = tell_nobody,
) -> Outcome:
    """Climb the rungs within the budget and reach a verdict.

    A rung that cannot pay, does not fit into what is left of the budget, or fails is skipped and says why.
    Ctrl-C ends the climb with the best so far. Rungs that `folder` holds from an earlier, killed run of the same
    climb are taken from there.

    Args:
        problem: the task bound to its examples.
        rungs: in ladder order, cheapest first.
        folder: where finished rungs are kept; the same folder resumes the same climb.
        budget_s: seconds for everything from here to the verdict; None: as long as it takes.
        prefer: "cheapest" takes the cheapest rung that nothing dearer beats, "best" the best mean.
        are_named: a person asked for these very rungs; otherwise, without a budget, one that takes its time waits
            until it is asked for (`Estimate.unasked_s`).
        tell: hears the plan and every rung's start and end.

    Raises:
        BadDataError: no rung gave a candidate.
        KeyboardInterrupt: Ctrl-C before the first candidate.
    """
    shelf = Shelf(folder)
    kept = {rung.name: found for rung in rungs if (found := shelf.get(rung.name)) is not None}
    clock = Clock(budget_s, sum(found.seconds for found in kept.values()))
    is_asked = are_named or budget_s is not None
    steps = _plan(problem, rungs, kept, clock, is_asked, tell)
    was_interrupted = False
    for rung, step in zip(rungs, steps, strict=True):
        if was_interrupted:
            step.reason = step.reason or "the climb was stopped before it"
        elif step.reason is None:
            try:
                if rung.name in kept:
                    _judge(problem, steps, step, kept[rung.name], tell, is_from_before=True)
                else:
                    _try(problem, rung, steps, step, clock, is_asked, shelf, tell)
            except KeyboardInterrupt:
                was_interrupted = True
                if step.judged is None:
                    step.reason = "the climb was stopped while it was at work"
        if step.candidate is None:
            tell(RungSkipped(step.rung, step.title, step.reason or ""))
    if was_interrupted and not any(step.judged for step in steps):
        raise KeyboardInterrupt
    return _conclude(problem, steps, prefer, clock, was_interrupted=was_interrupted)


def _plan(
    problem: P, rungs: Sequence[Rung[P]], kept: Mapping[str, Kept], clock: Clock, is_asked: bool, tell: Tell
) -> list[Step]:
    """Say beforehand what the climb will take."""
    planned = plan_climb(problem, rungs, clock, is_asked=is_asked, kept=kept)
    fitting = tuple((one.rung, one.seconds) for one in planned if one.skipped is None and one.seconds is not None)
    tell(PlanMade(fitting, sum(seconds for _, seconds in fitting), clock.budget_s))
    return [
        Step(one.rung, one.title, reason=None if one.is_short else one.skipped, estimate_s=one.seconds)
        for one in planned
    ]


def _candidates(steps: Sequence[Step]) -> dict[str, Candidate]:
    return {step.rung: step.candidate for step in steps if step.candidate is not None}


def _try(
    problem: P,
    rung: Rung[P],
    steps: Sequence[Step],
    step: Step,
    clock: Clock,
    is_asked: bool,
    shelf: Shelf,
    tell: Tell,
) -> None:
    """Climb one rung; what came of it is written into `step`."""
    bench = Workbench(shelf.folder / f"{rung.name}.work", _candidates(steps))
    try:
        estimate = _sure_estimate(problem, rung, clock, is_asked)
        step.reason = None if is_asked else unasked_reason(rung.name, estimate)
        if step.reason is None and estimate.total_s > clock.left_s():
            step.reason = short_reason(estimate.total_s, clock.left_s())
        if step.reason is not None:
            return
        tell(RungStarted(step.rung, step.title, estimate.total_s))
        with Meter() as meter:
            at_bench = isinstance(rung, LongRung)
            candidate = rung.climb_at(bench, problem, clock, tell) if at_bench else rung.climb(problem, clock, tell)
    except OutOfTimeError:
        step.reason = "the budget ended while it was at work"
    except CannotPayError as reason:
        step.reason = str(reason)
    except UserError:
        raise
    except Exception as error:  # one method's failure must not cost the user the others; the trace is kept
        step.state, step.reason = "failed", f"it failed: {type(error).__name__}: {error}"
        with contextlib.suppress(OSError):
            (shelf.folder / f"{step.rung}.error.txt").write_text(traceback.format_exc(), encoding="utf-8")
    else:
        kept = shelf.put(rung.name, Kept(candidate, meter.seconds, meter.joules))
        _judge(problem, steps, step, kept, tell, is_from_before=False)
    # Not after Ctrl-C, SIGTERM or what a person can mend: the same climb, resumed, goes on from there.
    shutil.rmtree(bench.folder, ignore_errors=True)


def _sure_estimate(problem: P, rung: Rung[P], clock: Clock, is_asked: bool) -> Estimate:
    """How long it takes, asked anew: what it shares may be done by now. Measured where the answer may decide."""
    estimate = rung.estimate(problem)
    limit_s = clock.left_s() if is_asked else estimate.unasked_s
    is_near = estimate.total_s <= _ROUGHLY * limit_s
    return estimate.measure() if estimate.measure is not None and is_near else estimate


def _judge(
    problem: Problem, steps: Sequence[Step], step: Step, kept: Kept, tell: Tell, *, is_from_before: bool
) -> None:
    judged = problem.judge(kept.candidate.predictions)
    if judged is None:
        step.state, step.reason = "failed", "what you asked to optimise is undefined for these examples"
        return
    step.state, step.candidate, step.judged = "climbed", kept.candidate, judged
    step.seconds, step.joules = kept.seconds, kept.joules
    score = judged.score
    gain = gains_of(*_compared(problem, steps))[-1]  # steps are judged in the ladder's order: this one is the last
    said = (None, None) if gain is None else ((gain.interval.value, gain.interval.low, gain.interval.high), gain.over)
    tell(RungFinished(step.rung, step.title, score.value, score.low, score.high, step.seconds, is_from_before, *said))


def _compared(problem: Problem, steps: Sequence[Step]) -> tuple[list[JudgedRung], Comparisons]:
    """Those that have been judged, and what is shown between them."""
    judged = [
        JudgedRung(step.rung, step.judged.value, step.judged.draws, step.judged.score)
        for step in steps
        if step.judged is not None
    ]
    return judged, compare_all(judged, problem.n_independent, problem.metric.is_counting)


def _conclude(problem: Problem, steps: list[Step], prefer: Prefer, clock: Clock, *, was_interrupted: bool) -> Outcome:
    climbed = [step for step in steps if step.judged is not None]
    if not climbed:
        reasons = "; ".join(f"{step.title}: {step.reason}" for step in steps[:3])
        raise BadDataError(f"No method could be tried ({reasons}). Give a larger budget, or other rungs.")
    judged, comparisons = _compared(problem, climbed)
    verdict = reach_verdict(
        judged,
        comparisons,
        {step.rung: step.title for step in climbed},
        problem.metric,
        prefer=prefer,
        baseline=problem.baseline,
    )
    return Outcome(
        steps, climbed, comparisons, verdict, clock.spent_s(), sum(step.joules for step in steps), was_interrupted
    )
