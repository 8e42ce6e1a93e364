"""The loop: from batches to better weights, step by step. README.md says how its parts fit."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import nn

from winnow.errors import UserError
from winnow.events import EpochDone, Note, Tell, tell_nobody
from winnow.train.average import Average
from winnow.train.batch import Batch, Batches
from winnow.train.blame import accusation
from winnow.train.checkpoint import Saved
from winnow.train.group import Group, check_same_start
from winnow.train.interrupts import Interrupts
from winnow.train.keeper import Keeper, identity
from winnow.train.learner import Learner
from winnow.train.ledger import Ledger, NotFiniteError
from winnow.train.plan import Plan
from winnow.train.precision import Precision
from winnow.train.randomness import repeatable, seed_step
from winnow.train.schedule import Moment
from winnow.train.state import State
from winnow.train.step import Stepper

Validate = Callable[[nn.Module], Mapping[str, float]]
"""Named scores of a network as it stands, in eval mode; the first one is watched, more is better."""

_SNAPSHOT_STEPS = 50  # a roll-back repeats at most so many steps; a copy costs about a tenth of a step
_UNREAD = {"cuda": 16}  # steps whose losses wait to be read, so that a GPU never waits


@dataclass(frozen=True, slots=True)
class Trained:
    """What became of a training; the weights are in the learner's network."""

    steps: int
    """Steps taken, those before a resume included."""
    epochs: tuple[EpochDone, ...]
    stopped: Literal["done", "early", "budget"]
    """All steps taken; the score stopped rising; the time ran out."""
    best_epoch: int
    """The epoch, from 1, with the best watched score; 0 without validation."""
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
        UserError: patience without validation; the checkpoint is of another training; nothing but NaN; one example
            does not fit into memory; the processes of the group start from different weights.
        SystemExit: 143 after SIGTERM, with a checkpoint left.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint left.
    """
    if plan.patience is not None and validate is None:
        raise UserError("A plan with patience waits for better scores; give validate, or leave patience out.")
    is_writer, every_s = group is None or group.rank == 0, plan.checkpoint_every_s
    training = identity(learner, plan, seed, len(batches))
    keeper = Keeper(checkpoint, training, every_s=every_s, is_writer=is_writer, tell=tell, sleep=sleep)
    run = _Run(learner, batches, plan, seed, validate, left_s, tell, group, keeper.load())
    with repeatable(run.device), Interrupts() as interrupts:
        while not run.is_over:
            try:
                run.walk(keeper, interrupts)
            except NotFiniteError as bad:
                run.roll_back(bad.step)
    return run.finish()


class _Run:
    """One training while it goes on."""

    def __init__(
        self,
        learner: Learner,
        batches: Batches,
        plan: Plan,
        seed: int,
        validate: Validate | None,
        left_s: Callable[[], float],
        tell: Tell,
        group: Group | None,
        saved: Saved | None,
    ) -> None:
        self._learner, self._batches, self._plan, self._seed = learner, batches, plan, seed
        self._validate, self._left_s, self._tell, self._group = validate, left_s, tell, group
        self._n_steps = plan.steps(len(batches))
        precision = plan.precision if saved is None else Precision(**saved.facts["precision"])
        self._stepper = Stepper(learner, plan, precision, group)
        self.device = self._stepper.device
        # From here on the weights stay where they lie in memory: the average and the optimisers point to them.
        self._average = Average(learner.net, plan.ema_decay) if plan.ema_decay is not None else None
        self._state = State(learner.net, self._stepper.optimisers, self._average)
        self._state.facts.precision = precision
        if saved is not None:
            self._state.restore(saved)
            self._stepper.micro_batch = self._state.facts.micro_batch
        if group is not None:
            check_same_start(group, learner.net)
        self._good = self._state.copy()
        self._is_out_of_time = self._is_agreed(left_s() <= 0)
        self._epoch_began = time.perf_counter() - self._state.facts.seconds
        self._lr = 0.0
        unread = _UNREAD.get(self.device.type, 1)
        self._ledger = Ledger(self._n_steps, unread, tell, judges_losses=group is None)
        self._set_mode()

    @property
    def is_over(self) -> bool:
        """Whether all steps are taken, the score has stopped rising, or no time is left."""
        return bool(self._state.facts.stopped) or self._is_out_of_time

    def walk(self, keeper: Keeper, interrupts: Interrupts) -> None:
        """Take steps from where the state stands until the training is over.

        Raises:
            NotFiniteError: a step gave no finite gradient or loss; those after it are worthless.
        """
        with contextlib.closing(self._batches.from_step(self._state.facts.step)) as feed:
            for batch in feed:
                self._step(batch)
                self._between_steps(keeper, interrupts)
                if self.is_over:
                    return

    def _step(self, batch: Batch) -> None:
        facts = self._state.facts
        step, facts.step = facts.step, facts.step + 1
        moment = Moment(step, self._n_steps, len(self._batches), facts.scores)
        self._lr = self._stepper.set_lr(self._plan.schedule.factor(moment))
        if step not in facts.left_out:
            seed_step(self._seed, self._group.rank if self._group else 0, step, self.device)
            self._ledger.add(step, self._lr, self._stepper.take(step, batch, self._tell))
            if self._average is not None:
                self._average.update(step)
        facts.micro_batch = self._stepper.micro_batch
        facts.seconds = time.perf_counter() - self._epoch_began

    def _between_steps(self, keeper: Keeper, interrupts: Interrupts) -> None:
        """Read losses, end the epoch, keep a checkpoint, leave: whatever is due at this step."""
        facts = self._state.facts
        is_epoch_end = facts.step % len(self._batches) == 0 or facts.step >= self._n_steps
        is_copy_due = is_epoch_end or facts.step - self._good.facts["step"] >= _SNAPSHOT_STEPS
        is_read_due = is_copy_due or self._ledger.is_full
        # One process of a group writes, on its own clock; what is judged must be judged by all at the same step.
        is_keep_due = is_read_due and keeper.is_due
        if is_read_due:
            self._ledger.read(facts)
        must_leave = self._is_agreed(interrupts.is_asked or self._left_s() <= 0)
        if must_leave:
            self._ledger.read(facts)
        if is_epoch_end:
            self._end_epoch()
        if must_leave or is_keep_due or facts.stopped:
            keeper.keep(self._state, lambda: interrupts.is_asked or self._left_s() <= 0)
        if must_leave and self._is_agreed(interrupts.is_asked):  # a later signal waits for the next step
            interrupts.leave()
        if is_copy_due:
            self._good = self._state.copy()
        self._is_out_of_time = must_leave

    def _end_epoch(self) -> None:
        facts = self._state.facts
        losses = {name: total / count for name, (total, count) in facts.sums.items()}
        number = len(facts.epochs) + 1
        epoch = EpochDone(number, losses, self._scores(number), self._lr, time.perf_counter() - self._epoch_began)
        facts.epochs.append(epoch)
        facts.sums, self._epoch_began = {}, time.perf_counter()
        facts.seconds = 0.0
        if facts.step >= self._n_steps:
            facts.stopped = "done"
        elif self._plan.patience is not None and number - facts.best_epoch >= self._plan.patience:
            facts.stopped = "early"
        self._tell(epoch)

    def _scores(self, number: int) -> dict[str, float]:
        """What validation gives for the averaged weights, if there are any; the best weights are put by."""
        if self._validate is None:
            return {}
        facts = self._state.facts
        with self._average.worn() if self._average is not None else contextlib.nullcontext():
            self._learner.net.eval()
            with torch.no_grad():
                scores = dict(self._validate(self._learner.net))
            self._set_mode()
            best = _watched(facts.epochs[facts.best_epoch - 1].scores) if facts.best_epoch else math.nan
            if math.isnan(best) or _watched(scores) > best:
                facts.best_epoch = number
                if self._plan.patience is not None:
                    self._state.keep_best()
        return scores

    def roll_back(self, bad: int) -> None:
        """Be again as before a bad step, and leave its batch out from now on.

        Raises:
            UserError: the batches before it were bad, too.
        """
        left_out = sorted({*self._state.facts.left_out, bad})
        self._ledger.forget()
        self._state.restore(self._good)
        batch = self._batches.at(bad).on(self.device)
        # In a group, losses may wait for the other processes; there only the examples themselves are looked at.
        losses = [player.losses for player in self._learner.players] if self._group is None else []
        what = accusation(bad, batch, losses)
        self._state.restore(self._good)
        self._state.facts.left_out = left_out
        if {bad - 1, bad - 2} <= set(left_out):
            raise UserError(f"{what}. So did the steps before it; lower the learning rate, or look at these examples.")
        self._tell(Note(f"{what}. Its batch is left out.", is_warning=True))

    def _is_agreed(self, flag: bool) -> bool:
        """Whether it is so in any process of the group: all of them do the same then."""
        return flag if self._group is None else self._group.any(flag)

    def _set_mode(self) -> None:
        self._learner.net.train()
        for module in self._learner.frozen:
            module.eval()

    def finish(self) -> Trained:
        """The weights to keep are in the network, in eval mode; what became of the training."""
        facts = self._state.facts
        if self._state.best:
            self._state.wear_best()
        elif self._average is not None:
            self._average.put_on()
        self._learner.net.eval()
        left_out, epochs = tuple(facts.left_out), tuple(facts.epochs)
        return Trained(facts.step, epochs, facts.stopped or "budget", facts.best_epoch, facts.micro_batch, left_out)


def _watched(scores: Mapping[str, float]) -> float:
    return next(iter(scores.values()))
