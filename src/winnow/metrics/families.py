"""Which metrics judge which task, and how to find one by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from winnow.errors import NotFoundError, did_you_mean
from winnow.metrics.metric import Metric
from winnow.metrics.multilabel_scores import MULTILABEL_METRICS
from winnow.metrics.scores import METRICS

FAMILIES: dict[str, Mapping[str, Metric[Any]]] = {"classify": METRICS, "multilabel": MULTILABEL_METRICS}
"""By task, then by name. Metrics of one name read alike: both in per cent or neither, both better when higher."""

DEFAULTS = {"classify": "accuracy", "multilabel": "macro_average_precision"}
"""What a task is optimised for where a user does not say."""


def find_metric(name: str, task: str | None = None) -> Metric[Any]:
    """The metric of that name in a task's family; without a task, in the first family that has it.

    Raises:
        NotFoundError: no metric is called so; the sentence names the nearest.
    """
    families = list(FAMILIES.values()) if task is None else [FAMILIES[task]]
    for family in families:
        if name in family:
            return family[name]
    known = list(dict.fromkeys(name for family in families for name in family))
    hint = did_you_mean(name, known, otherwise=f"Known are {', '.join(known)}.")
    if task is not None and any(name in family for family in FAMILIES.values()):
        kind = "any number of classes" if task == "multilabel" else "one class each"
        raise NotFoundError(f"The metric '{name}' is not made for pictures with {kind}. {hint}")
    raise NotFoundError(f"No metric is called '{name}'. {hint}")
