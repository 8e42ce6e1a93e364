"""What a model's own pictures and answers were like: written beside it, so that a server sees when others come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from winnow.data.cache import ArrayCache
from winnow.data.picture_summary import summary_of
from winnow.data.whole_files import disk_errors, write_whole
from winnow.errors import BadDataError, NotFoundError
from winnow.metrics.drift import MEASURES, Reference

if TYPE_CHECKING:  # a server reads what a climb wrote, and needs nothing of what climbs need
    from winnow.api.tasks import AnyProblem
    from winnow.data.inputs import InputSpec
    from winnow.data.manifest import Example
    from winnow.graph.features import PictureReader
    from winnow.tasks.rung import Candidate

DRIFT = "drift.json"
_FORMAT = 1
_MOST_PICTURES = 600
"""Of all that it learned from: that they are a sample is counted in, and a second's decoding is enough."""


def write_reference(folder: Path, problem: AnyProblem, candidate: Candidate) -> None:
    """Write `drift.json` beside the model of a candidate.

    Raises:
        WorkspaceError: no space, no permission.
    """
    spec = problem.input_spec_of(candidate)
    # By content: a drawing that stays nearly the same when pictures are added or labels changed.
    drawn = sorted({example.content: example for example in problem.examples}.items())[:_MOST_PICTURES]
    summaries = _summaries([example for _, example in drawn], spec, problem.store.reader)
    reference = Reference.of(summaries, candidate.predictions)
    values = {"format": _FORMAT, "pictures": len(summaries), "judged": problem.n_judged, **reference.to_json()}
    path = folder / DRIFT
    with disk_errors("write", path):
        write_whole(path, json.dumps(values).encode(), is_durable=True)


def _summaries(examples: Sequence[Example], spec: InputSpec, reader: PictureReader) -> npt.NDArray[np.float32]:
    """(N, M), without those that cannot be read any more; kept, since the next climb asks for the same."""

    def compute(places: list[int]) -> Iterator[npt.NDArray[np.float32]]:
        wanted = [examples[place] for place in places]
        pictures = reader.each([example.content for example in wanted], spec)
        for example, pixels in zip(wanted, pictures, strict=True):
            if pixels is None:
                yield np.full(len(MEASURES), np.nan, dtype=np.float32)
            else:
                yield summary_of(pixels, example.width, example.height)

    cache = ArrayCache(reader.cache / "summaries" / spec.key)
    rows = cache.fetch([example.content for example in examples], compute)
    return rows[np.isfinite(rows).all(axis=1)]


def read_reference(folder: Path) -> Reference:
    """Read what `write_reference` wrote.

    Raises:
        NotFoundError: there is none, as with models of older versions.
        BadDataError: it is damaged, or of a newer Winnow.
    """
    path = folder / DRIFT
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] > _FORMAT:
            raise BadDataError(f"{path} is of a newer Winnow. Update it: pip install --upgrade winnow")
        return Reference.from_json(values)
    except OSError:
        raise NotFoundError(
            f"The model in {folder} does not say what its pictures were like, as those of older versions do not: "
            "train it again."
        ) from None
    except (ValueError, KeyError, TypeError) as error:
        raise BadDataError(f"{path} is damaged ({error}); train the model again.") from error
