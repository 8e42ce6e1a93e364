"""Run a graph on the pictures of a proof."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from winnow.api.model_exports.pictures import ProofPictures
from winnow.data.inputs import InputSpec
from winnow.events import Progress, Tell
from winnow.graph.join import cut
from winnow.graph.pictures import run_on_pictures
from winnow.graph.runtime import NumberFormat, OpenGraph, open_graph, open_small_graph, run_in_chunks
from winnow.tasks.predictor import Probabilities

_TOLD_EVERY = 16


def run_whole(graph: OpenGraph, pictures: ProofPictures, spec: InputSpec, tell: Tell, what: str) -> Probabilities:
    """(N, C): one graph from pixels to probabilities, a picture at a time."""
    rows: list[npt.NDArray[np.float32]] = []
    for row in run_on_pictures(graph, pictures.inputs(spec), len(pictures)):
        rows.append(row)
        if len(rows) % _TOLD_EVERY == 0 or len(rows) == len(pictures):
            tell(Progress(what, len(rows), len(pictures)))
    return np.stack(rows)


def run_as_evaluated(
    graph: bytes, number_format: NumberFormat, pictures: ProofPictures, spec: InputSpec, tell: Tell, what: str
) -> Probabilities:
    """(N, C) in the way that a model is judged: cut at its features, those one picture at a time, the head on all."""
    features, head = cut(graph)
    rows = run_whole(open_graph(features, number_format, one_at_a_time=True), pictures, spec, tell, what)
    return run_in_chunks(open_small_graph(head), rows)
