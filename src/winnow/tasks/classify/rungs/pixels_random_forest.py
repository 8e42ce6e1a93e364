"""Pixels + random forest. Trees of questions about single pixels."""

from winnow.tasks.classify.head_rung import PIXELS, HeadRung
from winnow.tasks.classify.heads.random_forest import RandomForest

RUNG = HeadRung("pixels-random-forest", "pixels + random forest", PIXELS, RandomForest())
