"""Features + nearest class mean. Transfer learning that works from one example a class."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.nearest_mean import NearestMean
from winnow.tasks.looks import BACKBONE

RUNG = HeadRung("features-nearest-mean", "features + nearest class mean", BACKBONE, NearestMean())
