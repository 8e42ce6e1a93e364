"""The ladder of classification, cheapest first. To add a rung, write its file and add its line.

The order is by what a rung costs to use and to learn; it is fixed, so that a climb does not depend on timings.
Other packages add rungs through the entry-point group `winnow.rungs.classify`; each names a rung object, and they
are tried after ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from winnow.installed import with_installed
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.rungs import (
    classic,
    commonest_class,
    ensemble,
    features_lda,
    features_linear_svm,
    features_logistic_regression,
    features_nearest_mean,
    features_nearest_neighbour,
    features_random_forest,
    features_rbf_svm,
    fine_tune,
    frozen_lower_layers,
    hog_svm,
    lenet_5,
    pixels_logistic_regression,
    pixels_nearest_neighbour,
    pixels_random_forest,
    pixels_svm,
    pretrained_autoencoder,
    pretrained_autoencoder_fine_tuned,
    small_net,
)
from winnow.tasks.named_rungs import of_names
from winnow.tasks.rung import Rung

ENTRY_POINTS = "winnow.rungs.classify"

_OURS: tuple[Rung[ClassifyProblem], ...] = (
    commonest_class.RUNG,
    pixels_logistic_regression.RUNG,
    pixels_nearest_neighbour.RUNG,
    pixels_svm.RUNG,
    hog_svm.RUNG,
    pixels_random_forest.RUNG,
    features_nearest_mean.RUNG,
    features_lda.RUNG,
    features_logistic_regression.RUNG,
    features_linear_svm.RUNG,
    features_nearest_neighbour.RUNG,
    features_rbf_svm.RUNG,
    features_random_forest.RUNG,
    lenet_5.RUNG,
    small_net.RUNG,
    pretrained_autoencoder.RUNG,
    pretrained_autoencoder_fine_tuned.RUNG,
    frozen_lower_layers.RUNG,
    fine_tune.RUNG,
    ensemble.RUNG,
)


def all_rungs() -> tuple[Rung[ClassifyProblem], ...]:
    """Our rungs and those of installed packages.

    Raises:
        UserError: an installed package's rung cannot be loaded, or has the name of another.
    """
    return with_installed(_OURS, ENTRY_POINTS, what="rung")


def find_rungs(names: Sequence[str] | None) -> tuple[Rung[ClassifyProblem], ...]:
    """The rungs of those names in ladder order, classic networks last; all but the classic ones for None.

    Raises:
        NotFoundError: a name is unknown; says which are near or known.
    """
    ours = all_rungs()
    known = {rung.name for rung in ours}
    asked = [classic.classic_rung(name) for name in dict.fromkeys(names or ()) if name not in known]
    return of_names((*ours, *(rung for rung in asked if rung is not None)), names)
