"""What the door hands to the engine and what comes back: one question an item, an answer or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from winnow.serve.served import Served

Tensors: TypeAlias = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing to be answered.

    Attributes:
        served: the very version of the model that shall answer.
        what: a picture file's bytes for a model of pictures, named arrays for any other graph.
        deadline: on the clock of `time.monotonic`; later, nobody wants the answer.
    """

    served: Served
    what: bytes | Tensors
    deadline: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered.

    Attributes:
        served: who answered.
        outputs: of a model of pictures `{"probabilities": (C,) float32}`; of any other graph its outputs by name.
        summary: of a picture, what drift is judged by, in the order of `winnow.metrics.drift.MEASURES`; empty for other
            graphs, and of a busy server for most pictures: a sample tells enough.
        is_cached: it was known from an earlier question with the same bytes.
    """

    served: Served
    outputs: dict[str, npt.NDArray[Any]]
    summary: npt.NDArray[np.float32]
    is_cached: bool = False


class UnansweredError(Exception):
    """Why there is no answer; the door makes an HTTP answer of it.

    Attributes:
        status: the HTTP status that fits.
        code: a short word for programs, such as "queue-full", or a picture's code such as "E_TRUNCATED".
        sentence: for people: what happened and what to do.
        retry_after_s: when to come again; None: coming again would not help.
    """

    def __init__(self, status: int, code: str, sentence: str, retry_after_s: float | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.retry_after_s = retry_after_s

    def again(self) -> UnansweredError:
        """The same, said to somebody else."""
        return UnansweredError(self.status, self.code, self.sentence, self.retry_after_s)
