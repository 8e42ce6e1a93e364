"""An answer in the words of `winnow predict`: names and values of `Prediction.as_dict`, and whether it is sure."""

from __future__ import annotations

from typing import Any

from winnow.errors import UserError
from winnow.serve.questions import Answer, UnansweredError
from winnow.tasks.answering import is_sure, ranked, said_of


def prediction(source: str, answer: Answer, top: int | None = None) -> dict[str, Any]:
    """What a model says of one picture.

    Args:
        top: show so many of the most probable classes only.
    """
    served, probs = answer.served, answer.outputs["probabilities"]
    values: list[float] = probs.tolist()
    classes, thresholds = served.classes, served.thresholds
    said = said_of(values, classes, thresholds)
    return {
        "source": source,
        "label": said.label,
        "labels": list(said.labels),
        "prob": said.prob,
        "probs": {classes[place]: values[place] for place in ranked(values)[:top]},
        "is_sure": is_sure(said.labels, said.prob, has_several=thresholds is not None, sure_from=served.sure_from),
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
