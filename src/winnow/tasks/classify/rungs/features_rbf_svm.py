"""Features + RBF SVM. Frozen features and a kernel machine: curved borders between classes."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.support_vectors import SupportVectorMachine
from winnow.tasks.looks import BACKBONE

RUNG = HeadRung("features-rbf-svm", "features + RBF SVM", BACKBONE, SupportVectorMachine("rbf"))
