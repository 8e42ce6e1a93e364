"""Pixels + nearest neighbour. The most similar training pictures, pixel by pixel, vote."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.nearest_neighbour import NearestNeighbour
from winnow.tasks.looks import PIXELS

RUNG = HeadRung("pixels-nearest-neighbour", "pixels + nearest neighbour", PIXELS, NearestNeighbour())
