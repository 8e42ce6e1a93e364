"""What a climb has said, put together: how every rung stands, what is being done, how networks learn, how long is left.

Fed with a job's events from the first one, it is the same for who watched all the time and for who comes back later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from winnow.api.jobs import Told
from winnow.events import EpochDone, Note, PlanMade, Progress, RungFinished, RungSkipped, RungStarted
from winnow.metrics.intervals import Interval
from winnow.report.schema import RungResult

_PACED_BY = 3
"""Rungs that tell how fast this machine is today; a single one may have been estimated badly."""


@dataclass
class Try:
    """One rung's part in the climb."""

    rung: str
    title: str
    estimate_s: float
    """0 where nobody planned it."""
    state: Literal["planned", "at work", "over"] = "planned"
    since: datetime | None = None
    """When it began."""
    result: RungResult | None = None
    """What came of it."""


@dataclass
class Lesson:
    """How one network learned, an epoch after the other."""

    title: str
    epochs: list[EpochDone] = field(default_factory=list[EpochDone])


@dataclass
class Story:
    """All that is known of a climb from its events.

    Args:
        titles: what rungs are called, by their names; a plan tells only the names.
    """

    titles: Mapping[str, str]
    last: int = 0
    """The number of the last event that was heard."""
    plan: PlanMade | None = None
    plan_at: datetime | None = None
    tries: dict[str, Try] = field(default_factory=dict[str, Try])
    """By the rung's name, in the order in which they were planned or told of."""
    doing: Progress | None = None
    notes: list[Note] = field(default_factory=list[Note])
    lessons: list[Lesson] = field(default_factory=list[Lesson])

    def hear(self, said: Iterable[Told]) -> bool:
        """Go on with those of these events that are new; True if more than progress was among them."""
        has_news = False
        for told in said:
            if told.number > self.last:
                self.last = told.number
                has_news = self._hear(told) or has_news
        return has_news

    @property
    def results(self) -> tuple[RungResult, ...]:
        """What came of the rungs that are over: those of the plan in its order, then those that were not in it."""
        return tuple(one.result for one in self.tries.values() if one.result is not None)

    @property
    def at_work(self) -> Try | None:
        """The rung that is being tried."""
        return next((one for one in self.tries.values() if one.state == "at work"), None)

    @property
    def planned(self) -> tuple[Try, ...]:
        """Those that are still to come."""
        return tuple(one for one in self.tries.values() if one.state == "planned")

    @property
    def is_past_rungs(self) -> bool:
        """True once every rung is over: what is left is to measure the chosen model."""
        return bool(self.tries) and all(one.state == "over" for one in self.tries.values())

    def spent_s(self, now: datetime) -> float:
        """Seconds since the plan was made."""
        return 0.0 if self.plan_at is None else max(0.0, (now - self.plan_at).total_seconds())

    def left_s(self, now: datetime) -> float | None:
        """About how many seconds the rungs will still take, at the pace so far; None before there is a plan."""
        if self.plan is None:
            return None
        pace = self._pace()
        left = sum(one.estimate_s for one in self.planned) * pace
        current = self.at_work
        if current is not None and current.since is not None:
            left += max(0.0, current.estimate_s * pace - (now - current.since).total_seconds())
        if self.plan.budget_s is not None:
            left = min(left, max(0.0, self.plan.budget_s - self.spent_s(now)))
        return left

    def share_done(self, now: datetime) -> float:
        """How much of the plan is behind, by its estimates, in [0, 1]."""
        total = sum(one.estimate_s for one in self.tries.values())
        if self.is_past_rungs or total <= 0:
            return float(self.is_past_rungs)
        done = sum(one.estimate_s for one in self.tries.values() if one.state == "over")
        current = self.at_work
        if current is not None and current.since is not None:
            done += min(current.estimate_s, max(0.0, (now - current.since).total_seconds()))
        return min(1.0, done / total)

    def _pace(self) -> float:
        """How many times as long as estimated rungs take here and now; 1 until some have shown it."""
        over = [(one.result.seconds, one.estimate_s) for one in self.tries.values() if one.result is not None]
        known = [(seconds, estimate) for seconds, estimate in over if seconds is not None and estimate > 0]
        if len(known) < _PACED_BY:
            return 1.0
        return min(10.0, max(0.5, sum(seconds for seconds, _ in known) / sum(estimate for _, estimate in known)))

    def _hear(self, told: Told) -> bool:
        match told.event:
            case PlanMade() as plan:
                self._begin(plan, told.at)
            case RungStarted(rung, title, estimate_s):
                self.tries[rung] = Try(rung, title, estimate_s, "at work", told.at)
                self.doing = None
            case RungFinished() as finished:
                self._end(_result(finished))
            case RungSkipped(rung, title, reason):
                state = "failed" if reason.startswith("it failed") else "skipped"
                self._end(RungResult(rung=rung, title=title, state=state, reason=reason))
            case EpochDone() as epoch:
                self._learned(epoch)
            case Note() as note:
                if note.text not in {one.text for one in self.notes}:  # a climb that is resumed says some again
                    self.notes.append(note)
            case Progress() as progress:
                self.doing = progress
                return False
            case _:
                return False
        return True

    def _begin(self, plan: PlanMade, at: datetime) -> None:
        """A plan begins the ladder anew: the climb was resumed, and tells again what it has from before."""
        self.plan, self.plan_at, self.doing = plan, at, None
        self.tries = {rung: Try(rung, self._title(rung), estimate_s) for rung, estimate_s in plan.rungs}

    def _end(self, result: RungResult) -> None:
        one = self.tries.setdefault(result.rung, Try(result.rung, result.title, 0.0))
        one.title, one.state, one.result = result.title, "over", result
        self.doing = None

    def _learned(self, epoch: EpochDone) -> None:
        title = self.doing.what if self.doing is not None else self._current_title()
        if not self.lessons or self.lessons[-1].title != title or epoch.epoch <= self.lessons[-1].epochs[-1].epoch:
            self.lessons.append(Lesson(title))
        self.lessons[-1].epochs.append(epoch)

    def _current_title(self) -> str:
        return "network" if self.at_work is None else self.at_work.title

    def _title(self, rung: str) -> str:
        return self.titles.get(rung, rung.replace("-", " "))


def _result(event: RungFinished) -> RungResult:
    gain = None if event.gain is None else Interval(*event.gain)
    return RungResult(
        rung=event.rung,
        title=event.title,
        state="climbed",
        score=Interval(event.score, event.low, event.high),
        gain=gain,
        gain_over=event.gain_over,
        has_earned=gain is not None and gain.low > 0,
        seconds=event.seconds,
    )
