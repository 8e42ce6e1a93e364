"""LeNet-5 for small grey pictures, above all digits; the network and its criterion as the paper has them.

Source: LeCun, Bottou, Bengio, Haffner, Gradient-Based Learning Applied to Document Recognition, Proc. IEEE 86(11),
1998. The optimiser is of today: Adam on one cycle instead of the stochastic diagonal Levenberg-Marquardt method, whose
rates were set by hand; small shifts stand in for the paper's distortions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from winnow.data.inputs import InputSpec
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.trained_rung import TrainedRung, too_few

if TYPE_CHECKING:
    from winnow.train.course import Course

LEAST_EACH = 50
LEAST_PX, MOST_PX = 16, 40
_SIDE_PX = 32
_BATCH = 64
LEAST_STEPS, LEAST_EPOCHS, MOST_EPOCHS = 1500, 30, 60
_FLOPS = 6 * 0.42e6 * 4
"""Its multiplications are few; squashing and summing maps take some four times as long on a processor."""


class LeNet5:
    """The way of `lenet-5`."""

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """Colours, large pictures, tiny ones, few examples."""
        if not problem.is_grey:
            return "the pictures have colours, and it sees none"
        if problem.median_px < LEAST_PX:
            return f"the pictures are too small (under {LEAST_PX} px)"
        if problem.median_px > MOST_PX:
            return f"the pictures are larger than {MOST_PX} px"
        return too_few(problem, LEAST_EACH)

    def network(self, problem: ClassifyProblem) -> str:
        """Its name."""
        return "LeNet-5"

    def input_spec(self, problem: ClassifyProblem) -> InputSpec:
        """28 px, to which it puts 2 of black on every side; pictures of 32 px as they are."""
        sizes = {(example.width, example.height) for example in problem.examples}
        return InputSpec(32 if sizes == {(_SIDE_PX, _SIDE_PX)} else 28)

    def epochs(self, problem: ClassifyProblem, n: int) -> int:
        """Thirty, or as many as make enough steps; the paper has twenty, with rates set by hand."""
        return min(MOST_EPOCHS, max(LEAST_EPOCHS, -(-LEAST_STEPS * _BATCH // n)))

    def flops(self, problem: ClassifyProblem) -> float:
        """The same for all."""
        return _FLOPS

    def course(self, problem: ClassifyProblem, n: int) -> Course:
        """The paper's network and criterion, today's steps."""
        return lenet_course(len(problem.classes), self.input_spec(problem).side_px, self.epochs(problem, n))


def lenet_course(n_classes: int, side_px: int, n_epochs: int) -> Course:
    """The paper's network and criterion, today's steps, for pictures of 28 or 32 px."""
    from winnow.nets.lenet5 import ENTRY, lenet5, map_losses
    from winnow.train.augment.colour import Normalisation
    from winnow.train.augment.recipe import small_pictures
    from winnow.train.course import Course
    from winnow.train.optimisers import Adam
    from winnow.train.plan import Plan
    from winnow.train.schedule import OneCycle

    return Course(
        net=lambda: lenet5(n_classes=n_classes),
        plan=Plan(n_epochs=n_epochs, optimiser=Adam(lr=3e-3), schedule=OneCycle(rise=0.2), ema_decay=0.99),
        batch_size=_BATCH,
        normalisation=Normalisation(ENTRY.mean, ENTRY.std),
        network={"name": ENTRY.name, "side_px": _SIDE_PX},
        augmentation=small_pictures(side_px, flip=False),
        pad_px=(_SIDE_PX - side_px) // 2,
        loss=map_losses,
    )


RUNG = TrainedRung("lenet-5", "LeNet-5", LeNet5())
