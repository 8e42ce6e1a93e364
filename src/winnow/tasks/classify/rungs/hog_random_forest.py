"""HOG + random forest. Trees of questions about edges (histograms of oriented gradients)."""

from winnow.tasks.classify.head_rung import HOG, HeadRung
from winnow.tasks.classify.heads.random_forest import RandomForest

RUNG = HeadRung("hog-random-forest", "HOG + random forest", HOG, RandomForest())
