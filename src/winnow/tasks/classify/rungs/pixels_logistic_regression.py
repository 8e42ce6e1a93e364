"""Pixels + logistic regression. One weight a pixel and class."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.logistic_regression import LogisticRegression
from winnow.tasks.looks import PIXELS

RUNG = HeadRung("pixels-logistic-regression", "pixels + logistic regression", PIXELS, LogisticRegression(each=False))
