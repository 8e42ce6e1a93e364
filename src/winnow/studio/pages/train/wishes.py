"""What a person asks of a climb before it starts: the fields, and the wish that they make."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from winnow.api.wish import Wish
from winnow.data.manifest import Task
from winnow.errors import UserError
from winnow.graph.backbone import NONE
from winnow.metrics.families import DEFAULTS, FAMILIES
from winnow.report import words
from winnow.studio.fields import choice, field, on_change, tick
from winnow.studio.parts import box, details, para

OWN = "own"
BUDGETS = {
    "": "As long as it takes",
    "1m": "1 minute",
    "5m": "5 minutes",
    "15m": "15 minutes",
    "60m": "60 minutes",
    OWN: "Another time",
}
PREFERENCES = {
    "cheapest": "The cheapest method that nothing dearer is shown to beat",
    "best": "The best score, whatever it costs",
}
_MOST_SEED = 2**32 - 1


class WishForm:
    """The fields of a climb.

    Args:
        task: of the dataset.
        backbones: names of those at hand, the one that is taken unasked first.
        openings: how often the test split has been looked at; None: there is none.
        heard: called whenever something was changed that the estimate hangs on.
    """

    def __init__(
        self, task: Task, backbones: list[str], openings: int | None, heard: Callable[[], Awaitable[None]]
    ) -> None:
        self._heard = heard
        choice(
            "Mode",
            {"base": "Base: climb the ladder of methods, from cheap to dear"},
            value="base",
            hint="Each method is tried as it is best known. A mode that searches for better settings is to come.",
        )
        self._budget = choice("Time (budget)", BUDGETS, value="")
        with box() as self._own_box:
            self._own = field("Your own time", value="10m", hint="Such as 45s, 10m or 1.5h")
        self._own_box.set_visibility(False)
        self._optimise = choice(
            "What counts (metric)",
            {name: f"{words.capital(metric.title)} ({metric.term})" for name, metric in FAMILIES[task].items()},
            value=DEFAULTS[task],
            hint="Methods are compared by it, and the best is chosen by it.",
        )
        self._usual_metric = DEFAULTS[task]
        with details("More choices"):
            self._prefer = choice("Which to prefer", PREFERENCES, value="cheapest")
            self._backbone = choice(
                "Ready-made features (backbone)",
                {**_backbone_words(backbones), NONE: "None: learn from the pixels alone"},
                value=backbones[0] if backbones else NONE,
                hint="A network that others have taught to see; what it sees helps with few pictures.",
            )
            self._usual_backbone = backbones[0] if backbones else NONE
            self._seed = field(
                "Seed", value="0", kind="number", min=0, max=_MOST_SEED, hint="The same seed gives the same model."
            )
            self._name = field("Name of the model", hint="Without one it is called as the dataset.")
            self._keep_closed = tick("Leave the test split closed")
            para(_openings_in_words(openings), "hint")
        self._watch()

    def wish(self) -> Wish:
        """All of it but the rungs.

        Raises:
            UserError: a field makes no sense; says which.
        """
        return Wish.checked(
            budget=self._time(),
            seed=_seed(_value(self._seed)),
            optimise=_unless(_value(self._optimise), self._usual_metric),
            prefer=_value(self._prefer),
            backbone=_unless(_value(self._backbone), self._usual_backbone),
            name=_value(self._name).strip() or None,
            open_test=not self._keep_closed.props["checked"],
        )

    def _time(self) -> str | None:
        chosen = _value(self._budget)
        budget = _value(self._own).strip() if chosen == OWN else chosen
        return budget if chosen == OWN else budget or None  # an empty one is no time, and told so

    def _watch(self) -> None:
        async def chosen(value: Any) -> None:
            self._own_box.set_visibility(value == OWN)
            await self._heard()

        on_change(self._budget, chosen)
        for one in (self._own, self._optimise, self._prefer, self._backbone, self._seed, self._name):
            on_change(one, lambda _: self._heard())
        self._keep_closed.on("change", self._heard, args=[])


def _backbone_words(backbones: list[str]) -> dict[str, str]:
    return {name: f"{name}, as usual" if place == 0 else name for place, name in enumerate(backbones)}


def _openings_in_words(openings: int | None) -> str:
    if openings is None:
        return "No pictures are kept aside as a test here, so the score will be a little flattering."
    if openings == 0:
        return (
            "Some pictures are kept aside as a test. They are looked at once, at the end, for the chosen method alone; "
            "nobody has looked at them so far."
        )
    return (
        f"The pictures kept aside as a test have been looked at {'once' if openings == 1 else f'{openings} times'} so "
        "far. Every further look makes their figure more flattering; leave them closed while you try things out."
    )


def _value(element: ui.element) -> str:
    return str(element.props["value"] or "")


def _unless(value: str, usual: str) -> str | None:
    return None if value == usual else value


def _seed(text: str) -> int:
    if not text.strip().isdecimal() or int(text) > _MOST_SEED:
        raise UserError(f"A seed is a whole number from 0 to {_MOST_SEED}, not '{text}'.")
    return int(text)
