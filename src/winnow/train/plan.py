"""How a training is to go: plain settings that can be written down, compared and searched over."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from winnow.errors import UserError
from winnow.train.optimisers import Nesterov, Optimiser
from winnow.train.precision import Precision
from winnow.train.schedule import OneCycle, Schedule


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to train, by which steps, and when to stop. Give either `n_epochs` or `n_steps`."""

    n_epochs: float | None = None
    """Times every example is seen; may be a fraction."""
    n_steps: int | None = None
    optimiser: Optimiser = field(default_factory=lambda: Nesterov(lr=0.1, weight_decay=5e-4))
    schedule: Schedule = field(default_factory=OneCycle)
    micro_batch: int | None = None
    """Examples through the network at once; gradients of a batch's micro-batches add up. None: the whole batch."""
    clip_norm: float | None = None
    """Gradients longer than this, over all of a player's weights, are scaled down to it."""
    ema_decay: float | None = None
    """The weights that are validated and kept are an average that forgets 1 - decay of itself at every step."""
    patience: int | None = None
    """Stop after so many epochs without a better watched score, and keep the best weights; None: keep the last."""
    precision: Precision = field(default_factory=Precision)
    checkpoint_every_s: float = 60.0
    """Seconds of training that a kill may cost."""

    def __post_init__(self) -> None:
        if (self.n_epochs is None) == (self.n_steps is None):
            raise UserError("A plan needs one length; give either n_epochs or n_steps.")
        if (self.n_epochs or self.n_steps or 0) <= 0:
            raise UserError("A plan of no steps trains nothing; give n_epochs or n_steps above 0.")

    def steps(self, epoch_steps: int) -> int:
        """How many steps it takes where an epoch has so many; at least 1."""
        return self.n_steps if self.n_steps is not None else max(1, round((self.n_epochs or 0) * epoch_steps))

    def as_json(self) -> dict[str, Any]:
        """All settings by name, nested, each with the name of its class."""
        return settings_of(self)


def settings_of(value: Any) -> Any:
    """A dataclass as JSON, nested, with the names of the classes; anything else as it is."""
    if dataclasses.is_dataclass(value):
        parts = {one.name: settings_of(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return {"is": type(value).__name__, **parts}
    return list(value) if isinstance(value, tuple) else value
