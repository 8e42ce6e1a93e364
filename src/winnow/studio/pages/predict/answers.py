"""What a model answers, as plain values and words for a page."""

from __future__ import annotations

from typing import Any, cast

from winnow.api.model import Model, Prediction
from winnow.api.neighbours import Neighbour
from winnow.data.decoder.pool import decoding_pool
from winnow.errors import UserError
from winnow.report.thumbnails import data_uri, thumbnail
from winnow.report.words import percent, printable
from winnow.studio.media import picture_address

SIDES_PX = (0, 96, 512)
"""Longest sides of the picture that can be asked for along with the answer; 0 is none."""


def answer(model: Model, data: bytes, *, side_px: int, most: int | None = None) -> dict[str, Any]:
    """A model's answer for one picture file.

    Args:
        model: who is asked.
        data: the file's bytes.
        side_px: of the picture in the answer, one of `SIDES_PX`.
        most: so many classes at most, the likeliest; None: all.

    Returns:
        `said` (the answer in words), `is_sure`, `label`, `labels`, `prob`, `probs` ([[class, probability], ...], most
        probable first: a JSON object would put a class called "7" first), `error`, and `picture`, as the model was
        given it (upright; a data address), None where it cannot be read or was not asked for.
    """
    prediction = model.predict(data)[0]
    probs = list(prediction.probs.items())
    return {
        "said": words(model, prediction),
        "is_sure": model.is_sure(prediction),
        "label": prediction.label,
        "labels": list(prediction.labels),
        "prob": prediction.prob,
        "probs": probs[:most],
        "error": prediction.error,
        "picture": _shown(data, side_px) if side_px and prediction.error is None else None,
    }


def words(model: Model, prediction: Prediction) -> str:
    """The answer as one would say it."""
    if prediction.error is not None:
        return prediction.error
    if model.thresholds is not None:
        found = [f"{name} ({percent(prediction.probs[name])})" for name in prediction.labels]
        return ", ".join(found) or "None of the classes reaches its threshold."
    best = f"{prediction.label} ({percent(prediction.prob or 0.0)})"
    return best if model.is_sure(prediction) else f"I am not sure. The likeliest is {best}."


def prediction_of(values: object) -> Prediction:
    """A prediction back from what `answer` gave, with the `source` that the page has added.

    Raises:
        UserError: it is none.
    """
    try:
        given = cast("dict[str, Any]", values)
        label, prob, error = given["label"], given["prob"], given["error"]
        return Prediction(
            source=str(given["source"]),
            label=None if label is None else str(label),
            prob=None if prob is None else float(prob),
            probs={str(name): float(value) for name, value in given["probs"]},
            error=None if error is None else str(error),
            labels=tuple(map(str, given["labels"])),
        )
    except (TypeError, KeyError, ValueError, OverflowError) as wrong:
        raise UserError("These are no answers of this page: answer the pictures again.") from wrong


def neighbour(one: Neighbour) -> dict[str, Any]:
    """A training picture that is near, for the page."""
    return {
        "picture": picture_address(one.content),
        "labels": ", ".join(one.labels),
        "source": printable(one.source),
        "similarity": f"{one.similarity:.2f}".replace("-", "−"),
    }


def _shown(data: bytes, side_px: int) -> str | None:
    try:
        return data_uri(thumbnail(decoding_pool().pixels(data, side_px), side_px))
    except UserError:  # it was read a moment ago; the answer stands without its picture
        return None
