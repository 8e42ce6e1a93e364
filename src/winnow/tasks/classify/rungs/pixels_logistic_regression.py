"""Pixels + logistic regression. One weight a pixel and class."""

from winnow.tasks.classify.head_rung import PIXELS, HeadRung
from winnow.tasks.heads.logistic_regression import LogisticRegression

RUNG = HeadRung("pixels-logistic-regression", "pixels + logistic regression", PIXELS, LogisticRegression(each=False))
