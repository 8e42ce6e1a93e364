"""Features + linear SVM. Frozen features and the widest margin."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.support_vectors import SupportVectorMachine
from winnow.tasks.looks import BACKBONE

RUNG = HeadRung("features-linear-svm", "features + linear SVM", BACKBONE, SupportVectorMachine("linear"))
