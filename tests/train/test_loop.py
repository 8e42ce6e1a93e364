from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from winnow.errors import UserError
from winnow.events import EpochDone, Event, StepDone
from winnow.train.batch import Batch
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.optimisers import SGD, Adam, Nesterov, Weights
from winnow.train.plan import Plan
from winnow.train.precision import Precision
from winnow.train.randomness import repeatable
from winnow.train.schedule import Constant, Cosine, Moment, OnPlateau

from .toys import Toys, classifier, sha256, tiny_net

PLAN = Plan(n_steps=6, optimiser=Nesterov(0.05), schedule=Cosine())


def weights_of(net: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])


def test_it_does_what_a_bare_loop_does_to_the_bit() -> None:
    ours, theirs = tiny_net(is_normed=False), tiny_net(is_normed=False)
    train(classifier(ours), Toys(), PLAN, seed=0)

    optimiser = torch.optim.SGD(theirs.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    for step in range(6):
        optimiser.param_groups[0]["lr"] = 0.05 * Cosine().factor(Moment(step, 6, 4))
        batch = Toys().at(step)
        optimiser.zero_grad()
        F.cross_entropy(theirs(batch["image"]), batch["label"]).backward()
        optimiser.step()

    assert sha256(ours) == sha256(theirs)


def test_same_seed_same_bits_and_another_seed_others() -> None:
    def trained(seed: int) -> str:
        net = tiny_net()
        train(classifier(net), Toys(), PLAN, seed=seed)
        return sha256(net)

    assert trained(1) == trained(1) != trained(2)


def test_it_leaves_the_worlds_randomness_as_it_was() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    net = tiny_net()  # seeds with 0
    torch.manual_seed(5)
    train(classifier(net), Toys(), PLAN, seed=0)
    assert torch.equal(torch.rand(1), expected)
    assert not torch.are_deterministic_algorithms_enabled()


def test_trainings_in_threads_leave_the_switches_as_they_were() -> None:
    is_first_in, may_first_go = threading.Event(), threading.Event()

    def first() -> None:
        with repeatable(torch.device("cpu")):
            is_first_in.set()
            may_first_go.wait(10)

    thread = threading.Thread(target=first)
    thread.start()
    is_first_in.wait(10)
    with repeatable(torch.device("cpu")):
        may_first_go.set()
        thread.join()
        assert torch.are_deterministic_algorithms_enabled()
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("micro_batch", [1, 3, 4])
def test_micro_batches_add_up_to_the_gradient_of_the_whole_batch(micro_batch: int) -> None:
    whole, cut = tiny_net(is_normed=False), tiny_net(is_normed=False)
    train(classifier(whole), Toys(), PLAN, seed=0)
    train(classifier(cut), Toys(), replace(PLAN, micro_batch=micro_batch), seed=0)
    assert torch.allclose(weights_of(whole), weights_of(cut), atol=1e-6)


@pytest.mark.parametrize("weights", [(1.0, 2, 3, 4, 5, 6, 7, 8), (1.0, 2, 3, 0, 0, 0, 7, 8)])
def test_micro_batches_count_as_much_as_their_examples_weigh(weights: tuple[float, ...]) -> None:
    class Weighed(Toys):
        def at(self, step: int) -> Batch:
            batch = super().at(step)
            return Batch(batch.tensors, batch.keys, weights)

    def learner(net: nn.Module) -> Learner:
        def losses(batch: Batch) -> dict[str, Tensor]:
            each = F.cross_entropy(net(batch["image"]), batch["label"], reduction="none")
            weights = torch.tensor(batch.weights)
            return {"loss": (each * weights).sum() / weights.sum()}

        return Learner(net, (Player("net", (Weights.of(net),), losses),))

    whole, cut = tiny_net(is_normed=False), tiny_net(is_normed=False)
    train(learner(whole), Weighed(), PLAN, seed=0)
    train(learner(cut), Weighed(), replace(PLAN, micro_batch=3), seed=0)
    assert torch.allclose(weights_of(whole), weights_of(cut), atol=1e-6)


def test_clipping_shortens_the_step_to_the_norm() -> None:
    net = tiny_net()
    before = weights_of(net)
    train(classifier(net), Toys(), Plan(n_steps=1, optimiser=SGD(1.0), schedule=Constant(), clip_norm=0.01), seed=0)
    assert (weights_of(net) - before).norm().item() == pytest.approx(0.01, rel=1e-3)


def test_the_average_is_the_decayed_sum_of_all_weights() -> None:
    decay, seen = 0.5, [weights_of(tiny_net())]
    for n in (1, 2, 3, 4):
        net = tiny_net()
        train(classifier(net), Toys(), Plan(n_steps=n, optimiser=SGD(0.1), schedule=Constant()), seed=0)
        seen.append(weights_of(net))
    averaged = tiny_net()
    plan = Plan(n_steps=4, optimiser=SGD(0.1), schedule=Constant(), ema_decay=decay)
    train(classifier(averaged), Toys(), plan, seed=0)

    expected = seen[0]
    for t, weights in enumerate(seen[1:]):
        d = min(decay, (1 + t) / (10 + t))
        expected = d * expected + (1 - d) * weights
    assert torch.allclose(weights_of(averaged), expected, atol=1e-6)


def test_events_tell_every_step_and_the_mean_of_every_epoch() -> None:
    heard: list[Event] = []
    net = tiny_net()
    trained = train(classifier(net), Toys(), replace(PLAN, n_steps=8), seed=0, tell=heard.append, validate=answers(0.5))
    steps = [event for event in heard if isinstance(event, StepDone)]
    epochs = [event for event in heard if isinstance(event, EpochDone)]
    assert [(step.done, step.total) for step in steps] == [(n, 8) for n in range(1, 9)]
    assert [step.lr for step in steps] == pytest.approx([0.05 * Cosine().factor(Moment(n, 8, 4)) for n in range(8)])
    assert [epoch.epoch for epoch in epochs] == [1, 2]
    mean = sum(step.losses["cross_entropy"] for step in steps[4:]) / 4
    assert epochs[1].losses == {"cross_entropy": pytest.approx(mean)}
    assert epochs[1].scores == {"accuracy": 0.5}
    assert trained.epochs == tuple(epochs)
    assert (trained.steps, trained.stopped) == (8, "done")


def answers(*scores: float):
    """A validation that gives these scores, one an epoch."""
    left = iter(scores * 100)

    def validate(net: nn.Module) -> Mapping[str, float]:
        assert not net.training
        return {"accuracy": next(left)}

    return validate


def test_it_stops_early_and_keeps_the_best_weights() -> None:
    seen: list[str] = []

    def validate(net: nn.Module) -> Mapping[str, float]:
        seen.append(sha256(net))
        return {"accuracy": [0.1, 0.5, 0.4, 0.5, 0.9][len(seen) - 1]}

    net = tiny_net()
    plan = replace(PLAN, n_steps=40, patience=2, ema_decay=0.9)
    trained = train(classifier(net), Toys(), plan, seed=0, validate=validate)
    assert (trained.stopped, trained.best_epoch, len(trained.epochs)) == ("early", 2, 4)
    assert sha256(net) == seen[1]


def test_patience_without_validation_is_refused() -> None:
    with pytest.raises(UserError, match="give validate, or leave patience out"):
        train(classifier(tiny_net()), Toys(), replace(PLAN, patience=3), seed=0)


def test_without_patience_the_last_weights_stay() -> None:
    last: list[str] = []

    def validate(net: nn.Module) -> Mapping[str, float]:
        last.append(sha256(net))
        return {"accuracy": 1 / len(last)}

    net = tiny_net()
    trained = train(classifier(net), Toys(), PLAN, seed=0, validate=validate)
    assert trained.best_epoch == 1
    assert sha256(net) == last[-1] != last[0]


def test_a_score_that_is_not_a_number_is_never_the_best() -> None:
    plan = replace(PLAN, n_steps=12, patience=9)
    trained = train(classifier(tiny_net()), Toys(), plan, seed=0, validate=answers(math.nan, 0.2, math.nan))
    assert trained.best_epoch == 2


def test_the_plateau_schedule_sees_the_scores() -> None:
    heard: list[Event] = []
    plan = Plan(n_epochs=4, optimiser=SGD(0.1), schedule=OnPlateau(patience=0, gamma=0.5))
    train(classifier(tiny_net()), Toys(), plan, seed=0, tell=heard.append, validate=answers(0.5, 0.4, 0.6, 0.6))
    assert [event.lr for event in heard if isinstance(event, EpochDone)] == pytest.approx([0.1, 0.1, 0.05, 0.05])


def test_it_ends_when_the_time_is_up_with_what_it_has() -> None:
    left = iter([9.0] * 4 + [0.0] * 99)
    trained = train(classifier(tiny_net()), Toys(), PLAN, seed=0, left_s=lambda: next(left))
    assert trained.stopped == "budget"
    assert 1 <= trained.steps < 6


def test_what_no_player_holds_and_what_is_frozen_does_not_move() -> None:
    net = tiny_net()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    learner = classifier(net)
    head = Learner(net, (replace(learner.players[0], weights=(Weights.of(net[5]),)),), frozen=(net[:4],))
    train(head, Toys(), PLAN, seed=0)
    moved = {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {"5.weight", "5.bias"}

    train(learner, Toys(), PLAN, seed=0)  # thawed again
    assert not torch.equal(net[0].weight, before["0.weight"])


def test_layers_may_have_their_own_rates_and_optimisers() -> None:
    net = tiny_net(is_normed=False)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    weights = (Weights.of(net[0], lr_factor=0.0), Weights.of(net[5], optimiser=Adam(1e-3)))
    learner = Learner(net, (replace(classifier(net).players[0], weights=weights),))
    train(learner, Toys(), Plan(n_steps=1, optimiser=SGD(0.1), schedule=Constant()), seed=0)
    assert torch.equal(net[0].weight, before["0.weight"])
    assert (net[5].weight - before["5.weight"]).abs().max().item() == pytest.approx(1e-3, rel=1e-3)  # Adam's first


def two_networks() -> nn.ModuleDict:
    torch.manual_seed(0)
    return nn.ModuleDict({"critic": nn.Linear(192, 1), "artist": nn.Linear(192, 192)})


def critic_loss(nets: nn.ModuleDict, image: Tensor) -> Tensor:
    real, fake = nets["critic"](image.flatten(1)), nets["critic"](nets["artist"](image.flatten(1).flip(0)).detach())
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def artist_loss(nets: nn.ModuleDict, image: Tensor) -> Tensor:
    return F.softplus(-nets["critic"](nets["artist"](image.flatten(1).flip(0)))).mean()


@pytest.mark.parametrize("every", [1, 2])
def test_a_gan_plays_as_in_a_loop_by_hand_to_the_bit(every: int) -> None:
    ours, theirs = two_networks(), two_networks()
    critic = Player("critic", (Weights.of(ours["critic"]),), lambda batch: {"loss": critic_loss(ours, batch["image"])})
    artist = Player(
        "artist",
        (Weights.of(ours["artist"], optimiser=Adam(1e-3)),),
        lambda batch: {"loss": artist_loss(ours, batch["image"])},
        every=every,
    )
    heard: list[Event] = []
    plan = Plan(n_steps=4, optimiser=SGD(0.01), schedule=Constant())
    train(Learner(ours, (critic, artist)), Toys(), plan, seed=0, tell=heard.append)

    of_critic = torch.optim.SGD(theirs["critic"].parameters(), lr=0.01)
    of_artist = torch.optim.Adam(theirs["artist"].parameters(), lr=1e-3, fused=True)
    for step in range(4):
        image = Toys().at(step)["image"]
        theirs.zero_grad()
        critic_loss(theirs, image).backward()
        of_critic.step()
        if (step + 1) % every == 0:
            theirs.zero_grad()
            artist_loss(theirs, image).backward()
            of_artist.step()

    assert sha256(ours) == sha256(theirs)
    steps = [event for event in heard if isinstance(event, StepDone)]
    assert set(steps[every - 1].losses) == {"critic.loss", "artist.loss"}


def test_a_step_in_which_nobody_moves_is_a_step() -> None:
    net = tiny_net()
    learner = Learner(net, (replace(classifier(net).players[0], every=3),))
    heard: list[Event] = []
    train(learner, Toys(), PLAN, seed=0, tell=heard.append)
    assert [len(event.losses) for event in heard if isinstance(event, StepDone)] == [0, 0, 1, 0, 0, 1]


def test_bf16_and_channels_last_learn_the_same_within_their_digits() -> None:
    exact, fast = tiny_net(is_normed=False), tiny_net(is_normed=False)
    train(classifier(exact), Toys(), PLAN, seed=0)
    train(classifier(fast), Toys(), replace(PLAN, precision=Precision(True, True)), seed=0)
    assert fast[0].weight.is_contiguous(memory_format=torch.channels_last)
    assert fast[0].weight.dtype == torch.float32
    assert 0 < (weights_of(exact) - weights_of(fast)).abs().max().item() < 0.02


def test_a_plan_needs_exactly_one_length() -> None:
    with pytest.raises(UserError, match="either n_epochs or n_steps"):
        Plan()
    with pytest.raises(UserError, match="either n_epochs or n_steps"):
        Plan(n_epochs=1, n_steps=1)
    with pytest.raises(UserError, match="above 0"):
        Plan(n_epochs=0)
