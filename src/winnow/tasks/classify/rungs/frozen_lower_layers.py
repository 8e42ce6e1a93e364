"""Keep the backbone's lower layers as they are, and let the upper third and a new head learn.

What lies below the cut sees every picture once, and what it gives is kept; learning then costs the upper layers alone.
Source: Yosinski, Clune, Bengio, Lipson, How transferable are features in deep neural networks?, NIPS 2014: lower
layers are general, upper ones belong to a task. Pictures are learned from unchanged: what is kept cannot be augmented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from winnow.data.inputs import InputSpec
from winnow.graph.features import FeatureGraph
from winnow.graph.formats import FormatChoice
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.rungs import fine_tune
from winnow.tasks.classify.trained_rung import TrainedRung
from winnow.tasks.rung import CannotPayError

if TYPE_CHECKING:
    from winnow.graph.backbone import Backbone
    from winnow.nets.net import Net
    from winnow.train.course import Course, Lesson

LEAST_EACH = 10
LEAST_STEPS, LEAST_EPOCHS, MOST_EPOCHS = 600, 6, 20
_BATCH = 32
_LR = 3e-4
_SHARE_BELOW = 2 / 3
_COST_ABOVE = 0.35
"""Of learning in all layers."""
_MOST_KEPT = 2 * 1024**3
_EXACT = FormatChoice("fp32", {}, {}, "what is learned from is exact")


class FrozenLowerLayers:
    """The way of `frozen-lower-layers`."""

    def __init__(self) -> None:
        self._lower: dict[str, FeatureGraph] = {}

    def skip_reason(self, problem: ClassifyProblem) -> str | None:
        """No backbone with weights, few examples."""
        return fine_tune.skip_reason(problem, LEAST_EACH)

    def network(self, problem: ClassifyProblem) -> str:
        """The backbone's name says which."""
        assert problem.backbone is not None
        return f"{problem.backbone.name} with new upper layers"

    def input_spec(self, problem: ClassifyProblem) -> InputSpec:
        """What the backbone sees."""
        assert problem.backbone is not None
        return problem.backbone.input_spec

    def epochs(self, problem: ClassifyProblem, n: int) -> int:
        """More than with all layers, since each is cheaper."""
        return min(MOST_EPOCHS, max(LEAST_EPOCHS, -(-LEAST_STEPS * _BATCH // n)))

    def flops(self, problem: ClassifyProblem) -> float:
        """A share of what fine-tuning costs."""
        return fine_tune.FineTune().flops(problem) * _COST_ABOVE

    def course(self, problem: ClassifyProblem, n: int) -> Course:
        """AdamW on one cycle over what the lower layers give."""
        from winnow.nets.backbone_weights import open_network
        from winnow.train.course import Course
        from winnow.train.optimisers import AdamW
        from winnow.train.plan import Plan
        from winnow.train.schedule import OneCycle

        backbone = problem.backbone
        assert backbone is not None
        at = cut_at(open_network(backbone, len(problem.classes)).stage_names)

        def net() -> Net:
            cut = open_network(backbone, len(problem.classes))
            cut.freeze(at)
            return cut

        return Course(
            net=net,
            plan=Plan(
                n_epochs=self.epochs(problem, n),
                optimiser=AdamW(lr=_LR, weight_decay=0.02),
                schedule=OneCycle(rise=0.2),
                clip_norm=1.0,
                ema_decay=0.99,
            ),
            batch_size=_BATCH,
            normalisation=fine_tune.normalisation_of(backbone),
            network=fine_tune.network_of(backbone),
            keeps_norms=True,
            prepare=lambda net, lesson: fine_tune.start_head(problem, net, lesson),
            enters_behind=at,
            feed=lambda course, net, lesson: self._feed(problem, backbone, course, net, lesson),
        )

    def _feed(self, problem: ClassifyProblem, backbone: Backbone, course: Course, net: Net, lesson: Lesson):
        from winnow.train.course import map_shape
        from winnow.train.maps import MapBatches

        side_px = backbone.input_spec.side_px
        assert course.enters_behind is not None
        shape = map_shape(net, course.enters_behind, side_px)
        if 4 * int(np.prod(shape)) * len(problem.labels) > _MOST_KEPT:
            raise CannotPayError(f"what the lower layers give of {len(problem.labels)} pictures takes over 2 GB")
        if backbone.digest not in self._lower:
            self._lower[backbone.digest] = self._lower_graph(backbone, course, net, int(np.prod(shape)))
        rows = problem.store.rows(self._lower[backbone.digest], lesson.pictures.keys, _EXACT, lesson.tell)
        maps: npt.NDArray[np.float32] = rows.reshape(-1, *shape)
        batch = min(course.batch_size, len(maps))
        return MapBatches(maps, lesson.pictures, batch, seed=lesson.seed, device=lesson.device)

    def _lower_graph(self, backbone: Backbone, course: Course, net: Net, dim: int) -> FeatureGraph:
        from winnow.train.course import lower_graph

        assert course.enters_behind is not None
        graph = lower_graph(course, net, course.enters_behind, backbone.input_spec.side_px)
        name = f"{backbone.name} up to {course.enters_behind}"
        return FeatureGraph(name, graph, backbone.input_spec, dim, is_backbone=True)


def cut_at(stages: tuple[str, ...]) -> str:
    """The stage behind which the network is cut: two thirds of the way up, and never the last."""
    return stages[min(round(_SHARE_BELOW * len(stages)), len(stages) - 1) - 1]


RUNG = TrainedRung("frozen-lower-layers", "backbone with frozen lower layers", FrozenLowerLayers())
