"""Up the ladder: cheap rungs first, within the budget, nothing lost when it is stopped."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from winnow.errors import BadDataError, UserError
from winnow.events import Event, Note, PlanMade, RungFinished, RungSkipped, RungStarted, Tell, tell_nobody
from winnow.ladder.climb import Outcome, climb
from winnow.metrics.intervals import wilson
from winnow.metrics.metric import Metric
from winnow.metrics.scores import METRICS
from winnow.tasks.rung import (
    Baseline,
    Candidate,
    CannotPayError,
    Clock,
    Estimate,
    Judged,
    OutOfTimeError,
    Workbench,
)

N = 200
_WEIGHTS = np.random.default_rng(0).multinomial(N, np.full(N, 1 / N), size=300) / N
GUESS = Baseline("guess", "the commonest class")


@dataclass
class Exam:
    """A problem of 200 questions: a prediction of 1 is right, of 0 wrong."""

    n_judged: int = N
    n_independent: int = N
    metric: Metric[Any] = METRICS["accuracy"]
    baseline: Baseline = GUESS
    is_defined: bool = True

    def judge(self, predictions: np.ndarray) -> Judged | None:
        if not self.is_defined:
            return None
        right = predictions.astype(np.float64)
        return Judged(wilson(right.sum(), N), float(right.mean()), _WEIGHTS @ right)


@dataclass
class Pupil:
    """A rung that answers the first `right` questions, or does what it is told to when it is tried."""

    name: str
    right: int = 100
    takes_s: float = 1.0
    unasked_s: float = float("inf")
    measured_s: float | None = None
    shares: tuple[str, float] | None = None
    skips: str | None = None
    does: Callable[[], object] | None = None
    calls: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"pupil {self.name}"

    def skip_reason(self, problem: Exam) -> str | None:
        return self.skips

    def estimate(self, problem: Exam) -> Estimate:
        shared, shared_s = self.shares or (None, 0.0)
        return Estimate(self.takes_s, shared, shared_s, self.unasked_s, self._measure if self.measured_s else None)

    def _measure(self) -> Estimate:
        self.calls.append("measure")
        assert self.measured_s is not None
        return Estimate(self.measured_s, unasked_s=self.unasked_s)

    def climb(self, problem: Exam, clock: Clock, tell: Tell) -> Candidate:
        self.calls.append(self.name)
        if self.does is not None:
            self.does()
        answers = (np.arange(N) < self.right).astype(np.float32)
        return Candidate(answers, f"graph of {self.name}".encode(), 0.5, {"right": self.right})


def _raise(error: BaseException) -> Callable[[], object]:
    def raise_it() -> None:
        raise error

    return raise_it


def run(
    folder: Path,
    pupils: Sequence[Pupil],
    *,
    exam: Exam | None = None,
    budget_s: float | None = None,
    prefer: str = "cheapest",
    are_named: bool = False,
    tell: Tell = tell_nobody,
) -> Outcome:
    exam = exam or Exam()
    return climb(exam, pupils, folder, budget_s=budget_s, prefer=prefer, are_named=are_named, tell=tell)  # pyright: ignore


def fates(outcome: Outcome) -> dict[str, str]:
    return {step.rung: step.state for step in outcome.steps}


def test_rungs_are_tried_in_order_and_the_best_that_pays_is_chosen(tmp_path: Path):
    tried: list[str] = []
    pupils = [Pupil(name, right, calls=tried) for name, right in (("guess", 80), ("good", 170), ("dear", 171))]
    outcome = run(tmp_path, pupils)
    assert tried == ["guess", "good", "dear"]
    assert fates(outcome) == {"guess": "climbed", "good": "climbed", "dear": "climbed"}
    assert outcome.chosen.rung == "good"
    assert outcome.chosen.candidate is not None
    assert outcome.chosen.candidate.graph == b"graph of good"
    assert outcome.verdict.has_earned == (False, True, False)
    assert outcome.verdict.reason.startswith("Chosen: pupil good.")
    assert outcome.comparisons.rungs == ("guess", "good", "dear")
    assert outcome.seconds >= sum(step.seconds for step in outcome.steps) > 0
    assert not outcome.was_interrupted


def test_the_best_mean_is_chosen_when_asked_for(tmp_path: Path):
    pupils = [Pupil("guess", 80), Pupil("good", 170), Pupil("dear", 171)]
    assert run(tmp_path, pupils, prefer="best").chosen.rung == "dear"


def test_the_plan_is_told_first_and_then_every_start_and_end(tmp_path: Path):
    heard: list[Event] = []
    pupils = [Pupil("a", 100, 2.0), Pupil("b", skips="it has no backbone"), Pupil("c", 150, 3.0)]
    run(tmp_path, pupils, tell=heard.append, budget_s=100)
    assert heard[0] == PlanMade((("a", 2.0), ("c", 3.0)), 5.0, 100)
    assert [type(event) for event in heard[1:]] == [RungStarted, RungFinished, RungSkipped, RungStarted, RungFinished]
    assert heard[1] == RungStarted("a", "pupil a", 2.0)
    assert heard[3] == RungSkipped("b", "pupil b", "it has no backbone")
    finished = heard[5]
    assert isinstance(finished, RungFinished)
    expected = wilson(150, N)
    assert (finished.rung, finished.score) == ("c", 0.75)
    assert (finished.low, finished.high) == (expected.low, expected.high)
    assert not finished.is_from_before


def test_what_a_rung_bought_so_far_is_told_with_it_and_agrees_with_the_verdict(tmp_path: Path):
    heard: list[Event] = []
    pupils = [Pupil("guess", 100), Pupil("good", 170), Pupil("dear", 171)]
    outcome = run(tmp_path, pupils, tell=heard.append)
    told = [event for event in heard if isinstance(event, RungFinished)]
    assert [event.gain_over for event in told] == [None, "guess", "good"]
    assert told[0].gain is None
    good, dear = told[1].gain, told[2].gain
    assert good is not None
    assert dear is not None
    assert (good[0], dear[0]) == (0.35, pytest.approx(1 / N))
    assert good[1] > 0 > dear[1]
    last = outcome.verdict.gains[2]
    assert last is not None
    assert dear == (last.interval.value, last.interval.low, last.interval.high)


def test_a_rung_that_cannot_pay_is_not_called_and_says_why(tmp_path: Path):
    skipped = Pupil("b", skips="it has no backbone")
    outcome = run(tmp_path, [Pupil("a"), skipped])
    assert skipped.calls == []
    assert outcome.steps[1].reason == "it has no backbone"
    assert [step.rung for step in outcome.climbed] == ["a"]


def test_a_rung_that_does_not_fit_into_the_budget_is_skipped_and_cheaper_ones_go_on(tmp_path: Path):
    heard: list[Event] = []
    pupils = [Pupil("a", takes_s=1), Pupil("huge", takes_s=500), Pupil("b", takes_s=1)]
    outcome = run(tmp_path, pupils, budget_s=60, tell=heard.append)
    assert heard[0] == PlanMade((("a", 1), ("b", 1)), 2, 60)
    assert fates(outcome) == {"a": "climbed", "huge": "skipped", "b": "climbed"}
    assert re.fullmatch("it needs about 500 s and (59|60) s of the budget are left", outcome.steps[1].reason or "")


def test_what_rungs_share_counts_once_in_the_plan(tmp_path: Path):
    heard: list[Event] = []
    pupils = [Pupil("a", takes_s=1), *(Pupil(name, takes_s=2, shares=("features", 10.0)) for name in "bc")]
    run(tmp_path, pupils, tell=heard.append)
    assert heard[0] == PlanMade((("a", 1.0), ("b", 12.0), ("c", 2.0)), 15.0, None)


def test_what_is_shared_is_counted_by_the_next_if_the_first_does_not_fit(tmp_path: Path):
    heard: list[Event] = []
    pupils = [Pupil("a"), Pupil("huge", takes_s=500, shares=("features", 10.0))]
    run(tmp_path, [*pupils, Pupil("c", takes_s=2, shares=("features", 10.0))], budget_s=60, tell=heard.append)
    assert heard[0] == PlanMade((("a", 1.0), ("c", 12.0)), 13.0, 60)


def test_a_rung_that_outruns_the_budget_is_dropped_and_the_rest_is_kept(tmp_path: Path):
    outcome = run(tmp_path, [Pupil("a"), Pupil("slow", does=_raise(OutOfTimeError()))], budget_s=60)
    assert fates(outcome) == {"a": "climbed", "slow": "skipped"}
    assert outcome.steps[1].reason == "the budget ended while it was at work"


def test_a_rung_that_fails_costs_the_user_no_other(tmp_path: Path):
    outcome = run(tmp_path, [Pupil("bad", does=_raise(ZeroDivisionError("by zero"))), Pupil("b")])
    assert fates(outcome) == {"bad": "failed", "b": "climbed"}
    assert outcome.steps[0].reason == "it failed: ZeroDivisionError: by zero"
    trace = (tmp_path / "bad.error.txt").read_text()
    assert "Traceback" in trace
    assert "raise_it" in trace


def test_what_a_person_can_mend_ends_the_climb(tmp_path: Path):
    after = Pupil("after")
    with pytest.raises(UserError, match="no space"):
        run(tmp_path, [Pupil("a"), Pupil("b", does=_raise(UserError("no space"))), after])
    assert after.calls == []


def test_ctrl_c_keeps_the_best_so_far_and_names_the_rest(tmp_path: Path):
    heard: list[Event] = []
    after = Pupil("after")
    pupils = [
        Pupil("a", 150),
        Pupil("b", does=_raise(KeyboardInterrupt())),
        after,
        Pupil("no", skips="it has no backbone"),
    ]
    outcome = run(tmp_path, pupils, tell=heard.append)
    assert outcome.was_interrupted
    assert outcome.chosen.rung == "a"
    assert after.calls == []
    assert [step.reason for step in outcome.steps] == [
        None,
        "the climb was stopped while it was at work",
        "the climb was stopped before it",
        "it has no backbone",
    ]
    assert [event.rung for event in heard if isinstance(event, RungSkipped)] == ["b", "after", "no"]


def test_ctrl_c_before_any_candidate_is_passed_on(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, [Pupil("a", does=_raise(KeyboardInterrupt())), Pupil("b")])


def test_ctrl_c_while_a_listener_is_told_of_a_finished_rung_does_not_lose_it(tmp_path: Path):
    def listener(event: Event) -> None:
        if isinstance(event, RungFinished):
            raise KeyboardInterrupt

    outcome = run(tmp_path, [Pupil("a", 150), Pupil("b")], tell=listener)
    assert outcome.was_interrupted
    assert fates(outcome) == {"a": "climbed", "b": "skipped"}
    assert outcome.steps[0].reason is None


def same_bits(a: Outcome, b: Outcome) -> None:
    """All but how long it took."""
    assert a.verdict == b.verdict
    assert a.comparisons.values.tobytes() == b.comparisons.values.tobytes()
    assert a.comparisons.errors.tobytes() == b.comparisons.errors.tobytes()
    assert a.comparisons.critical == b.comparisons.critical
    for one, other in zip(a.climbed, b.climbed, strict=True):
        assert one.candidate is not None
        assert other.candidate is not None
        assert (one.rung, one.title, one.state, one.reason) == (other.rung, other.title, other.state, other.reason)
        assert one.candidate.predictions.tobytes() == other.candidate.predictions.tobytes()
        assert one.candidate.predictions.dtype == other.candidate.predictions.dtype
        assert one.candidate.graph == other.candidate.graph
        assert one.candidate.settings == other.candidate.settings
        assert one.judged is not None
        assert other.judged is not None
        assert one.judged.draws.tobytes() == other.judged.draws.tobytes()


SCORES = (("guess", 80), ("good", 160), ("dear", 175))


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(), UserError("full disk")])
def test_a_stopped_climb_resumes_to_the_same_bits_without_doing_anything_twice(tmp_path: Path, stop: BaseException):
    whole = run(tmp_path / "whole", [Pupil(name, right) for name, right in SCORES])
    stopped = [Pupil(name, right) for name, right in SCORES]
    stopped[1].does = _raise(stop)
    with contextlib.suppress(SystemExit, UserError):
        assert run(tmp_path / "resumed", stopped).was_interrupted

    heard: list[Event] = []
    pupils = [Pupil(name, right) for name, right in SCORES]
    resumed = run(tmp_path / "resumed", pupils, tell=heard.append)
    assert [pupil.calls for pupil in pupils] == [[], ["good"], ["dear"]]
    same_bits(whole, resumed)
    assert [event.is_from_before for event in heard if isinstance(event, RungFinished)] == [True, False, False]
    assert [event.rung for event in heard if isinstance(event, RungStarted)] == ["good", "dear"]
    assert isinstance(heard[0], PlanMade)
    assert heard[0].rungs == (("guess", 0.0), ("good", 1.0), ("dear", 1.0))


def test_what_an_earlier_run_cost_is_remembered_and_counts_against_the_budget(tmp_path: Path):
    first = run(tmp_path, [Pupil("a")])
    facts = (tmp_path / "a.json").read_text()
    assert '"seconds"' in facts
    (tmp_path / "a.json").write_text(re.sub(r'"seconds": [\d.e-]+', '"seconds": 55.0', facts))
    heard: list[Event] = []
    again = run(tmp_path, [Pupil("a"), Pupil("b", takes_s=10)], budget_s=60, tell=heard.append)
    assert again.steps[0].seconds == 55
    assert again.steps[0].joules == first.steps[0].joules
    assert again.seconds >= 55
    assert heard[0] == PlanMade((("a", 0.0),), 0.0, 60)
    assert re.fullmatch("it needs about 10 s and [45] s of the budget are left", again.steps[1].reason or "")


@pytest.mark.parametrize("suffix", [".json", ".npz", ".onnx"])
@pytest.mark.parametrize("damage", ["cut short", "gone", "overwritten"])
def test_a_damaged_file_makes_its_rung_run_again(tmp_path: Path, suffix: str, damage: str):
    whole = run(tmp_path, [Pupil(name, right) for name, right in SCORES])
    path = tmp_path / f"good{suffix}"
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-3] if damage == "cut short" else b"null")
    pupils = [Pupil(name, right) for name, right in SCORES]
    again = run(tmp_path, pupils)
    assert [pupil.calls for pupil in pupils] == [[], ["good"], []]
    same_bits(whole, again)


def test_a_climb_without_a_candidate_says_why(tmp_path: Path):
    pupils = [
        Pupil("a", takes_s=100),
        Pupil("b", skips="it has no backbone"),
        Pupil("c", does=_raise(ValueError("x"))),
    ]
    expected = (
        r"No method could be tried \(pupil a: it needs about 100 s and (9|10) s of the budget are left; "
        r"pupil b: it has no backbone; pupil c: it failed: ValueError: x\)\. Give a larger budget, or other rungs\."
    )
    with pytest.raises(BadDataError, match=expected):
        run(tmp_path, pupils, budget_s=10)


def test_a_metric_that_is_undefined_for_the_examples_is_said_to_be(tmp_path: Path):
    with pytest.raises(BadDataError, match="what you asked to optimise is undefined for these examples"):
        run(tmp_path, [Pupil("a")], exam=Exam(is_defined=False))


def test_a_listener_hears_what_rungs_say_and_a_climb_without_a_budget_has_all_the_time(tmp_path: Path):
    heard: list[Event] = []

    class Talker(Pupil):
        def climb(self, problem: Exam, clock: Clock, tell: Tell) -> Candidate:
            tell(Note("half way"))
            assert clock.left_s() == float("inf")
            return super().climb(problem, clock, tell)

    run(tmp_path, [Talker("a")], tell=heard.append)
    assert Note("half way") in heard


def test_a_clock_counts_what_is_left_and_stops_at_nothing(tmp_path: Path):
    clock = Clock(budget_s=100, spent_before_s=40)
    assert 59 < clock.left_s() <= 60
    clock.check()
    with pytest.raises(OutOfTimeError):
        Clock(budget_s=100, spent_before_s=100).check()
    assert Clock().left_s() == float("inf")


def test_what_takes_long_waits_until_it_is_asked_for(tmp_path: Path):
    def ladder() -> list[Pupil]:
        return [Pupil("a"), Pupil("slow", takes_s=600, unasked_s=30)]

    outcome = run(tmp_path / "unasked", ladder())
    assert (
        outcome.steps[1].reason == "it would take about 10 min; give it time (--budget 15m) or name it (--rungs slow)"
    )
    assert fates(run(tmp_path / "named", ladder(), are_named=True))["slow"] == "climbed"
    assert fates(run(tmp_path / "budget", ladder(), budget_s=1000))["slow"] == "climbed"


def test_a_rough_estimate_is_measured_before_it_decides(tmp_path: Path):
    fits = Pupil("fits", takes_s=200, measured_s=50)
    too_slow = Pupil("too-slow", takes_s=50, measured_s=200)
    hopeless = Pupil("hopeless", takes_s=5000, measured_s=50)
    unasked = Pupil("unasked", takes_s=20, measured_s=200, unasked_s=30)
    outcome = run(tmp_path / "budget", [Pupil("a"), fits, too_slow, hopeless], budget_s=100)
    assert fates(outcome) == {"a": "climbed", "fits": "climbed", "too-slow": "skipped", "hopeless": "skipped"}
    assert (fits.calls, too_slow.calls, hopeless.calls) == (["measure", "fits"], ["measure"], [])
    assert (outcome.steps[2].reason or "").startswith("it needs about 200 s and 100 s of the budget are left")
    run(tmp_path / "no budget", [Pupil("a"), unasked])
    assert unasked.calls == ["measure"]


@dataclass
class Worker(Pupil):
    """A pupil who works at a bench."""

    bench: Workbench | None = None

    def climb_at(self, bench: Workbench, problem: Exam, clock: Clock, tell: Tell) -> Candidate:
        self.bench = bench
        bench.folder.mkdir(parents=True)
        return self.climb(problem, clock, tell)


def test_a_bench_holds_what_rungs_before_made_and_is_cleared_when_the_rung_is_done(tmp_path: Path):
    worker = Worker("b")
    outcome = run(tmp_path, [Pupil("a"), Pupil("x", does=_raise(CannotPayError("it is the wrong day"))), worker])
    assert outcome.steps[1].reason == "it is the wrong day"
    assert worker.bench is not None
    assert list(worker.bench.earlier) == ["a"]
    assert not worker.bench.folder.exists()


def test_after_ctrl_c_the_bench_stays_as_it_is(tmp_path: Path):
    worker = Worker("b", does=_raise(KeyboardInterrupt()))
    run(tmp_path, [Pupil("a"), worker])
    assert worker.bench is not None
    assert worker.bench.folder.is_dir()
