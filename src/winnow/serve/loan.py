"""What the front and its workers say to each other of connections that are lent; small, and none of it a pickle.

- to a worker, over a socket of its own that keeps messages apart: `LEND` with the connection's descriptor beside it, or
  `FORGET`;
- back, over the socket of answers (`winnow.serve.frames`): with the sign `HANDED_BACK` a `BACK`, then bytes of an
  answer that the client did not take yet, then bytes of a request that were read; with `TOLD` a `Tally`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from winnow.serve.counts import BOUNDS_S, Histogram
from winnow.serve.frames import Predicted, Summary

LEND = struct.Struct("<BIIIHII16s")
"""A kind, the connection's number and the loan's, the edition, which model, how many classes are shown (0: all), how
long a body may be, and the head that may be answered (`winnow.serve.known_heads`)."""
FORGET = struct.Struct("<BI")
"""A kind and a connection's number."""
IS_LEND, IS_FORGET = 0, 1
BACK = struct.Struct("<III")
"""The connection's number and the loan's, and how many bytes of an answer follow."""

_HISTOGRAM = struct.Struct(f"<{len(BOUNDS_S) + 1}Id")
_TALLY = struct.Struct("<HBHd")
_SAMPLE = struct.Struct("<HH")


class Became(IntEnum):
    """What became of a lent request that a worker answered."""

    ANSWERED = 0
    CACHED = 1
    REFUSED = 2


@dataclass(slots=True)
class Tally:
    """What became, in the same way, of a few requests to one model.

    Attributes:
        place: of the model, in the workers' order.
        became: of all of them.
        whole: from the coming of a request's head to its answer.
        decode: reading a picture.
        graph: running the graph.
        cpu_s: seconds of the processor of both, together.
        samples: of some pictures the measures and the probabilities, for drift.
    """

    place: int
    became: Became
    whole: Histogram = field(default_factory=Histogram)
    decode: Histogram = field(default_factory=Histogram)
    graph: Histogram = field(default_factory=Histogram)
    cpu_s: float = 0.0
    samples: list[tuple[Summary, Summary]] = field(default_factory=list)

    def add(self, seconds: float, predicted: Predicted | None) -> None:
        """Count one."""
        self.whole.add(seconds)
        if predicted is None or not predicted.spent.graph_s:
            return
        decode_s, graph_s, cpu_s = predicted.spent
        self.decode.add(decode_s)
        self.graph.add(graph_s)
        self.cpu_s += cpu_s
        if len(predicted.summary):
            self.samples.append((predicted.summary, predicted.probabilities))

    def pack(self) -> bytes:
        """As bytes."""
        parts = [_TALLY.pack(self.place, self.became, len(self.samples), self.cpu_s)]
        parts += [_HISTOGRAM.pack(*one.bins, one.total_s) for one in (self.whole, self.decode, self.graph)]
        for summary, probs in self.samples:
            parts += [_SAMPLE.pack(len(summary), len(probs)), summary.tobytes(), probs.tobytes()]
        return b"".join(parts)


def unpack_tallies(payload: bytes, n_classes: Sequence[int]) -> Iterator[Tally]:
    """Back from `Tally.pack`, one behind the other.

    Args:
        n_classes: of each model.

    Raises:
        ValueError: these are no words of a worker's.
        struct.error: the same.
    """
    begin = 0
    while begin < len(payload):
        place, became, n_samples, cpu_s = _TALLY.unpack_from(payload, begin)
        begin += _TALLY.size
        histograms: list[Histogram] = []
        for _ in range(3):
            *bins, total_s = _HISTOGRAM.unpack_from(payload, begin)
            histograms.append(Histogram(bins, total_s))
            begin += _HISTOGRAM.size
        whole, decode, graph = histograms
        tally = Tally(place, Became(became), whole, decode, graph, cpu_s)
        for _ in range(n_samples):
            n_measures, n_probs = _SAMPLE.unpack_from(payload, begin)
            if place >= len(n_classes) or n_probs != n_classes[place]:
                raise ValueError(f"{n_probs} probabilities of model {place}")
            both = np.frombuffer(payload, np.float32, n_measures + n_probs, begin + _SAMPLE.size)
            begin += _SAMPLE.size + both.nbytes
            tally.samples.append((both[:n_measures], both[n_measures:]))
        yield tally
