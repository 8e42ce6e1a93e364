"""Choose the number format of a features graph on this machine: time each, check its answers, write it down.

bf16 and int8 are two to four times faster than fp32 on processors that have them, and slower on others; a
graph that answers well in one may answer nonsense in another. So both are measured, once a graph and machine.
"""

from __future__ import annotations

import json
import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import numpy.typing as npt

from winnow.graph.join import PIXELS
from winnow.graph.runtime import NumberFormat, OpenGraph, has_openvino, open_graph
from winnow.machine import cores, fingerprint, instruction_sets

Pixels = npt.NDArray[np.uint8]

MIN_AGREEMENT = 0.995
"""The least cosine similarity, over all samples, between a format's features and fp32's. Logistic regression on
bf16 features of this similarity gave the same test accuracy as on fp32 ones (cats-dogs, EdgeTPU, 3 sizes)."""
MIN_GAIN = 1.25
"""A format must beat the more exact one by this factor: a narrow win could flip from one timing to the next."""
_TIMED_S = 0.15


@dataclass(frozen=True, slots=True)
class FormatChoice:
    """The number format a graph runs in on this machine, and the measurements that chose it."""

    number_format: NumberFormat
    pictures_per_s: dict[str, float]
    """Of one core, by format tried."""
    agreement: dict[str, float]
    """Least cosine similarity with fp32's features, by format tried."""
    reason: str
    int8_graph: str | None = None
    """File name of the int8 graph beside the note, where int8 was chosen."""


def choose_format(graph: bytes, digest: str, samples: Pixels, notes: Path) -> FormatChoice:
    """The format for this graph on this machine: read from `notes`, or measured now and written there.

    Args:
        graph: pixels (N, side, side, 3) to features (N, D).
        digest: the graph's sha256, which names its note.
        samples: (S, side, side, 3) real pictures, a dozen or so, to compare answers on.
        notes: a folder for what was measured.
    """
    note = notes / f"{digest[:16]}.json"
    written = _read_note(note)
    if written is not None:
        return written
    choice, int8 = _measure(graph, samples)
    notes.mkdir(parents=True, exist_ok=True)
    if int8 is not None and choice.number_format == "int8":
        (notes / f"{digest[:16]}.int8.onnx").write_bytes(int8)
        choice = replace(choice, int8_graph=f"{digest[:16]}.int8.onnx")
    partial = note.with_suffix(".partial")
    partial.write_text(json.dumps({**asdict(choice), "machine": fingerprint()}, indent=1), encoding="utf-8")
    partial.replace(note)
    return choice


def _read_note(note: Path) -> FormatChoice | None:
    """What was measured before; None if it was not, or on another machine, or if the note or its graph is damaged."""
    try:
        written = json.loads(note.read_text(encoding="utf-8"))
        if written.pop("machine") != fingerprint():
            return None
        choice = FormatChoice(**written)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    is_usable = choice.number_format in get_args(NumberFormat) and choice.number_format in choice.pictures_per_s
    has_graph = choice.int8_graph is None or (note.parent / choice.int8_graph).is_file()
    return choice if is_usable and has_graph else None


def _measure(graph: bytes, samples: Pixels) -> tuple[FormatChoice, bytes | None]:
    candidates = list(_formats_to_try())
    with ThreadPoolExecutor(cores()) as pool:  # quantising and compiling side by side; timing comes after, in quiet
        int8 = pool.submit(quantise, graph, samples) if "int8" in candidates else None
        making = {one: pool.submit(open_graph, graph, one, one_at_a_time=True) for one in candidates if one != "int8"}
        exact = open_graph(graph, "fp32", one_at_a_time=True)
    reference, speed = _time(exact, samples)
    speeds, agreement = {"fp32": speed}, {"fp32": 1.0}
    best: NumberFormat = "fp32"
    int8_graph: bytes | None = None
    refused: list[str] = []
    for candidate in candidates:
        try:
            if int8 is not None and candidate == "int8":
                int8_graph = int8.result()
                opened = open_graph(int8_graph, candidate, one_at_a_time=True)
            else:
                opened = making[candidate].result()
        except Exception as error:  # whatever the libraries cannot convert still runs in fp32
            refused.append(f"{candidate} could not be made ({type(error).__name__})")
            continue
        answers, speed = _time(opened, samples)
        speeds[candidate], agreement[candidate] = speed, _least_cosine(reference, answers)
        if agreement[candidate] < MIN_AGREEMENT:
            refused.append(f"{candidate} answers differently (similarity {agreement[candidate]:.3f})")
        elif speed >= MIN_GAIN * speeds[best]:
            best = candidate
        else:
            refused.append(f"{candidate} is not clearly faster")
    reason = f"{best} is the fastest format whose answers agree" + (f"; {'; '.join(refused)}" if refused else "")
    speeds = {name: round(value, 1) for name, value in speeds.items()}
    agreement = {name: round(value, 5) for name, value in agreement.items()}
    return FormatChoice(best, speeds, agreement, reason), int8_graph


def time_formats(graph: bytes, side_px: int) -> dict[str, float]:
    """Pictures a second that all cores do together, by number format that this processor computes in hardware.

    int8 is left out: whether its answers agree is seen on real pictures only.

    Args:
        graph: pixels (N, side, side, 3) to features (N, D).
        side_px: the side of its pictures.
    """
    noise = np.random.default_rng(0).integers(0, 256, (1, side_px, side_px, 3), dtype=np.uint8)
    formats: list[NumberFormat] = ["fp32", *(one for one in _formats_to_try() if one != "int8")]
    rates = {one: _time(open_graph(graph, one, one_at_a_time=True), noise)[1] for one in formats}
    return {one: round(rate * cores(), 1) for one, rate in rates.items()}


def _formats_to_try() -> Iterator[NumberFormat]:
    """Formats this processor computes in hardware; the others would only be emulated."""
    if not has_openvino():
        return
    flags = instruction_sets()
    if flags & {"avx512_bf16", "amx_bf16"}:
        yield "bf16"
    if flags & {"avx512_vnni", "avx_vnni", "amx_int8"}:
        yield "int8"


def _time(graph: OpenGraph, samples: Pixels) -> tuple[npt.NDArray[np.float32], float]:
    """The features of all samples and the pictures a second that one core does while all are busy."""

    def work(_: int) -> tuple[npt.NDArray[np.float32], float]:
        graph.run(samples[:1])
        start, done = time.perf_counter(), 0
        rows: list[npt.NDArray[np.float32]] = []
        while len(rows) < len(samples) or time.perf_counter() - start < _TIMED_S:
            row = graph.run(samples[done % len(samples)][None])[0]
            done += 1
            if len(rows) < len(samples):
                rows.append(row)
        return np.stack(rows), done / (time.perf_counter() - start)

    with ThreadPoolExecutor(cores()) as pool:
        results = list(pool.map(work, range(cores())))
    return results[0][0], float(np.median([speed for _, speed in results]))


def _least_cosine(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    if not np.isfinite(b).all():
        return -1.0
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return float(np.min((a * b).sum(axis=1) / np.maximum(norms, 1e-12)))


def quantise(graph: bytes, samples: Pixels, *, exact: Sequence[str] = ()) -> bytes:
    """The graph with 8-bit convolutions (QDQ), its ranges taken from the samples (S, side, side, 3).

    Args:
        exact: names of nodes that stay in 32-bit numbers.
    """
    from onnxruntime import quantization as ort_quantization  # runtime.py has set its switches by now

    class Samples(ort_quantization.CalibrationDataReader):
        def __init__(self) -> None:
            self._rows = iter(samples)

        def get_next(self) -> dict[str, Any]:  # the library's protocol: None ends it
            row = next(self._rows, None)
            return cast("dict[str, Any]", None if row is None else {PIXELS: row[None]})

    root, level = logging.getLogger(), logging.getLogger().level
    root.setLevel(logging.ERROR)  # the library warns through the root logger that it could preprocess first
    try:
        with tempfile.TemporaryDirectory(prefix="winnow-int8-") as folder:
            source, target = Path(folder, "graph.onnx"), Path(folder, "int8.onnx")
            source.write_bytes(graph)
            ort_quantization.quantize_static(
                source,
                target,
                Samples(),
                quant_format=ort_quantization.QuantFormat.QDQ,
                op_types_to_quantize=["Conv", "Add", "MatMul", "Gemm"],
                per_channel=True,
                nodes_to_exclude=list(exact),
            )
            return target.read_bytes()
    finally:
        root.setLevel(level)
