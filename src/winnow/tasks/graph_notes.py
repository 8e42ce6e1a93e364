"""What a model's graph says of itself (ONNX metadata), so that the one file can be understood without its folder.

The version of Winnow is ONNX's own `producer_version`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from winnow.data.inputs import InputSpec, preprocessing

TASK, RUNG, CLASSES, INPUT = "winnow.task", "winnow.rung", "winnow.classes", "winnow.input"
THRESHOLDS, OUTPUT, PREPROCESSING = "winnow.thresholds", "winnow.output", "winnow.preprocessing"
_OUTPUTS = {
    "classify": "calibrated probabilities (N, classes), in the order of winnow.classes; a row sums to 1",
    "multilabel": "calibrated probabilities (N, classes), in the order of winnow.classes; each class by itself, and "
    "answered from its number in winnow.thresholds on",
}


def graph_notes(
    task: str, rung: str, classes: Sequence[str], input_spec: InputSpec, thresholds: Sequence[float] | None = None
) -> dict[str, str]:
    """The metadata of a model's graph: nothing in it depends on the day, so that the same climb gives the same bytes.

    Args:
        task: "classify" or "multilabel".
        rung: the one that made it.
        classes: in the order of its probabilities.
        input_spec: what it wants to see.
        thresholds: from which probability on each class is answered, for "multilabel".
    """
    notes = {
        TASK: task,
        RUNG: rung,
        CLASSES: json.dumps(classes, ensure_ascii=False),
        INPUT: input_spec.key,
        OUTPUT: _OUTPUTS[task],
        PREPROCESSING: json.dumps(preprocessing(input_spec)),
    }
    if thresholds is not None:
        notes[THRESHOLDS] = json.dumps(list(thresholds))
    return notes
