"""Features + random forest. Frozen features and a forest."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.random_forest import RandomForest
from winnow.tasks.looks import BACKBONE

RUNG = HeadRung("features-random-forest", "features + random forest", BACKBONE, RandomForest())
