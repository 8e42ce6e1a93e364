"""Features + nearest neighbour. The training pictures that the backbone finds most similar vote."""

from winnow.tasks.classify.head_rung import BACKBONE, HeadRung
from winnow.tasks.heads.nearest_neighbour import NearestNeighbour

RUNG = HeadRung("features-nearest-neighbour", "features + nearest neighbour", BACKBONE, NearestNeighbour())
