"""A training that is stopped and goes on gives the same bits as one that never was."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from torch import nn

from winnow.errors import UserError
from winnow.events import Event, StepDone
from winnow.train.learner import Learner
from winnow.train.loop import Trained, train
from winnow.train.optimisers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Muon,
    Nesterov,
    Optimiser,
    RMSprop,
    Weights,
)
from winnow.train.plan import Plan
from winnow.train.precision import Precision
from winnow.train.schedule import OneCycle, OnPlateau

from .toys import Toys, classifier, sha256, tiny_net

N = 13
PLAN = Plan(n_steps=N, optimiser=AdamW(0.01), ema_decay=0.9, patience=9, checkpoint_every_s=0)


def score(net: nn.Module) -> dict[str, float]:
    """Changes from epoch to epoch, and is best in the middle."""
    weight = net.get_parameter("0.weight")
    return {"accuracy": float(weight.detach().sum().sin())}


def at_step(number: int, do: Callable[[], object]) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        if isinstance(event, StepDone) and event.done == number:
            do()

    return tell


def send(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


def run(plan: Plan, folder: Path | None = None, tell: Callable[[Event], None] = lambda _: None) -> tuple[Trained, str]:
    net = tiny_net()
    trained = train(classifier(net), Toys(), plan, seed=3, checkpoint=folder, validate=score, tell=tell)
    return trained, sha256(net)


def without_seconds(trained: Trained) -> Trained:
    return replace(trained, epochs=tuple(replace(epoch, seconds=0.0) for epoch in trained.epochs))


OPTIMISERS: tuple[Optimiser, ...] = (
    SGD(0.05),
    Momentum(0.05),
    Nesterov(0.05),
    Adagrad(0.05),
    RMSprop(0.01),
    Adam(0.01),
    AdamW(0.01),
    Muon(0.02),
)
PLANS = [
    *(replace(PLAN, optimiser=one) for one in OPTIMISERS),
    replace(PLAN, precision=Precision(is_bf16=True, is_channels_last=True)),
    replace(PLAN, schedule=OnPlateau(patience=0), patience=None),
    replace(PLAN, ema_decay=None, micro_batch=3, clip_norm=0.1, schedule=OneCycle()),
]


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{type(plan.optimiser).__name__}")
def test_stopped_at_random_steps_it_ends_with_the_same_bits(plan: Plan, tmp_path: Path) -> None:
    trained, bits = run(plan)
    for stop in sorted(random.Random(str(plan)).sample(range(1, N), 4)):
        with pytest.raises(SystemExit):
            run(plan, tmp_path, at_step(stop, send(signal.SIGTERM)))
    again, again_bits = run(plan, tmp_path)
    assert again_bits == bits
    assert without_seconds(again) == without_seconds(trained)


def test_a_crash_goes_on_from_the_last_checkpoint(tmp_path: Path) -> None:
    def crash() -> None:
        raise ZeroDivisionError

    _, bits = run(PLAN)
    with pytest.raises(ZeroDivisionError):
        run(PLAN, tmp_path, at_step(7, crash))
    heard: list[Event] = []
    assert run(PLAN, tmp_path, heard.append)[1] == bits
    assert next(event.done for event in heard if isinstance(event, StepDone)) == 7  # step 6 was the last one kept


def test_sigterm_leaves_a_checkpoint_and_exits_143(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    plan = replace(PLAN, checkpoint_every_s=1e9)
    with pytest.raises(SystemExit) as exit_info:
        run(plan, tmp_path, at_step(5, send(signal.SIGTERM)))
    assert exit_info.value.code == 143
    assert [path.name[:12] for path in tmp_path.iterdir()] == ["000000000005"]
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_leaves_a_checkpoint_too(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run(replace(PLAN, checkpoint_every_s=1e9), tmp_path, at_step(5, send(signal.SIGINT)))
    assert [path.name[:12] for path in tmp_path.iterdir()] == ["000000000005"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_does_not_wait_for_the_step_to_end() -> None:
    def twice() -> None:
        send(signal.SIGINT)()
        send(signal.SIGINT)()
        pytest.fail("still here")

    with pytest.raises(KeyboardInterrupt):
        run(PLAN, None, at_step(2, twice))


def test_a_signal_during_the_last_validation_is_obeyed_after_the_last_checkpoint(tmp_path: Path) -> None:
    def validate(net: nn.Module) -> dict[str, float]:
        asked.append(len(asked))
        if len(asked) == 4:
            send(signal.SIGTERM)()
        return score(net)

    asked: list[int] = []
    with pytest.raises(SystemExit) as exit_info:
        train(classifier(tiny_net()), Toys(), PLAN, seed=3, checkpoint=tmp_path, validate=validate)
    assert exit_info.value.code == 143
    trained, bits = run(PLAN, tmp_path)
    assert trained.stopped == "done"
    assert bits == run(PLAN)[1]


def test_a_signal_is_obeyed_where_the_training_fails(tmp_path: Path) -> None:
    def fail() -> None:
        send(signal.SIGTERM)()
        raise UserError("No room.")

    with pytest.raises(SystemExit) as exit_info:
        run(PLAN, tmp_path, at_step(2, fail))
    assert exit_info.value.code == 143
    assert isinstance(exit_info.value.__context__, UserError)


def test_in_another_thread_signals_are_left_alone() -> None:
    found: list[object] = []
    before = signal.getsignal(signal.SIGTERM)

    def look() -> None:
        run(PLAN, None, at_step(2, lambda: found.append(signal.getsignal(signal.SIGTERM))))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [before]


def test_a_finished_training_returns_at_once(tmp_path: Path) -> None:
    trained, bits = run(PLAN, tmp_path)
    heard: list[Event] = []
    again, again_bits = run(PLAN, tmp_path, heard.append)
    assert heard == []
    assert again_bits == bits
    assert again == trained


def test_a_budget_that_ran_out_is_no_end_where_there_is_more(tmp_path: Path) -> None:
    _, bits = run(PLAN)
    left = iter([1.0] * 5 + [0.0] * 99)
    net = tiny_net()
    trained = train(
        classifier(net), Toys(), PLAN, seed=3, checkpoint=tmp_path, validate=score, left_s=lambda: next(left)
    )
    assert trained.stopped == "budget"
    assert run(PLAN, tmp_path)[1] == bits


def test_another_trainings_checkpoint_is_refused_with_the_difference(tmp_path: Path) -> None:
    run(PLAN, tmp_path)
    with pytest.raises(UserError, match=r"plan\.optimiser\.lr: 0\.01 there, 0\.5 now.*another folder"):
        run(replace(PLAN, optimiser=AdamW(0.5)), tmp_path)


def test_so_is_one_that_moves_other_weights(tmp_path: Path) -> None:
    run(PLAN, tmp_path)
    net = tiny_net()
    head = Learner(net, (replace(classifier(net).players[0], weights=(Weights.of(net[5]),)),))
    with pytest.raises(UserError, match="of another training"):
        train(head, Toys(), PLAN, seed=3, checkpoint=tmp_path, validate=score)


def test_precision_and_micro_batches_stay_those_of_the_beginning(tmp_path: Path) -> None:
    plan = replace(PLAN, precision=Precision(is_bf16=True), micro_batch=4)
    _, bits = run(plan)
    with pytest.raises(SystemExit):
        run(plan, tmp_path, at_step(5, send(signal.SIGTERM)))
    assert run(replace(plan, precision=Precision(), micro_batch=None), tmp_path)[1] == bits
