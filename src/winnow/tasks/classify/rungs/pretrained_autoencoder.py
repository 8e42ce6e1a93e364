"""Unsupervised pre-training: the small network's stages learn to rebuild damaged pictures, a classifier learns on them.

Source: Vincent et al., Extracting and Composing Robust Features with Denoising Autoencoders, ICML 2008; Masci et al.,
Stacked Convolutional Auto-Encoders, ICANN 2011. The part that judges is not looked at, without labels either.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from winnow.data.inputs import InputSpec
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.rungs import small_net
from winnow.tasks.classify.trained_rung import TrainedRung

if TYPE_CHECKING:
    from winnow.nets.net import Net
    from winnow.train.course import Course, Lesson

LEAST_STEPS, LEAST_EPOCHS, MOST_EPOCHS = 600, 5, 30
_HEAD_EPOCHS = 10
_REBUILDING = 2.2
"""A look in pre-training costs so many looks of the network alone: the decoder is dearer than what it decodes."""


def pretraining_epochs(n: int) -> int:
    """As many as make enough steps."""
    return min(MOST_EPOCHS, max(LEAST_EPOCHS, -(-LEAST_STEPS * small_net.batch_size(n) // n)))


class PretrainedAutoencoder:
    """The way of both rungs that pre-train.

    Args:
        tunes: whether the pre-trained stages learn on with the classifier; else they stay as they are.
    """

    def __init__(self, *, tunes: bool) -> None:
        self._tunes = tunes

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """As for the small network."""
        return small_net.skip_reason(problem)

    def network(self, problem: ClassifyProblem) -> str:
        """What it is, and whether it was tuned."""
        return "pre-trained small network, fine-tuned" if self._tunes else "pre-trained small network"

    def input_spec(self, problem: ClassifyProblem) -> InputSpec:
        """Up to 32 px."""
        return small_net.input_spec(problem)

    def epochs(self, problem: ClassifyProblem, n: int) -> int:
        """Pre-training in looks of the network alone, and learning."""
        return round(_REBUILDING * pretraining_epochs(n)) + (small_net.epochs(n) if self._tunes else _HEAD_EPOCHS)

    def flops(self, problem: ClassifyProblem) -> float:
        """As for the small network."""
        return small_net.SmallNet().flops(problem)

    def course(self, problem: ClassifyProblem, n: int) -> Course:
        """The fast recipe behind pre-training, over all stages or over the head alone."""
        course = small_net.course_for(problem, n)
        if self._tunes:
            return replace(course, prepare=lambda net, lesson: _pretrained(course, net, lesson))
        return _head_only(course)


def _pretrained(course: Course, net: Net, lesson: Lesson) -> None:
    from winnow.train.pretraining import pretrain

    small_net.whiten_first(net, lesson)
    pretrain(course, net, lesson, n_epochs=pretraining_epochs(len(lesson.pictures)))


def _head_only(course: Course) -> Course:
    """The same behind pre-training for the head alone, whose stages below stay as they are."""
    from winnow.train.course import all_that_learn, cross_entropy
    from winnow.train.optimisers import AdamW
    from winnow.train.plan import Plan
    from winnow.train.schedule import OneCycle

    def prepare(net: Net, lesson: Lesson) -> None:
        _pretrained(course, net, lesson)
        net.freeze(net.stage_names[-1])

    plan = Plan(n_epochs=_HEAD_EPOCHS, optimiser=AdamW(lr=2e-2, weight_decay=1e-3), schedule=OneCycle())
    return replace(course, plan=plan, prepare=prepare, weights=all_that_learn, loss=cross_entropy())


RUNG = TrainedRung(
    "pretrained-autoencoder", "autoencoder features + linear classifier", PretrainedAutoencoder(tunes=False)
)
