"""Pixels + RBF SVM. The strongest classical method on small, well-framed pictures."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.support_vectors import SupportVectorMachine
from winnow.tasks.looks import PIXELS

RUNG = HeadRung("pixels-svm", "pixels + RBF SVM", PIXELS, SupportVectorMachine("rbf", each=False))
