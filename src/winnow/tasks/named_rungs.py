"""A task's ladder with the rungs of installed packages, and rungs found by their names."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import TypeVar

from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.tasks.rung import Rung

P = TypeVar("P")


def with_installed(ours: Sequence[Rung[P]], group: str) -> tuple[Rung[P], ...]:
    """Our rungs, then those that other packages bring through an entry-point group; each names a rung object.

    Raises:
        UserError: an installed package's rung cannot be loaded, or has the name of another.
    """
    rungs = list(ours)
    for point in sorted(entry_points(group=group), key=lambda p: p.name):
        try:
            rung: Rung[P] = point.load()
            is_new = rung.name not in {known.name for known in rungs}
        except Exception as error:  # foreign code may fail in any way; the user should know which package to mend
            raise UserError(
                f"The rung {point.value} cannot be loaded ({error}): update or remove its package."
            ) from error
        if not is_new:
            raise UserError(f"Two rungs are called '{rung.name}', one of them {point.value}: remove its package.")
        rungs.append(rung)
    return tuple(rungs)


def of_names(rungs: tuple[Rung[P], ...], names: Sequence[str] | None) -> tuple[Rung[P], ...]:
    """The rungs of those names in ladder order; all of them for None.

    Raises:
        NotFoundError: a name is unknown; says which are near or known.
    """
    if names is None:
        return rungs
    known = [rung.name for rung in rungs]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, otherwise=f"Known are {', '.join(known)}.")
            raise NotFoundError(f"No rung is called '{name}'. {hint}")
    return tuple(rung for rung in rungs if rung.name in names)
