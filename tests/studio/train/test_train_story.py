"""A climb's events put together are the same story for who stayed and for who comes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from winnow.api.jobs import Told
from winnow.events import EpochDone, Event, Note, PlanMade, Progress, RungFinished, RungSkipped, RungStarted, StepDone
from winnow.studio.live import progress_in_words
from winnow.studio.pages.train.drawings import growing_ladder, learning_charts, learning_table
from winnow.studio.pages.train.states import doing_in_words
from winnow.studio.pages.train.story import Story

BEGIN = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
TITLES = {"guess": "always the commonest class", "svm": "pixels + SVM", "net": "a small network"}
PLAN = PlanMade((("guess", 1.0), ("svm", 4.0), ("net", 20.0)), 25.0, None)


def told(*events: Event, first: int = 1, every_s: float = 1.0) -> list[Told]:
    """One a second, the first at BEGIN."""
    return [Told(first + n, BEGIN + timedelta(seconds=n * every_s), event) for n, event in enumerate(events)]


def finished(rung: str, score: float = 0.5, seconds: float = 1.0, gain: tuple[float, float, float] | None = None):
    over = None if gain is None else "guess"
    return RungFinished(rung, TITLES[rung], score, score - 0.1, score + 0.1, seconds, gain=gain, gain_over=over)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def test_before_the_plan_nothing_is_promised():
    story = Story(TITLES)
    assert not story.hear(told(Progress("reading pictures", 3, 1797)))
    assert story.left_s(at(5)) is None
    assert doing_in_words(story) == "getting ready"
    assert story.doing is not None
    assert progress_in_words(story.doing) == "Reading pictures: 3 of 1,797"


def test_a_plan_names_what_is_to_come_by_its_title_and_says_how_long():
    story = Story(TITLES)
    assert story.hear(told(PLAN))
    assert [one.title for one in story.planned] == ["always the commonest class", "pixels + SVM", "a small network"]
    assert story.left_s(at(0)) == 25
    assert story.share_done(at(0)) == 0


def test_time_at_work_is_taken_off_what_is_left_but_never_below_nothing():
    story = Story(TITLES)
    story.hear(told(PLAN, RungStarted("guess", TITLES["guess"], 1.0)))
    assert story.left_s(at(1.5)) == 24.5
    assert story.left_s(at(60)) == 24
    assert doing_in_words(story) == "trying always the commonest class (method 1 of 3)"


def test_no_more_is_left_than_the_budget():
    story = Story(TITLES)
    story.hear(told(PlanMade(PLAN.rungs, 25.0, 10.0)))
    assert story.left_s(at(4)) == 6
    assert story.left_s(at(40)) == 0


def test_a_slow_machine_is_noticed_once_three_rungs_have_shown_it():
    rungs = tuple((name, 1.0) for name in "abcde")
    story = Story({})
    story.hear(told(PlanMade(rungs, 5.0, None)))
    for name in "ab":
        story.hear(told(RungFinished(name, name, 0.5, 0.4, 0.6, 3.0), first=story.last + 1))
    assert story.left_s(at(6)) == 3
    story.hear(told(RungFinished("c", "c", 0.5, 0.4, 0.6, 3.0), first=story.last + 1))
    assert story.left_s(at(9)) == 6


def test_a_rung_that_earned_its_place_and_one_that_did_not_are_told_apart():
    story = Story(TITLES)
    story.hear(told(PLAN, finished("guess"), finished("svm", 0.9, gain=(0.4, 0.3, 0.5))))
    story.hear(told(finished("net", 0.91, gain=(0.01, -0.1, 0.1)), first=4))
    assert [(one.rung, one.has_earned) for one in story.results] == [("guess", False), ("svm", True), ("net", False)]
    assert story.is_past_rungs
    assert story.share_done(at(30)) == 1
    drawn = growing_ladder(story, "accuracy", "classify")
    assert "✓ earned its place" in drawn
    assert "not shown to be better" in drawn


def test_the_ladder_shows_what_is_at_work_and_to_come_below_what_is_done():
    story = Story(TITLES)
    story.hear(told(PLAN, finished("guess"), RungStarted("svm", TITLES["svm"], 4.0)))
    drawn = growing_ladder(story, "accuracy", "classify")
    order = [drawn.index(words) for words in ("always the commonest", "at work now", "still to come")]
    assert order == sorted(order)
    assert "about 20 s" in drawn


def test_a_skipped_rung_says_why_and_a_failed_one_that_it_failed():
    story = Story(TITLES)
    story.hear(
        told(RungSkipped("hog", "HOG + SVM", "too small"), RungSkipped("net", "a net", "it failed: OSError: no"))
    )
    assert [(one.state, one.reason) for one in story.results] == [
        ("skipped", "too small"),
        ("failed", "it failed: OSError: no"),
    ]


def test_a_resumed_climb_begins_its_ladder_anew_and_repeats_no_note():
    note = Note("Two classes look alike.")
    story = Story(TITLES)
    story.hear(told(note, PLAN, finished("guess"), RungStarted("svm", TITLES["svm"], 4.0)))
    story.hear(told(note, PLAN, finished("guess"), first=5))
    assert [one.state for one in story.tries.values()] == ["over", "planned", "planned"]
    assert story.notes == [note]


def test_what_was_heard_before_changes_nothing():
    story, events = Story(TITLES), told(PLAN, Progress("net, network 1 of 2", 1), EpochDone(1, {"loss": 1}, {}, 0.1, 1))
    story.hear(events)
    assert not story.hear(events)
    assert len(story.lessons) == 1


def test_every_network_has_a_curve_of_its_own():
    def epoch(number: int, loss: float) -> EpochDone:
        return EpochDone(number, {"cross entropy": loss, "penalty": 0.5}, {"accuracy": 1 - loss / 4}, 0.1, 1.0)

    story = Story(TITLES)
    story.hear(
        told(
            *(Progress("a small network, network 1 of 2", 1, 9), epoch(1, 2.0), epoch(2, 1.0)),
            *(Progress("a small network, network 2 of 2", 1, 9), StepDone(1, 2, {}, 0.1), epoch(1, 3.0)),
        )
    )
    loss, score = learning_charts(story.lessons)
    assert [(one.name, one.xs, one.ys) for one in loss.series] == [
        ("a small network, network 1 of 2", (1, 2), (2.5, 1.5)),
        ("a small network, network 2 of 2", (1,), (3.5,)),
    ]
    assert score.title == "Accuracy"
    assert score.series[0].ys == (0.5, 0.75)
    assert "<td>2</td><td>1.5</td><td>accuracy 0.750</td>" in learning_table(story.lessons)


def test_a_loss_that_ran_away_has_no_place_in_the_drawing_but_in_the_table():
    story = Story(TITLES)
    story.hear(told(EpochDone(1, {"loss": 1.0}, {}, 0.1, 1), EpochDone(2, {"loss": float("inf")}, {}, 0.1, 1)))
    (chart,) = learning_charts(story.lessons)
    assert chart.series[0].ys == (1.0,)
    assert "<td>inf</td>" in learning_table(story.lessons)


def test_names_of_methods_cannot_break_the_drawing():
    evil = "<img src=x onerror=alert(1)>"
    story = Story({"guess": evil})
    story.hear(told(PLAN))
    assert "<img" not in growing_ladder(story, "accuracy", "classify")
