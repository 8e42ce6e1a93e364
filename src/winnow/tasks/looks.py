"""What a rung may look at: kinds of features, and why a problem may not have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from winnow.graph.features import FeatureGraph
from winnow.tasks.pictures import PictureProblem


@dataclass(frozen=True)
class Look:
    """A kind of features, and why a problem may not have them."""

    features: Callable[[PictureProblem], FeatureGraph | None]
    missing: str

    def skip_reason(self, problem: PictureProblem) -> str | None:
        """Why a rung that needs these features cannot pay here; None if they are at hand."""
        return self.missing if self.features(problem) is None else None


PIXELS = Look(lambda problem: problem.pixels, "")
HANDMADE = Look(lambda problem: problem.handmade, "")
HOG = Look(lambda problem: problem.hog, "the pictures are too small to have edges (under 16 px)")
BACKBONE = Look(
    lambda problem: problem.backbone_features,
    "no backbone is at hand; give one with --backbone FOLDER (`winnow backbones add` makes one)",
)
