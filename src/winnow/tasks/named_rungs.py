"""Rungs found by their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from winnow.errors import NotFoundError, did_you_mean
from winnow.tasks.rung import Rung

P = TypeVar("P")


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
