"""Features + nearest neighbour. The training pictures that the backbone finds most similar vote."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.nearest_neighbour import NearestNeighbour
from winnow.tasks.looks import BACKBONE

RUNG = HeadRung("features-nearest-neighbour", "features + nearest neighbour", BACKBONE, NearestNeighbour())
