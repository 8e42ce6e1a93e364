"""The loop: from batches to better weights, step by step. README.md says how its parts fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from winnow.events import EpochDone, Tell, tell_nobody
from winnow.train.batch import Batches
from winnow.train.group import Group
from winnow.train.learner import Learner
from winnow.train.plan import Plan

Validate = Callable[[nn.Module], Mapping[str, float]]
"""Named scores of a network as it stands, in eval mode; the first one is watched, more is better."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What became of a training; the weights are in the learner's network."""

    steps: int
    """Steps taken, those before a resume included."""
    epochs: tuple[EpochDone, ...]
    stopped: Literal["done", "early", "budget"]
    """All steps taken; the score stopped rising; the time ran out."""
    micro_batch: int | None
    """Examples that went through at once; None: whole batches."""
    left_out: tuple[int, ...]
    """Steps whose batch gave no finite gradient and was left out."""


def train(
    learner: Learner,
    batches: Batches,
    plan: Plan,
    *,
    seed: int,
    checkpoint: Path | None = None,
    validate: Validate | None = None,
    left_s: Callable[[], float] = lambda: float("inf"),
    tell: Tell = tell_nobody,
    group: Group | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Trained:
    """Train a learner's network in place; go on from `checkpoint` where it holds this training.

    Args:
        learner: the network, on the device where it shall learn, and its players.
        batches: where examples come from.
        plan: how long, by which steps.
        seed: of all randomness of the steps; the batches have their own.
        checkpoint: folder for checkpoints; None: a kill loses all.
        validate: scores at the end of every epoch.
        left_s: seconds left; at 0 or below the training ends with what it has.
        tell: listener for StepDone, EpochDone and notes.
        group: the processes that train together.
        sleep: how to wait for room on a full disk.

    Raises:
        UserError: the checkpoint is of another training; nothing but NaN; one example does not fit in memory.
        SystemExit: 143 after SIGTERM, with a checkpoint left.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint left.
    """
    raise NotImplementedError
