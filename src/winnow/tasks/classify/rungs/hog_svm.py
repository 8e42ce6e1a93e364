"""HOG + RBF SVM. What detectors stood on before deep learning: histograms of oriented gradients and an SVM."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.support_vectors import SupportVectorMachine
from winnow.tasks.looks import HOG

RUNG = HeadRung("hog-svm", "HOG + RBF SVM", HOG, SupportVectorMachine("rbf", each=False))
