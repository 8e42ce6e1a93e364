"""What happened: small facts that the lower rooms say aloud, for whoever listens.

A function that takes long accepts `tell`, a callable that receives these events. The progress bar, the
database and the studio's page are listeners; the speaker knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, get_args


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps of `what` ("reading pictures") are behind us; `total` None: not known yet."""

    what: str
    done: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """One plain sentence a user should read; `is_warning` if it lowers what a later figure is worth.

    Where programs may want to know, `code` says the same in one word, such as "W_CLASS_SIMILAR".
    """

    text: str
    is_warning: bool = False
    code: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class PlanMade:
    """The climb is about to start: (rung name, estimated seconds) for each rung that will be tried."""

    rungs: tuple[tuple[str, float], ...]
    total_s: float
    budget_s: float | None


@dataclass(frozen=True, slots=True)
class RungStarted:
    """A rung is being tried now."""

    rung: str
    title: str
    estimate_s: float


@dataclass(frozen=True, slots=True)
class RungFinished:
    """A rung is done: its score on the judged examples with the 95 % interval, what it cost and what it bought."""

    rung: str
    title: str
    score: float
    low: float
    high: float
    seconds: float
    is_from_before: bool = False
    gain: tuple[float, float, float] | None = None
    """(value, low, high) over the best cheaper rung, more is better, corrected for the comparisons so far; the verdict
    corrects for all. None for the first rung, and where a score is undefined."""
    gain_over: str | None = None
    """That cheaper rung."""


@dataclass(frozen=True, slots=True)
class RungSkipped:
    """A rung was not tried, or failed, and why."""

    rung: str
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class StepDone:
    """A network took a step: how many of all are behind it, its named losses, and the learning rate it used.

    After a roll-back the same steps are told again.
    """

    done: int
    total: int
    losses: Mapping[str, float]
    lr: float


@dataclass(frozen=True, slots=True)
class EpochDone:
    """A network has seen all its examples once more: mean named losses of the epoch, and what validation gave."""

    epoch: int
    """From 1."""
    losses: Mapping[str, float]
    scores: Mapping[str, float]
    """More is better; the first one is watched. Empty without validation."""
    lr: float
    seconds: float


Event = Progress | Note | PlanMade | RungStarted | RungFinished | RungSkipped | StepDone | EpochDone
Tell = Callable[[Event], None]


def tell_nobody(_: Event) -> None:
    """The listener of those who do not care."""


def as_json(event: Event) -> dict[str, Any]:
    """The event as JSON values: its fields, and under "event" its kind, such as "RungFinished"."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    mappings = {name: dict(value) for name, value in values.items() if isinstance(value, Mapping)}
    return {"event": type(event).__name__, **values, **mappings}


def from_json(value: Any) -> Event:
    """The very event that `as_json` was given, also after it went through JSON text.

    Raises:
        ValueError: it is no event.
    """
    try:
        kind = _KINDS[value["event"]]
        return kind(**{name: _tupled(one) for name, one in value.items() if name != "event"})
    except (KeyError, TypeError) as error:
        raise ValueError(f"this is no event: {value!r}") from error


def _tupled(value: Any) -> Any:
    return tuple(_tupled(one) for one in value) if isinstance(value, list | tuple) else value


_KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
