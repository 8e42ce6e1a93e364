"""The classic networks from scratch, on request only: `--rungs resnet-18`.

From scratch they need more examples and hours than anything else here: they are for comparison, and for those who have
both. The recipe is the textbook's: Nesterov SGD, warm-up and cosine, smoothed labels, crops and flips (He et al., Bag
of Tricks for Image Classification, CVPR 2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from winnow.data.inputs import InputSpec
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.trained_rung import TrainedRung
from winnow.tasks.mirror import may_be_mirrored

if TYPE_CHECKING:
    from winnow.train.augment.recipe import Augmentation
    from winnow.train.course import Course

LEAST_STEPS, LEAST_EPOCHS, MOST_EPOCHS = 3000, 20, 60
_BATCH = 64
_LR = 0.05
_SMALL_PX, _LARGE_PX = 64, 224


@dataclass(frozen=True, slots=True)
class Classic:
    """What must be known of a network without importing it; tested against the registry."""

    name: str
    title: str
    macs: float
    """Multiplications of one picture of `side_px`, forward."""
    side_px: int = _LARGE_PX
    """Its paper's; those above 64 px take smaller pictures, too, where yours are small."""
    smallest_px: int = 32


CLASSICS = (
    Classic("perceptron", "Perceptron", 7.8e3, 28),
    Classic("mlp", "Multilayer perceptron, 84 hidden units", 6.7e4, 28),
    Classic("small-convnet", "Small convolutional network", 4.4e5, 28),
    Classic("alexnet", "AlexNet, one tower", 0.71e9, smallest_px=63),
    Classic("vgg-a", "VGG A, 11 layers", 7.6e9),
    Classic("vgg-b", "VGG B, 13 layers", 11.3e9),
    Classic("vgg-c", "VGG C, 16 layers", 11.9e9),
    Classic("vgg-d", "VGG D, 16 layers", 15.5e9),
    Classic("vgg-e", "VGG E, 19 layers", 19.6e9),
    Classic("googlenet", "GoogLeNet (Inception v1)", 1.5e9),
    Classic("resnet-18", "ResNet-18", 1.8e9),
    Classic("resnet-34", "ResNet-34", 3.7e9),
    Classic("resnet-50", "ResNet-50", 4.1e9),
    Classic("resnet-101", "ResNet-101", 7.8e9),
    Classic("resnet-152", "ResNet-152", 11.5e9),
    Classic("densenet-121", "DenseNet-121", 2.9e9),
    Classic("nasnet-a-large", "NASNet-A (6 @ 4032)", 23.8e9, 331),
)
_OF_TIMM = "timm:"
_UNKNOWN_MACS = 4e9


class FromScratch:
    """The way of one classic network."""

    def __init__(self, classic: Classic) -> None:
        self._classic = classic

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """Never: whoever names it wants it."""
        return None

    def network(self, problem: ClassifyProblem) -> str:
        """Its title."""
        return self._classic.title

    def input_spec(self, problem: ClassifyProblem) -> InputSpec:
        """The paper's side, or that of the pictures where they are smaller."""
        if self._classic.side_px <= _SMALL_PX:
            return InputSpec(self._classic.side_px)
        own_px = 32 * round(problem.median_px / 32)
        return InputSpec(min(max(own_px, _SMALL_PX, self._classic.smallest_px), self._classic.side_px))

    def epochs(self, problem: ClassifyProblem, n: int) -> int:
        """As many as make enough steps."""
        return min(MOST_EPOCHS, max(LEAST_EPOCHS, -(-LEAST_STEPS * _BATCH // n)))

    def flops(self, problem: ClassifyProblem) -> float:
        """By the number of pixels."""
        return 6 * self._classic.macs * (self.input_spec(problem).side_px / self._classic.side_px) ** 2

    def course(self, problem: ClassifyProblem, n: int) -> Course:
        """The textbook's."""
        from winnow.nets.registry import build, find_net
        from winnow.train.augment.colour import Normalisation
        from winnow.train.course import Course, cross_entropy
        from winnow.train.optimisers import Nesterov
        from winnow.train.plan import Plan
        from winnow.train.schedule import Cosine, WarmUp

        entry = find_net(self._classic.name)
        side_px, n_epochs = self.input_spec(problem).side_px, self.epochs(problem, n)
        n_channels = len(entry.mean)
        steps = n_epochs * -(-n // min(_BATCH, n))
        return Course(
            net=lambda: build(self._classic.name, len(problem.classes), n_channels=n_channels, side_px=side_px),
            plan=Plan(
                n_epochs=n_epochs,
                optimiser=Nesterov(lr=_LR, weight_decay=5e-4),
                schedule=WarmUp(steps // 20, Cosine()),
                clip_norm=5.0,
            ),
            batch_size=_BATCH,
            normalisation=Normalisation(entry.mean, entry.std),
            network={"name": self._classic.name, "side_px": side_px},
            augmentation=_augmentation(problem, side_px),
            loss=cross_entropy(smoothing=0.1),
        )


def _augmentation(problem: ClassifyProblem, side_px: int) -> Augmentation:
    from winnow.train.augment.recipe import photographs, small_pictures

    flips = may_be_mirrored(problem.classes, is_grey=problem.is_grey)
    return small_pictures(side_px, flip=flips) if side_px <= _SMALL_PX else photographs(flip=flips)


def classic_rung(name: str) -> TrainedRung | None:
    """The rung of a classic network, or of any that timm knows as `timm:NAME`; None where the name is neither."""
    for classic in CLASSICS:
        if classic.name == name:
            return TrainedRung(name, f"{classic.title} from scratch", FromScratch(classic))
    if name.startswith(_OF_TIMM) and len(name) > len(_OF_TIMM):
        title = name.removeprefix(_OF_TIMM)
        return TrainedRung(name, f"{title} from scratch", FromScratch(Classic(name, title, _UNKNOWN_MACS)))
    return None
