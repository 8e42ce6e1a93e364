"""Features + logistic regression. The standard of transfer learning: frozen features and a linear classifier."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.logistic_regression import LogisticRegression
from winnow.tasks.looks import BACKBONE

RUNG = HeadRung("features-logistic-regression", "features + logistic regression", BACKBONE, LogisticRegression())
