"""A perceptron fails at exclusive or, one hidden layer does not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from winnow.events import Event, StepDone
from winnow.nets.mlp import dense_net
from winnow.nets.net import Net
from winnow.report.study_schema import Chart, Series
from winnow.studies.comparing import compare, mean_line
from winnow.studies.learning import Examples, Whole, accuracy, cross_entropy_of
from winnow.studies.study import Findings, Setup, Study
from winnow.train.learner import Learner, Player
from winnow.train.loop import train
from winnow.train.optimisers import Adam, Weights
from winnow.train.plan import Plan
from winnow.train.schedule import Constant

POINTS = Examples(torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), torch.tensor([0, 1, 1, 0]))
_HIDDEN = 8
_STEPS = 300
_SHOWN_EVERY = 10
_RATE = 0.05


@dataclass(frozen=True)
class _Taught:
    n_right: int
    losses: tuple[float, ...]


def teach(net: Net, n_steps: int, seed: int) -> _Taught:
    """Train a network on the four points: how many of them it gets right, and its loss at every step."""
    losses: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, StepDone):
            losses.append(event.losses["cross_entropy"])

    plan = Plan(n_steps=n_steps, optimiser=Adam(lr=_RATE), schedule=Constant())
    learner = Learner(net, (Player("net", (Weights.of(net),), cross_entropy_of(net)),))
    train(learner, Whole(image=POINTS.image, label=POINTS.label), plan, seed=seed, tell=hear)
    return _Taught(round(4 * accuracy(net, POINTS)), tuple(losses))


def _run(setup: Setup) -> Findings:
    n_steps, count = setup.share_of(_STEPS), setup.counter("training on four points", 2 * len(setup.seeds))
    alone: list[_Taught] = []
    hidden: list[_Taught] = []
    for seed in setup.seeds:
        for taught, widths in ((alone, ()), (hidden, (_HIDDEN,))):
            torch.manual_seed(seed)
            taught.append(teach(dense_net(2, 2, widths, "tanh"), n_steps, seed))
            count()
    comparisons = (
        compare("points of four that the perceptron gets wrong", [4 - one.n_right for one in alone]),
        compare("points of four right with a hidden layer", [one.n_right for one in hidden], at_least=3),
    )
    return Findings(comparisons, (_chart(alone, hidden, n_steps),), {"hidden units": _HIDDEN, "steps": n_steps})


def _chart(alone: list[_Taught], hidden: list[_Taught], n_steps: int) -> Chart:
    steps = range(0, n_steps, _SHOWN_EVERY)
    lines = [
        mean_line(name, [step + 1 for step in steps], [[one.losses[step] for step in steps] for one in taught])
        for name, taught in (("perceptron", alone), (f"{_HIDDEN} hidden units", hidden))
    ]
    ends = (1.0, float(n_steps))
    floor = Series(name="best that any perceptron can do: ln 2", xs=ends, ys=(math.log(2),) * 2, is_theory=True)
    return Chart(title="Loss on the four points", x_title="step", y_title="cross-entropy", series=(*lines, floor))


STUDY = Study(
    name="xor",
    title="A perceptron and exclusive or",
    claim="A single layer cannot compute exclusive or; one hidden layer can.",
    source="Minsky and Papert, Perceptrons, 1969; Rumelhart, Hinton, Williams, Nature 323, 1986",
    run=_run,
    needs_pictures=False,
    n_seeds=10,
)
