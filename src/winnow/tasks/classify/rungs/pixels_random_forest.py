"""Pixels + random forest. Questions about single pixels and, where pictures have edges, about HOG beside them."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.random_forest import RandomForest
from winnow.tasks.looks import HANDMADE

RUNG = HeadRung("pixels-random-forest", "pixels (and HOG) + random forest", HANDMADE, RandomForest())
