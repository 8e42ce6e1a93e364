"""Fine-tune all layers of the backbone: its head first, then everything, lower layers more slowly.

The head starts as logistic regression on the backbone's features, so that the first steps do not spoil what the
network knows (Kumar et al., Fine-Tuning can Distort Pretrained Features, ICLR 2022); rates fall with depth (Howard and
Ruder, ULMFiT, ACL 2018); batch norms keep their statistics; the first epochs see smaller pictures (Howard 2018).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from winnow.data.inputs import InputSpec
from winnow.tasks.classify.head_start import logistic_head
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.trained_rung import TrainedRung, too_few
from winnow.tasks.mirror import may_be_mirrored

if TYPE_CHECKING:
    from winnow.graph.backbone import Backbone
    from winnow.nets.net import Net
    from winnow.train.augment.colour import Normalisation
    from winnow.train.course import Course, Lesson
    from winnow.train.optimisers import Weights

LEAST_EACH = 10
NO_WEIGHTS = "the backbone at hand has no weights beside its graph that could learn on"
_BATCH = 32
LEAST_STEPS, LEAST_EPOCHS, MOST_EPOCHS = 250, 4, 10
_LR = 3e-4
_FALL = 0.7
"""A stage learns at this times the rate of the one above it."""
_STEP_TO_LOOK = 8
"""Learning from a picture takes about so many times as long as looking at it: forward, twice that backward, and torch's
convolutions are slower than those of an inference engine."""


def skip_reason(problem: ClassifyProblem, least_each: int) -> str | None:
    """Where a backbone cannot learn on."""
    if problem.backbone is None:
        return "no backbone is at hand; give one with --backbone FOLDER"
    if problem.backbone.network is None:
        return NO_WEIGHTS
    return too_few(problem, least_each)


class FineTune:
    """The way of `fine-tune`."""

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """No backbone with weights, few examples."""
        return skip_reason(problem, LEAST_EACH)

    def network(self, problem: ClassifyProblem) -> str:
        """The backbone's name says it all."""
        assert problem.backbone is not None
        return f"fine-tuned {problem.backbone.name}"

    def input_spec(self, problem: ClassifyProblem) -> InputSpec:
        """What the backbone sees."""
        assert problem.backbone is not None
        return problem.backbone.input_spec

    def epochs(self, problem: ClassifyProblem, n: int) -> int:
        """Few: it knows much already."""
        return _epochs(n)

    def flops(self, problem: ClassifyProblem) -> float:
        """By the time that the backbone takes to look at a picture here."""
        return flops_of_a_look(problem) * _STEP_TO_LOOK

    def course(self, problem: ClassifyProblem, n: int) -> Course:
        """With a head that starts at logistic regression."""
        backbone = problem.backbone
        assert backbone is not None
        flips = may_be_mirrored(problem.classes, is_grey=problem.is_grey)
        course = fine_tune_course(backbone, len(problem.classes), n, flips=flips)
        return replace(course, prepare=lambda net, lesson: start_head(problem, net, lesson))


def fine_tune_course(backbone: Backbone, n_classes: int, n: int, *, flips: bool) -> Course:
    """AdamW on one cycle, slower below; crops, flips and slight colours; imports torch.

    Args:
        backbone: with weights; its head starts even.
        n_classes: of the new head.
        n: examples that it learns from.
        flips: whether a picture and its mirror image show the same.
    """
    from winnow.nets.backbone_weights import open_network
    from winnow.train.augment.recipe import Augmentation
    from winnow.train.batches import rising_sides
    from winnow.train.course import Course
    from winnow.train.optimisers import AdamW
    from winnow.train.plan import Plan
    from winnow.train.schedule import OneCycle

    side_px, n_epochs = backbone.input_spec.side_px, _epochs(n)
    first_px = max(32, side_px * 3 // 4 // 32 * 32)
    return Course(
        net=lambda: open_network(backbone, n_classes),
        plan=Plan(
            n_epochs=n_epochs,
            optimiser=AdamW(lr=_LR, weight_decay=0.02),
            schedule=OneCycle(rise=0.2),
            clip_norm=1.0,
            ema_decay=0.99,
        ),
        batch_size=_BATCH,
        normalisation=normalisation_of(backbone),
        network=network_of(backbone),
        augmentation=Augmentation(flip="random" if flips else "none", crop_area=(0.5, 1.0), brightness=0.2),
        sides_px=rising_sides(first_px, side_px, n_epochs) if side_px > first_px else (),
        keeps_norms=True,
        weights=_weights,
    )


def _epochs(n: int) -> int:
    return min(MOST_EPOCHS, max(LEAST_EPOCHS, -(-LEAST_STEPS * _BATCH // n)))


def flops_of_a_look(problem: ClassifyProblem) -> float:
    """Operations of looking at a picture once, by the reference core's pace in the time that was measured here."""
    features = problem.backbone_features
    assert features is not None
    return 3e10 / problem.format_of(features).pictures_per_s["fp32"]


def normalisation_of(backbone: Backbone) -> Normalisation:
    """What the backbone's network takes."""
    from winnow.train.augment.colour import Normalisation

    network = backbone.network
    assert network is not None
    return Normalisation(tuple(network["mean"]), tuple(network["std"]))


def network_of(backbone: Backbone) -> dict[str, Any]:
    """Which network the backbone is, to build it again."""
    assert backbone.network is not None
    known = {key: backbone.network[key] for key in ("name", "shape", "create", "fixup") if key in backbone.network}
    return {**known, "side_px": backbone.input_spec.side_px}


def start_head(problem: ClassifyProblem, net: Net, lesson: Lesson) -> None:
    """Let the head begin where logistic regression on the backbone's features ends."""
    from winnow.train.course import set_linear_head

    features = problem.backbone_features
    assert features is not None
    rows = problem.store.rows(features, lesson.pictures.keys, problem.format_of(features), lesson.tell)
    pictures = lesson.pictures
    set_linear_head(net, *logistic_head(rows, pictures.targets, len(problem.classes), pictures.weights))


def _weights(net: Net) -> tuple[Weights, ...]:
    from winnow.train.optimisers import Weights

    groups = net.groups()
    factors = [_FALL ** (len(groups) - 1 - place) for place in range(len(groups))]
    return tuple(Weights(tuple(group), lr_factor=factor) for (_, group), factor in zip(groups, factors, strict=True))


RUNG = TrainedRung("fine-tune", "fine-tuned backbone", FineTune())
