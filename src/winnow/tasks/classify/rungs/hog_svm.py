"""HOG + RBF SVM. What detectors stood on before deep learning: histograms of oriented gradients and an SVM."""

from winnow.tasks.classify.head_rung import HOG, HeadRung
from winnow.tasks.heads.support_vectors import SupportVectorMachine

RUNG = HeadRung("hog-svm", "HOG + RBF SVM", HOG, SupportVectorMachine("rbf", each=False))
