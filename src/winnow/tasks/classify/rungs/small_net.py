"""A small network from scratch by the fast recipe: whitened first layer, dirac start, steep steps, few epochs.

Source: Keller Jordan, 94% on CIFAR-10 in 3.29 Seconds on a Single GPU, arXiv 2404.00498: Nesterov SGD on a triangle,
norms' shifts at 64 times the rate, labels smoothed by 0.2, alternating flip, answers from both sides of a picture.
Left out: Lookahead and the progressive freezing of the first layer, which never learns here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from winnow.data.inputs import InputSpec
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.trained_rung import TrainedRung, too_few
from winnow.tasks.mirror import may_be_mirrored

if TYPE_CHECKING:
    from winnow.nets.net import Net
    from winnow.train.course import Course, Lesson
    from winnow.train.optimisers import Weights

LEAST_EACH = 50
LEAST_PX, MOST_PX = 9, 64
SIDE_PX = 32
LEAST_STEPS = 800
"""Fewer leave it unfinished: small sets are seen in more epochs."""
MOST_EPOCHS, LEAST_EPOCHS = 40, 10
_FLOPS = 6 * 118e6
"""Of one look at 32 px: forward, and twice that backward, over the network's 118 million multiplications."""
_WHITENED_BY = 2000
_PEAK, _RISE, _START, _END = 1.5, 0.23, 0.2, 0.07
"""Rate for a batch of 1,024, and the triangle's shape; per-example rates of the paper as rates of a mean loss."""
_DECAY = 0.002
"""What a weight loses at a step at the peak."""


def skip_reason(problem: ClassifyProblem) -> str | None:
    """Where networks for small pictures cannot pay."""
    if problem.median_px < LEAST_PX:
        return f"the pictures are too small (under {LEAST_PX} px)"
    if problem.median_px > MOST_PX:
        return f"the pictures are larger than {MOST_PX} px, and learning from scratch is for small ones"
    return too_few(problem, LEAST_EACH)


def input_spec(problem: ClassifyProblem) -> InputSpec:
    """Squares of at most 32 px as they are; all others at 32 px."""
    sizes = {(example.width, example.height) for example in problem.examples}
    width, height = next(iter(sizes))
    is_small = len(sizes) == 1 and width == height and LEAST_PX <= width <= SIDE_PX
    return InputSpec(width if is_small else SIDE_PX)


def batch_size(n: int) -> int:
    """Large ones where there is much to see."""
    return 512 if n >= 20_000 else 128


def epochs(n: int) -> int:
    """Ten, or as many as make enough steps."""
    steps = math.ceil(n / batch_size(n))
    return min(MOST_EPOCHS, max(LEAST_EPOCHS, math.ceil(LEAST_STEPS / steps)))


class SmallNet:
    """The way of `small-net`."""

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """Large pictures, tiny ones, few examples."""
        return skip_reason(problem)

    def network(self, problem: ClassifyProblem) -> str:
        """Its name."""
        return "fast small network"

    def input_spec(self, problem: ClassifyProblem) -> InputSpec:
        """Up to 32 px."""
        return input_spec(problem)

    def epochs(self, problem: ClassifyProblem, n: int) -> int:
        """Ten or more."""
        return epochs(n)

    def flops(self, problem: ClassifyProblem) -> float:
        """By the number of pixels."""
        return _FLOPS * (self.input_spec(problem).side_px / SIDE_PX) ** 2

    def course(self, problem: ClassifyProblem, n: int) -> Course:
        """The paper's, with smaller batches for smaller sets."""
        return course_for(problem, n)


def course_for(problem: ClassifyProblem, n: int) -> Course:
    """The fast recipe for n examples of a problem."""
    flips = may_be_mirrored(problem.classes, is_grey=problem.is_grey)
    return fast_course(len(problem.classes), input_spec(problem).side_px, n, batch_size(n), epochs(n), flips=flips)


def fast_course(n_classes: int, side_px: int, n: int, batch: int, n_epochs: int, *, flips: bool) -> Course:
    """The fast recipe for n examples, seen `n_epochs` times in batches."""
    from winnow.nets.fast_small import ENTRY, fast_small
    from winnow.train.augment.colour import Normalisation
    from winnow.train.augment.recipe import small_pictures
    from winnow.train.course import Course, cross_entropy
    from winnow.train.optimisers import Nesterov
    from winnow.train.plan import Plan
    from winnow.train.schedule import Linear, WarmUp

    n_steps = n_epochs * math.ceil(n / min(batch, n))
    lr = _PEAK * batch / 1024
    plan = Plan(
        n_epochs=n_epochs,
        optimiser=Nesterov(lr=lr, momentum=0.85, weight_decay=_DECAY * batch / 1024 / lr),
        schedule=WarmUp(round(_RISE * n_steps), Linear(end=_END), start=_START),
    )

    def net() -> Net:
        made = fast_small(n_classes=n_classes, side_px=side_px)
        made.freeze("whiten")
        return made

    return Course(
        net=net,
        plan=plan,
        batch_size=batch,
        normalisation=Normalisation(ENTRY.mean, ENTRY.std),
        network={"name": ENTRY.name, "side_px": side_px},
        augmentation=small_pictures(side_px, flip=flips),
        is_mirrored=flips,
        prepare=whiten_first,
        weights=_weights,
        loss=cross_entropy(smoothing=0.2),
    )


def whiten_first(net: Net, lesson: Lesson) -> None:
    """Set the first layer by some of the pictures."""
    from winnow.nets.fast_small import ENTRY, whiten
    from winnow.train.augment.colour import Normalisation
    from winnow.train.batches import one_pass

    some = lesson.pictures.subset(np.arange(min(_WHITENED_BY, len(lesson.pictures))))
    batch = next(iter(one_pass(some, _WHITENED_BY, normalisation=Normalisation(ENTRY.mean, ENTRY.std), workers=0)))
    whiten(net, batch["image"].to(lesson.device))


def _weights(net: Net) -> tuple[Weights, ...]:
    from winnow.nets.fast_small import shifts_of
    from winnow.train.optimisers import Weights

    shifts = shifts_of(net)
    ids = {id(shift) for shift in shifts}
    others = tuple(weight for _, group in net.groups() for weight in group if id(weight) not in ids)
    return Weights(others), Weights(tuple(shifts), lr_factor=64.0)


RUNG = TrainedRung("small-net", "small network from scratch", SmallNet())
