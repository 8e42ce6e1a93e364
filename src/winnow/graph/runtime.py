"""Open a graph and run it: on OpenVINO, else on ONNX Runtime."""

from __future__ import annotations

import sys
import threading
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import onnx

from winnow.errors import UserError
from winnow.machine import cores, keep_quiet

NumberFormat = Literal["fp32", "bf16", "int8"]
_HINTS = {
    "fp32": "f32",
    "bf16": "bf16",
    "int8": "f32",
}  # int8 graphs carry their own int8; the rest stays f32

_FIRST_USE = threading.Lock()


class OpenGraph(Protocol):
    """A graph ready to run; safe to call from several threads at once, one core each."""

    engine: str

    def run(self, inputs: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """The graph's output (N, ...) for its one input (N, ...)."""
        ...


@cache
def _openvino() -> ModuleType | None:
    # openvino imports its converter, which imports a telemetry client; an entry of None makes that import
    # fail and the converter fall back to its own do-nothing stub.
    if "openvino_telemetry" not in sys.modules:
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]  # Python's own way to block an import
    try:
        import openvino
    except ImportError:
        return None
    return openvino


@cache
def _core() -> Any:
    module = _openvino()
    if module is None:
        return None
    # OpenVINO's binding fills its tables of NumPy types on first use. Two threads that are first at once wait for
    # each other for ever, one with the table's guard and one with Python's lock (seen with 2026.2); so we are first.
    with _FIRST_USE:
        module.Type.u8.to_dtype()
        module.Tensor(np.zeros(1, dtype=np.uint8))
        return module.Core()


def has_openvino() -> bool:
    """Whether OpenVINO is installed here."""
    return _openvino() is not None


class _OpenVinoGraph:
    engine = "openvino"

    def __init__(self, graph: bytes | Path, number_format: NumberFormat, *, one_at_a_time: bool, streams: int) -> None:
        model = _core().read_model(graph)
        if one_at_a_time:  # a fixed batch of 1 lets OpenVINO choose its layouts ahead of time
            shape = model.inputs[0].partial_shape
            shape[0] = 1
            model.reshape(shape)
        self._compiled = _core().compile_model(
            model,
            "CPU",
            {
                "INFERENCE_PRECISION_HINT": _HINTS[number_format],
                # Single-threaded streams; unpinned, or two processes would share one core.
                "NUM_STREAMS": streams,
                "INFERENCE_NUM_THREADS": streams,
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._of_thread = threading.local()

    def run(self, inputs: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        request = getattr(self._of_thread, "request", None)
        if request is None:
            request = self._of_thread.request = self._compiled.create_infer_request()
        return np.array(request.infer([inputs], share_inputs=True, share_outputs=True)[0], dtype=np.float32)


class _OnnxRuntimeGraph:
    engine = "onnxruntime"

    def __init__(self, graph: bytes) -> None:
        self._session = quiet_session(graph)
        self._input = self._session.get_inputs()[0].name

    def run(self, inputs: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        return np.asarray(self._session.run(None, {self._input: inputs})[0], dtype=np.float32)


def quiet_session(graph: bytes, *, keeps_memory: bool = True) -> Any:
    """An ONNX Runtime session that computes in the calling thread and tells nobody; for any inputs and outputs.

    Args:
        graph: ONNX bytes.
        keeps_memory: what one run needed stays for the next, which is faster; else it is given back after each run.
    """
    keep_quiet()  # ONNX Runtime reads its telemetry switch when it is imported
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # the caller runs one a core
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = keeps_memory
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def open_graph(
    graph: bytes, number_format: NumberFormat = "fp32", *, one_at_a_time: bool = False, streams: int | None = None
) -> OpenGraph:
    """Open a graph with one input and one output on the engine that can run it.

    Args:
        graph: ONNX bytes.
        number_format: what to compute in; only OpenVINO knows others than fp32 and int8.
        one_at_a_time: the caller promises batches of 1, which run faster when known ahead.
        streams: how many threads will run it at once, each on one core; None: one a core of this machine.
    """
    has_trees = any(entry.domain == "ai.onnx.ml" for entry in onnx.load_from_string(graph).opset_import)
    if has_openvino() and not has_trees:
        return _OpenVinoGraph(graph, number_format, one_at_a_time=one_at_a_time, streams=streams or cores())
    return _OnnxRuntimeGraph(graph)


def run_in_chunks(graph: OpenGraph, rows: npt.NDArray[Any], chunk: int = 1024) -> npt.NDArray[np.float32]:
    """`graph.run` on many rows (N, ...) without holding what lies between for all of them at once."""
    return np.concatenate([graph.run(rows[start : start + chunk]) for start in range(0, max(len(rows), 1), chunk)])


def open_small_graph(graph: bytes) -> OpenGraph:
    """Open a head or another small fp32 graph on ONNX Runtime, which opens it ten times faster than OpenVINO does."""
    return _OnnxRuntimeGraph(graph)


def write_openvino_files(graph: bytes, xml: Path) -> None:
    """Write a graph as OpenVINO's own two files, `xml` and a .bin of the same name, all its numbers as they are.

    Raises:
        UserError: OpenVINO is not installed, or does not know an op of the graph.
    """
    module = _openvino()
    if module is None:
        raise UserError("OpenVINO is not installed here; it comes with Winnow: pip install openvino")
    try:
        model = _core().read_model(graph)
    except Exception as error:  # OpenVINO's own errors have no common type that it promises
        raise UserError(
            "OpenVINO does not know an op of this model (of tree ensembles, say): take it as ONNX."
        ) from error
    module.save_model(model, xml, compress_to_fp16=False)


def open_openvino_files(xml: Path) -> OpenGraph:
    """Open what `write_openvino_files` wrote, to be computed in fp32, its 8-bit parts in 8 bits."""
    return _OpenVinoGraph(xml, "fp32", one_at_a_time=False, streams=cores())
