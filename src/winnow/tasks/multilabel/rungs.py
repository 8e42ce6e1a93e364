"""The ladder of multi-label classification, cheapest first. To add a rung, add its line.

The rungs are those of classification, one against the rest: the same features and the same methods under the same
names. Other packages add rungs through the entry-point group `winnow.rungs.multilabel`; each names a rung object, and
they are tried after ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from winnow.installed import with_installed
from winnow.tasks.heads.lda import ShrunkLda
from winnow.tasks.heads.logistic_regression import LogisticRegression
from winnow.tasks.heads.nearest_mean import NearestMean
from winnow.tasks.heads.nearest_neighbour import NearestNeighbour
from winnow.tasks.heads.prior import Prior
from winnow.tasks.heads.random_forest import RandomForest
from winnow.tasks.heads.support_vectors import SupportVectorMachine
from winnow.tasks.looks import BACKBONE, HANDMADE, HOG, PIXELS
from winnow.tasks.multilabel.head_rung import EachHeadRung
from winnow.tasks.multilabel.problem import BASELINE, MultilabelProblem
from winnow.tasks.named_rungs import of_names
from winnow.tasks.rung import Rung

ENTRY_POINTS = "winnow.rungs.multilabel"

_OURS: tuple[Rung[MultilabelProblem], ...] = (
    EachHeadRung(BASELINE.rung, "always how common each class is", PIXELS, Prior()),
    EachHeadRung("pixels-logistic-regression", "pixels + logistic regression", PIXELS, LogisticRegression(each=False)),
    EachHeadRung("pixels-nearest-neighbour", "pixels + nearest neighbour", PIXELS, NearestNeighbour()),
    EachHeadRung("pixels-svm", "pixels + RBF SVM", PIXELS, SupportVectorMachine("rbf", each=False)),
    EachHeadRung("hog-svm", "HOG + RBF SVM", HOG, SupportVectorMachine("rbf", each=False)),
    EachHeadRung("pixels-random-forest", "pixels (and HOG) + random forest", HANDMADE, RandomForest()),
    EachHeadRung("features-nearest-mean", "features + nearest class mean", BACKBONE, NearestMean()),
    EachHeadRung("features-lda", "features + shrunk LDA", BACKBONE, ShrunkLda()),
    EachHeadRung("features-logistic-regression", "features + logistic regression", BACKBONE, LogisticRegression()),
    EachHeadRung("features-linear-svm", "features + linear SVM", BACKBONE, SupportVectorMachine("linear")),
    EachHeadRung("features-nearest-neighbour", "features + nearest neighbour", BACKBONE, NearestNeighbour()),
    EachHeadRung("features-rbf-svm", "features + RBF SVM", BACKBONE, SupportVectorMachine("rbf")),
    EachHeadRung("features-random-forest", "features + random forest", BACKBONE, RandomForest()),
)


def all_rungs() -> tuple[Rung[MultilabelProblem], ...]:
    """Our rungs and those of installed packages.

    Raises:
        UserError: an installed package's rung cannot be loaded, or has the name of another.
    """
    return with_installed(_OURS, ENTRY_POINTS, what="rung")


def find_rungs(names: Sequence[str] | None) -> tuple[Rung[MultilabelProblem], ...]:
    """The rungs of those names in ladder order; all of them for None.

    Raises:
        NotFoundError: a name is unknown; says which are near or known.
    """
    return of_names(all_rungs(), names)
