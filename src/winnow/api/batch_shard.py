"""One shard of a large batch: a model's folder and some files in, bytes out; nothing else is read or written.

A cluster may run it anywhere, in any order and more than once: the same files give the same bytes on the same kind of
machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from winnow.api.batch_forms import Answered, Form, shard_of
from winnow.api.model import sure_from_in
from winnow.data.decode import UnreadablePictureError
from winnow.data.decoder.pool import decoding_pool
from winnow.machine import cores
from winnow.tasks.predictor import Predictor

_BATCH = 32
"""Files that one thread has decoded, and computes, before it asks for more."""
_BATCH_BYTES = 8 << 20
"""And no more than this of their pixels."""
_THREADS_PER_CORE = 2
"""While one computes, another waits for its pictures to be read and decoded."""


def predict_shard(
    model: str | Path, files: Sequence[str], form: Form, *, done: Callable[[int], None] = lambda _: None
) -> bytes:
    """The answers to some files, to be joined with others (`winnow.api.batch_forms.join`).

    A file that cannot be read, or is no picture, costs its own line.

    Args:
        model: the model's folder; it stays open for the next shard.
        files: their paths, at least one.
        form: what the answers are written as.
        done: hears how many more are answered.

    Raises:
        NotFoundError: no model lies there.
        BadDataError: its files are damaged.
    """
    opened = open_model(Path(model))
    probs, errors = opened.answers(files, done)
    facts = opened.facts
    return shard_of(Answered(files, probs, errors, facts.classes, facts.thresholds, opened.sure_from), form)


class OpenModel:
    """A model as batches need it.

    Attributes:
        facts: what it answers with.
        sure_from: from which probability on its answer may be called sure.
    """

    def __init__(self, folder: Path) -> None:
        self._predictor = Predictor(folder)
        self.facts = self._predictor.facts
        self.sure_from = sure_from_in(folder)

    @property
    def identity(self) -> str:
        """A digest (hex) of all that decides its answers."""
        facts = self.facts
        values = [facts.sha256, facts.classes, facts.thresholds, facts.input_spec.to_json(), self.sure_from]
        return hashlib.sha256(json.dumps(values).encode()).hexdigest()

    def answers(
        self, files: Sequence[str], done: Callable[[int], None]
    ) -> tuple[npt.NDArray[np.float32], dict[int, str]]:
        """Probabilities (N, C), and by place why there are none."""
        spec = self.facts.input_spec
        errors: dict[int, str] = {}

        size = max(1, min(_BATCH, _BATCH_BYTES // (3 * spec.side_px**2)))
        here = Path.cwd()  # a decoding process started somewhere else, perhaps

        def some(start: int) -> npt.NDArray[np.float32]:
            asked = [str(here / file) for file in files[start : start + size]]
            inputs = np.zeros((len(asked), spec.side_px, spec.side_px, 3), dtype=np.uint8)
            for place, picture in enumerate(decoding_pool().inputs(asked, spec)):
                if isinstance(picture, UnreadablePictureError):
                    errors[start + place] = str(picture)
                else:
                    inputs[place] = picture
            return self._predictor.features_here(inputs)

        features: list[npt.NDArray[np.float32]] = []
        pool = ThreadPoolExecutor(_THREADS_PER_CORE * cores(), thread_name_prefix="winnow-batch")
        try:
            for rows in pool.map(some, range(0, len(files), size)):
                features.append(rows)
                done(len(rows))
        finally:
            pool.shutdown(cancel_futures=True)  # Ctrl-C shall not wait for the rest of the shard
        return self._predictor.answers_to(np.concatenate(features)), errors


@lru_cache(maxsize=1)
def open_model(folder: Path) -> OpenModel:
    """The model in a folder, opened once.

    Raises:
        NotFoundError: no model lies there.
        BadDataError: its files are damaged.
    """
    return OpenModel(folder)
