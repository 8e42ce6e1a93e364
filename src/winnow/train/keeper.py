"""When a training's checkpoints are written, whose they are, and what happens while the disk is full."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from winnow.errors import UserError
from winnow.events import Note, Tell
from winnow.train import checkpoint
from winnow.train.checkpoint import Saved
from winnow.train.learner import Learner
from winnow.train.optimisers import Weights
from winnow.train.plan import Plan, settings_of
from winnow.train.state import State

_RETRY_S = 5.0
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


class Keeper:
    """Keeps the state of one training in a folder, or nowhere.

    Args:
        folder: for the checkpoints; None: nothing is kept.
        run: what makes this training this one and no other, for JSON; a checkpoint of another one is refused.
        every_s: seconds between two checkpoints.
        is_writer: only one process of a group writes.
        tell: hears about damaged files and a full disk.
        sleep: how to wait for room on a full disk.
    """

    def __init__(
        self,
        folder: Path | None,
        run: Mapping[str, Any],
        *,
        every_s: float,
        is_writer: bool,
        tell: Tell,
        sleep: Callable[[float], None],
    ) -> None:
        self._folder, self._run, self._every_s, self._is_writer = folder, run, every_s, is_writer
        self._tell, self._sleep = tell, sleep
        self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next checkpoint."""
        return self._folder is not None and self._is_writer and time.monotonic() - self._last >= self._every_s

    def load(self) -> Saved | None:
        """What was kept of this training; None: nothing.

        Raises:
            UserError: the folder holds another training.
        """
        saved = checkpoint.load(self._folder, self._tell) if self._folder is not None else None
        if saved is None:
            return None
        there = saved.facts["run"]
        if there != self._run:
            raise UserError(
                f"The checkpoint in {self._folder} is of another training ({_difference(there, self._run)}); "
                "give another folder, or remove this one to start anew."
            )
        return Saved(saved.tensors, saved.facts["state"])

    def keep(self, state: State, must_leave: Callable[[], bool]) -> None:
        """Write a checkpoint; while the disk is full wait for room, unless the training must leave."""
        if self._folder is None or not self._is_writer:
            return
        copy = state.copy()
        saved = Saved(copy.tensors, {"run": self._run, "state": copy.facts})
        is_told = False
        while not self._is_written(self._folder, state.facts.step, saved):
            if not is_told:
                self._tell(Note(f"The disk of {self._folder} is full: training waits for room.", is_warning=True))
                is_told = True
            if must_leave():
                break
            self._sleep(_RETRY_S)
        self._last = time.monotonic()

    def _is_written(self, folder: Path, step: int, saved: Saved) -> bool:
        try:
            checkpoint.save(folder, step, saved)
        except OSError as error:
            if error.errno not in _NO_ROOM:
                raise
            return False
        return True


def identity(learner: Learner, plan: Plan, seed: int, epoch_steps: int) -> dict[str, Any]:
    """What makes a training this one and no other, for JSON: plan, seed, length of the data, players, shapes.

    The numbers and sizes with which it began are kept at a resume, not compared.
    """
    settings = plan.as_json()
    for name in ("checkpoint_every_s", "precision", "micro_batch"):
        del settings[name]
    players = {player.name: [_weights(weights) for weights in player.weights] for player in learner.players}
    shapes = {name: list(tensor.shape) for name, tensor in learner.net.state_dict().items()}
    return {"plan": settings, "seed": seed, "epoch_steps": epoch_steps, "players": players, "shapes": shapes}


def _weights(weights: Weights) -> dict[str, Any]:
    numbers = sum(parameter.numel() for parameter in weights.parameters)
    return {"numbers": numbers, "lr_factor": weights.lr_factor, "optimiser": settings_of(weights.optimiser)}


def _difference(there: Any, here: Any, name: str = "") -> str:
    """The first setting in which two trainings differ, as words."""
    if isinstance(there, dict) and isinstance(here, dict):
        for key in (*here, *there):
            if there.get(key) != here.get(key):
                return _difference(there.get(key), here.get(key), f"{name}.{key}".lstrip("."))
    return f"{name}: {there} there, {here} now"
