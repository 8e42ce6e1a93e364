"""Events: what was said can be written down and read back, every kind of it."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from winnow.events import (
    EpochDone,
    Event,
    Note,
    PlanMade,
    Progress,
    RungFinished,
    RungSkipped,
    RungStarted,
    StepDone,
    as_json,
    from_json,
)

SAID: list[Event] = [
    Progress("reading pictures", 3),
    Progress("reading pictures", 3, 10),
    Note("Two classes look alike.", is_warning=True, code="W_CLASS_SIMILAR"),
    Note('"<b>\x1b[31m\ud800\u2028' + "\n"),
    PlanMade((("commonest-class", 0.1), ("pixels-svm", 1 / 3)), 0.1 + 1 / 3, None),
    PlanMade((), 0.0, 60.0),
    RungStarted("pixels-svm", "pixels + SVM", 2.5),
    RungFinished("pixels-svm", "pixels + SVM", 0.9, 0.85, 0.95, 1.25, is_from_before=True),
    RungFinished("hog-svm", "HOG + SVM", 0.9, 0.85, 0.95, 1.25, False, (0.01, -0.02, 1 / 3), "pixels-svm"),
    RungSkipped("small-net", "a small network", "it would take about 3 min"),
    StepDone(5, 100, {"cross entropy": 0.1, "penalty": 1e-300}, 0.1),
    StepDone(6, 100, {"cross entropy": float("inf")}, 0.1),
    EpochDone(1, {"cross entropy": 0.7}, {}, 0.01, 3.5),
]


def test_every_kind_of_event_is_tried_here():
    assert {type(event) for event in SAID} == set(get_args(Event))


@pytest.mark.parametrize("event", SAID, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_exactly_from_json_text(event: Event):
    text = json.dumps(as_json(event))
    assert "\n" not in text
    assert from_json(json.loads(text)) == event


@pytest.mark.parametrize("value", [{}, [], "Note", None, 3, {"event": "Fanfare"}, {"event": "Note", "colour": "red"}])
def test_what_is_no_event_is_refused(value: object):
    with pytest.raises(ValueError, match="this is no event"):
        from_json(value)
