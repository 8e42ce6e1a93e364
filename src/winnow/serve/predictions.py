"""An answer in the words of `winnow predict`: names and values of `Prediction.as_dict`, and whether it is sure."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from winnow.errors import UserError
from winnow.serve.frames import NO_SUMMARY
from winnow.serve.questions import Answer, UnansweredError
from winnow.serve.reply import json_reply
from winnow.serve.served import Served
from winnow.tasks.answering import chosen, is_sure, ranked, said_of


class OneAnswer:
    """What is sent to who asked for one picture as it is. All that is the same in every answer is made once.

    Args:
        served: who answers; a model of pictures.
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._classes = [json.dumps(name) for name in served.classes]
        self._begin = f'{{"model": {json.dumps(served.name)}, "version": {json.dumps(served.version)}, "predictions": ['

    @property
    def n_classes(self) -> int:
        """How many probabilities there are."""
        return len(self._classes)

    def text(self, probs: npt.NDArray[np.float32], top: int | None) -> bytes:
        """The document that names the model, with its one `prediction`.

        Args:
            probs: (C,).
            top: show so many of the most probable classes only.
        """
        values: list[float] = probs.tolist()
        served, classes = self._served, self._classes
        if not math.isfinite(sum(values)):
            said = prediction("body", Answer(served, {"probabilities": probs}, NO_SUMMARY), top)
            return json_reply({"model": served.name, "version": served.version, "predictions": [said]}).body
        order = ranked(values)  # whose first is the one that `chosen` gives of a model of one answer
        places = order[:1] if served.thresholds is None else chosen(values, served.thresholds)
        prob = values[places[0]] if len(places) == 1 else None
        named = [classes[place] for place in places]
        is_safe = is_sure(named, prob, has_several=served.thresholds is not None, sure_from=served.sure_from)
        labels = ", ".join(named)
        shown = ", ".join([f"{classes[place]}: {values[place]!r}" for place in order[:top]])
        one = "null" if prob is None else labels
        text = (
            f'{self._begin}{{"source": "body", "label": {one}, "labels": [{labels}], "prob": '
            f'{"null" if prob is None else repr(prob)}, "probs": {{{shown}}}, "is_sure": '
            f'{"true" if is_safe else "false"}, "error": null}}]}}'
        )
        return text.encode("ascii")


@lru_cache(maxsize=64)
def one_answer_of(served: Served) -> OneAnswer:
    """The same for the same version of a model."""
    return OneAnswer(served)


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
