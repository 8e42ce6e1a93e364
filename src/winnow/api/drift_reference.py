"""What a model's own pictures and answers were like: written beside it, so that a server sees when others come."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from winnow.data.picture_summary import summary_of
from winnow.data.whole_files import disk_errors, write_whole
from winnow.errors import BadDataError, NotFoundError
from winnow.metrics.drift import Reference

if TYPE_CHECKING:  # a server reads what a climb wrote, and needs nothing of what climbs need
    from winnow.api.tasks import AnyProblem
    from winnow.tasks.rung import Candidate

DRIFT = "drift.json"
_FORMAT = 1
_MOST_PICTURES = 1000
"""Drawn from all that it learned from: their own noise is counted in, and a second's decoding is enough."""


def write_reference(folder: Path, problem: AnyProblem, candidate: Candidate) -> None:
    """Write `drift.json` beside the model of a candidate.

    Raises:
        WorkspaceError: no space, no permission.
    """
    spec = problem.input_spec_of(candidate)
    n = len(problem.examples)
    drawn = np.random.default_rng(problem.seed).permutation(n)[:_MOST_PICTURES]
    examples = [problem.examples[place] for place in np.sort(drawn).tolist()]
    pictures = problem.store.reader.each([example.content for example in examples], spec)
    summaries = [
        summary_of(pixels, example.width, example.height)
        for pixels, example in zip(pictures, examples, strict=True)
        if pixels is not None
    ]
    reference = Reference.of(np.stack(summaries), candidate.predictions)
    values = {"format": _FORMAT, "pictures": len(summaries), "judged": problem.n_judged, **reference.to_json()}
    path = folder / DRIFT
    with disk_errors("write", path):
        write_whole(path, json.dumps(values).encode(), is_durable=True)


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
