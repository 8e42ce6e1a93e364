"""An answer in the words of `winnow predict`: names and values of `Prediction.as_dict`, and whether it is sure."""

from __future__ import annotations

from typing import Any

from winnow.errors import UserError
from winnow.serve.questions import Answer, UnansweredError


def prediction(source: str, answer: Answer, top: int | None = None) -> dict[str, Any]:
    """What a model says of one picture.

    Args:
        top: show so many of the most probable classes only.
    """
    served, probs = answer.served, answer.outputs["probabilities"]
    values: list[float] = probs.tolist()
    # Of equal ones the first stands first, as in `Model.predict`; for a few classes NumPy would take five times longer.
    order = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    classes, thresholds = served.classes, served.thresholds
    if thresholds is None:
        chosen = order[:1]
        is_sure = served.sure_from is not None and values[order[0]] >= served.sure_from
    else:
        chosen = [place for place in order if values[place] >= thresholds[place]]
        is_sure = bool(chosen)
    labels = [classes[place] for place in chosen]
    is_one = len(chosen) == 1
    return {
        "source": source,
        "label": labels[0] if is_one else None,
        "labels": labels,
        "prob": values[chosen[0]] if is_one else None,
        "probs": {classes[place]: values[place] for place in order[:top]},
        "is_sure": is_sure,
        "error": None,
    }


def no_prediction(source: str, error: UnansweredError | UserError) -> dict[str, Any]:
    """Why there is none for one picture."""
    code = error.code if isinstance(error, UnansweredError) else getattr(error, "code", "unusable")
    reason = error.sentence if isinstance(error, UnansweredError) else getattr(error, "reason", str(error))
    return {
        "source": source,
        "label": None,
        "labels": [],
        "prob": None,
        "probs": {},
        "is_sure": False,
        "error": {"code": code, "reason": reason},
    }
