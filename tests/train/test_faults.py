"""Memory, numbers and disks fail; the training goes on, or says what to do."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from winnow.errors import UserError
from winnow.events import Event, Note, StepDone
from winnow.train import loop
from winnow.train.batch import Batch
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.optimisers import SGD, Nesterov, Weights
from winnow.train.plan import Plan
from winnow.train.randomness import seed_step
from winnow.train.schedule import Constant, Moment

from .threads import Threads, together
from .toys import Toys, classifier, sha256, tiny_net

PLAN = Plan(n_steps=6, optimiser=Nesterov(0.05))
ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: ..."),
    MemoryError(),
]


def hungry(net: nn.Module, at_most: int, error: BaseException) -> Learner:
    """A learner whose memory holds so many examples."""

    def losses(batch: Batch) -> dict[str, Tensor]:
        if len(batch) > at_most:
            raise error
        return {"cross_entropy": F.cross_entropy(net(batch["image"]), batch["label"])}

    return Learner(net, (Player("net", (Weights.of(net),), losses),))


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_out_of_memory_halves_the_micro_batch_and_not_the_batch(error: BaseException) -> None:
    whole, cut = tiny_net(is_normed=False), tiny_net(is_normed=False)
    heard: list[Event] = []
    train(classifier(whole), Toys(size=10), PLAN, seed=0)
    trained = train(hungry(cut, 3, error), Toys(size=10), PLAN, seed=0, tell=heard.append)
    assert trained.micro_batch == 3
    notes = [str(event) for event in heard if isinstance(event, Note)]
    assert "5 instead of 10 examples" in notes[0]
    assert "3 instead of 5 examples" in notes[1]
    assert len(notes) == 2
    for name, parameter in whole.named_parameters():
        assert torch.allclose(parameter, cut.get_parameter(name), atol=1e-6)


def test_one_example_that_does_not_fit_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UserError, match="does not fit into memory; make it or the network smaller"):
        train(hungry(tiny_net(), 0, ERRORS[0]), Toys(), PLAN, seed=0)


def test_other_errors_are_not_taken_for_lack_of_memory() -> None:
    with pytest.raises(RuntimeError, match="shapes"):
        train(hungry(tiny_net(), 0, RuntimeError("shapes do not match")), Toys(), PLAN, seed=0)


def spoilt(*steps: int):
    """Puts a NaN into the third picture of these steps."""

    def change(step: int, image: Tensor) -> None:
        if step in steps:
            image[2, 0, 0, 0] = torch.nan

    return change


@pytest.mark.parametrize("bad", [0, 3, 5])
def test_a_picture_with_nan_is_named_and_its_batch_left_out(bad: int) -> None:
    heard: list[Event] = []
    net = tiny_net()
    plan = replace(PLAN, ema_decay=0.9)
    trained = train(classifier(net), Toys(change=spoilt(bad)), plan, seed=0, tell=heard.append)

    notes = [event for event in heard if isinstance(event, Note)]
    assert [note.text for note in notes] == [
        f"Step {bad + 1} gave a loss or gradient that is not finite, because of {bad}-2.png. Its batch is left out."
    ]
    assert trained.left_out == (bad,)
    assert trained.steps == 6
    assert all(tensor.isfinite().all() for tensor in net.state_dict().values())


def test_after_the_roll_back_the_weights_are_as_if_the_bad_batch_had_never_been() -> None:
    net, never = tiny_net(), tiny_net()
    train(classifier(net), Toys(change=spoilt(3)), PLAN, seed=0)

    # By hand: steps 0, 1, 2, 4, 5 with their own rates and their own randomness.
    optimiser = torch.optim.SGD(never.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    for step in (0, 1, 2, 4, 5):
        seed_step(0, 0, step, torch.device("cpu"))
        optimiser.param_groups[0]["lr"] = 0.05 * PLAN.schedule.factor(Moment(step, 6, 4))
        batch = Toys().at(step)
        optimiser.zero_grad()
        F.cross_entropy(never(batch["image"]), batch["label"]).backward()
        optimiser.step()
    assert sha256(net) == sha256(never)


def test_a_loss_that_only_one_example_breaks_is_traced_to_it() -> None:
    net = tiny_net()

    def losses(batch: Batch) -> dict[str, Tensor]:
        brightness = batch["image"].mean((1, 2, 3))
        rare = torch.where(brightness > 1.9, torch.log(brightness * 0), 0.0)
        return {"loss": F.cross_entropy(net(batch["image"]), batch["label"]), "rare": rare.mean()}

    learner = Learner(net, (Player("net", (Weights.of(net),), losses),))
    heard: list[Event] = []
    plan = replace(PLAN, n_steps=1)
    bright = [n for n, value in enumerate(Toys().at(0)["image"].mean((1, 2, 3)).tolist()) if value > 1.9]
    assert bright
    train(learner, Toys(), plan, seed=0, tell=heard.append)
    named = ", ".join(f"0-{n}.png" for n in bright)
    assert any(f"because of {named}." in str(event) for event in heard if isinstance(event, Note))


def test_three_bad_batches_in_a_row_end_with_a_clear_error() -> None:
    with pytest.raises(UserError, match=r"because of 4-2\.png\. So did the steps before it; lower the learning rate"):
        train(classifier(tiny_net()), Toys(change=spoilt(2, 3, 4)), PLAN, seed=0)


def test_bad_batches_apart_do_not_add_up() -> None:
    plan = replace(PLAN, n_steps=12)
    trained = train(classifier(tiny_net()), Toys(change=spoilt(1, 2, 4, 5, 7, 8, 10)), plan, seed=0)
    assert trained.left_out == (1, 2, 4, 5, 7, 8, 10)


def test_a_rate_that_blows_up_ends_with_a_clear_error() -> None:
    plan = Plan(n_steps=30, optimiser=SGD(1e30), schedule=Constant())
    with pytest.raises(UserError, match="lower the learning rate"):
        train(classifier(tiny_net(is_normed=False)), Toys(), plan, seed=0)


def test_a_bad_batch_is_left_out_after_a_resume_too(tmp_path: Path) -> None:
    def tell(event: Event) -> None:
        if isinstance(event, StepDone) and event.done == 5:
            os.kill(os.getpid(), signal.SIGTERM)

    toys = Toys(change=spoilt(3))
    net, again = tiny_net(), tiny_net()
    train(classifier(net), toys, PLAN, seed=0)
    with pytest.raises(SystemExit):
        train(classifier(again), toys, PLAN, seed=0, checkpoint=tmp_path, tell=tell)
    trained = train(classifier(again), toys, PLAN, seed=0, checkpoint=tmp_path)
    assert trained.left_out == (3,)
    assert sha256(again) == sha256(net)


def test_in_a_group_all_go_back_together_although_one_writes_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_UNREAD", {"cpu": 4})  # as on a GPU, where losses wait to be read
    plan = replace(PLAN, checkpoint_every_s=0)
    nets = [tiny_net(is_normed=False) for _ in range(2)]

    def run(group: Threads) -> tuple[int, ...]:
        learner, toys = classifier(nets[group.rank]), Toys(epoch_steps=9, change=spoilt(1))
        return train(learner, toys, plan, seed=0, checkpoint=tmp_path, group=group).left_out

    assert together(2, run) == [(1,), (1,)]
    alone = tiny_net(is_normed=False)
    train(classifier(alone), Toys(epoch_steps=9, change=spoilt(1)), plan, seed=0)
    assert sha256(nets[0]) == sha256(nets[1]) == sha256(alone)


class FullDisk:
    """A disk without room until somebody has waited `waits` times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, waits: float) -> None:
        self.waited: list[float] = []
        sync = os.fsync

        def fsync(handle: int) -> None:
            if len(self.waited) < waits:
                raise OSError(errno.ENOSPC, "No space left on device")
            sync(handle)

        monkeypatch.setattr("os.fsync", fsync)

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)


def test_a_full_disk_pauses_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk, heard = FullDisk(monkeypatch, 3), list[Event]()
    net, free = tiny_net(), tiny_net()
    plan = replace(PLAN, checkpoint_every_s=0)
    train(classifier(net), Toys(), plan, seed=0, checkpoint=tmp_path, tell=heard.append, sleep=disk.sleep)
    train(classifier(free), Toys(), plan, seed=0)
    assert disk.waited == [5.0] * 3
    assert ["is full: training waits for room" in str(event) for event in heard if isinstance(event, Note)] == [True]
    assert len(list(tmp_path.iterdir())) == 2
    assert sha256(net) == sha256(free)


def test_a_disk_that_stays_full_costs_no_more_than_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(monkeypatch, float("inf"))
    plan = replace(PLAN, checkpoint_every_s=0)
    trained = train(
        classifier(tiny_net()),
        Toys(),
        plan,
        seed=0,
        checkpoint=tmp_path,
        sleep=disk.sleep,
        left_s=lambda: 20.0 - sum(disk.waited),
    )
    assert trained.stopped == "budget"
    assert sum(disk.waited) == 20.0
