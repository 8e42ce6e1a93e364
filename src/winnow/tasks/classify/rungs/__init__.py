"""The ladder of classification, cheapest first. To add a rung, write its file and add its line.

The order is by what a rung costs to use and to learn; it is fixed, so that a climb does not depend on timings.
Other packages add rungs through the entry-point group `winnow.rungs.classify`; each names a rung object, and they
are tried after ours.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.rungs import (
    commonest_class,
    features_lda,
    features_linear_svm,
    features_logistic_regression,
    features_nearest_mean,
    features_nearest_neighbour,
    features_random_forest,
    features_rbf_svm,
    hog_svm,
    pixels_logistic_regression,
    pixels_nearest_neighbour,
    pixels_random_forest,
    pixels_svm,
)
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
)


def all_rungs() -> tuple[Rung[ClassifyProblem], ...]:
    """Our rungs and those of installed packages.

    Raises:
        UserError: an installed package's rung cannot be loaded, or has the name of another.
    """
    rungs = list(_OURS)
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        try:
            rung: Rung[ClassifyProblem] = point.load()
            is_new = rung.name not in {known.name for known in rungs}
        except Exception as error:  # foreign code may fail in any way; the user should know which package to mend
            raise UserError(
                f"The rung {point.value} cannot be loaded ({error}): update or remove its package."
            ) from error
        if not is_new:
            raise UserError(f"Two rungs are called '{rung.name}', one of them {point.value}: remove its package.")
        rungs.append(rung)
    return tuple(rungs)


def find_rungs(names: list[str] | None) -> tuple[Rung[ClassifyProblem], ...]:
    """The rungs of those names in ladder order; all of them for None.

    Raises:
        NotFoundError: a name is unknown; says which are near or known.
    """
    rungs = all_rungs()
    if names is None:
        return rungs
    known = [rung.name for rung in rungs]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, otherwise=f"Known are {', '.join(known)}.")
            raise NotFoundError(f"No rung is called '{name}'. {hint}")
    return tuple(rung for rung in rungs if rung.name in names)
