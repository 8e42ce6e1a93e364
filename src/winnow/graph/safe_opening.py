"""Open a graph or weights that somebody else made: all that could hurt is refused by content, before anything runs.

A protobuf and a file of safetensors run no code by themselves. What is left is what these checks look for: files that
are something else under a good name, graphs that name other files, sizes that are lies, operators that would need a
library of the sender, and weights that are no numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message
from onnx import TensorProto

from winnow.graph.safe_weights import Layer, layers_of
from winnow.graph.unsafe_files import UnsafeModelError, n_not_finite, refusal

__all__ = ["Layer", "UnsafeModelError", "checked_graph", "checked_weights"]

MOST_GRAPH_BYTES = (1 << 31) - 1
"""More than this no protobuf holds."""
MOST_ELEMENTS = 1 << 40
"""Of one tensor that a graph declares."""
_MOST_DIMS = 64
MOST_NODES = 1 << 20
"""After all functions are written out: a few that call each other twice each would make billions."""
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")
"""ONNX's own. Not those that come with ONNX Runtime (com.microsoft): some of them name files, and ours need none."""
_GRAPH = "an ONNX graph"

_BITS: dict[int, int] = {
    **dict.fromkeys((TensorProto.FLOAT, TensorProto.INT32, TensorProto.UINT32), 32),
    **dict.fromkeys((TensorProto.DOUBLE, TensorProto.INT64, TensorProto.UINT64, TensorProto.COMPLEX64), 64),
    **dict.fromkeys((TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT16, TensorProto.UINT16), 16),
    **dict.fromkeys((TensorProto.INT8, TensorProto.UINT8, TensorProto.BOOL), 8),
    **dict.fromkeys((TensorProto.FLOAT8E4M3FN, TensorProto.FLOAT8E5M2, TensorProto.FLOAT8E8M0), 8),
    **dict.fromkeys((TensorProto.FLOAT8E4M3FNUZ, TensorProto.FLOAT8E5M2FNUZ), 8),
    **dict.fromkeys((TensorProto.INT4, TensorProto.UINT4, TensorProto.FLOAT4E2M1), 4),
    TensorProto.COMPLEX128: 128,
}
_FLOATS: dict[int, str] = {
    TensorProto.DOUBLE: "float64",
    TensorProto.COMPLEX128: "float64",
    TensorProto.FLOAT: "float32",
    TensorProto.COMPLEX64: "float32",
    TensorProto.FLOAT16: "float16",
    TensorProto.BFLOAT16: "bfloat16",
    TensorProto.FLOAT8E5M2: "float8e5m2",
    TensorProto.FLOAT8E4M3FN: "float8e4m3",
}


def checked_graph(data: bytes, name: str) -> onnx.ModelProto:
    """A graph that may be given to an engine.

    Args:
        data: a file's whole content.
        name: what it is called in an error.

    Raises:
        UnsafeModelError: E_MODEL_PICKLE or E_MODEL_FORMAT, it is no whole ONNX graph, or one that declares absurd sizes
            or uses other operators than ONNX's own; E_MODEL_PATH, it names other files;
            E_MODEL_NONFINITE, a weight is NaN, or one of several is infinite.
    """
    if len(data) > MOST_GRAPH_BYTES:
        raise refusal(data, name, _GRAPH, f"it has {len(data) >> 20} MB, and 2 GB is the most")
    try:
        model = onnx.load_from_string(data)
    except DecodeError:
        raise refusal(data, name, _GRAPH, "its bytes are damaged or end too early") from None
    if model.ir_version < 1 or not (model.graph.node or model.graph.output or model.graph.initializer):
        raise refusal(data, name, _GRAPH, "there is nothing in it")
    try:
        _check(model)
    except _UnfitError as unfit:
        raise UnsafeModelError(unfit.code, f"{name} is refused: {unfit}.") from None
    if not model.graph.node or not model.graph.output:
        raise refusal(data, name, _GRAPH, "it computes nothing")
    return model


def checked_weights(
    data: bytes | memoryview, name: str, *, layers: Collection[str] | None = None, must_be_finite: bool = True
) -> dict[str, Layer]:
    """What lies where in a file of safetensors that may be opened.

    Args:
        data: a file's whole content; a memory-mapped one costs no memory.
        name: what it is called in an error.
        layers: the names of the network's weights, where it is known: others are refused.
        must_be_finite: whether NaN and infinity are refused; a training's state may hold them.

    Returns:
        By name, in the file's order.

    Raises:
        UnsafeModelError: E_MODEL_PICKLE or E_MODEL_FORMAT, it is no whole file of safetensors, or holds weights of
            other layers; E_MODEL_NONFINITE, a weight is NaN or infinite.
    """
    found = layers_of(data, name)
    for one, layer in found.items() if must_be_finite else ():
        if sum(n_not_finite(data[layer.start : layer.stop], layer.dtype)):
            raise UnsafeModelError(
                "E_MODEL_NONFINITE",
                f"The weights {one!r} in {name} are not all numbers (NaN or infinity): the training that made them "
                "went wrong; train again.",
            )
    if strange := [one for one in found if layers is not None and one not in layers]:
        raise UnsafeModelError(
            "E_MODEL_FORMAT",
            f"{name} holds weights of layers that the network does not have ({strange[0]!r}"
            f"{f' and {len(strange) - 1} more' if strange[1:] else ''}): give the weights of this very network.",
        )
    return found


class _UnfitError(Exception):
    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def _check(model: onnx.ModelProto) -> None:
    own = {(function.domain, function.name) for function in model.functions}
    # Whatever field it hides in: sub-graphs, functions, their defaults, sparse tensors, and fields of tomorrow's ONNX.
    for part in _within(model):
        if isinstance(part, TensorProto):
            _check_tensor(part)
        elif isinstance(part, onnx.NodeProto):
            _check_node(part, own)
        elif isinstance(part, onnx.AttributeProto):
            if math.isnan(part.f) or (part.floats and np.isnan(np.asarray(part.floats, dtype=np.float32)).any()):
                raise _UnfitError("E_MODEL_NONFINITE", f"its numbers {part.name!r} are not all numbers (NaN)")
        elif isinstance(part, onnx.SparseTensorProto):
            _refuse_absurd(part.dims, part.values.name)
        elif isinstance(part, onnx.ValueInfoProto):
            _refuse_absurd([one.dim_value for one in part.type.tensor_type.shape.dim], part.name)
    _check_functions(model)


def _within(message: Message) -> Iterator[Message]:
    """The message and all messages inside of it; protobuf itself allows 100 of them in each other."""
    yield message
    if isinstance(message, TensorProto):
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in [value] if isinstance(value, Message) else value:
                yield from _within(one)


def _check_node(node: onnx.NodeProto, own: Collection[tuple[str, str]]) -> None:
    if node.domain not in _DOMAINS and (node.domain, node.op_type) not in own:
        raise _UnfitError(
            "E_MODEL_FORMAT",
            f"its operator {node.op_type!r} belongs to {node.domain!r}, which is not ONNX's own; "
            "export it with the plain operators of ONNX",
        )


def _refuse_absurd(dims: Sequence[int], name: str) -> None:
    if len(dims) > _MOST_DIMS or min(dims, default=0) < 0 or math.prod(max(1, dim) for dim in dims) > MOST_ELEMENTS:
        raise _UnfitError("E_MODEL_FORMAT", f"it declares an absurd size of {name!r}")


def _check_functions(model: onnx.ModelProto) -> None:
    """Functions that call themselves never end, and few that call each other twice grow beyond any memory."""
    functions = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size_of(nodes: Sequence[onnx.NodeProto], above: tuple[tuple[str, str], ...]) -> int:
        total = len(nodes)
        for node in (one for outer in nodes for one in _within(outer) if isinstance(one, onnx.NodeProto)):
            key = (node.domain, node.op_type)
            if key in above:
                raise _UnfitError("E_MODEL_FORMAT", f"its function {node.op_type!r} calls itself")
            if key in functions and key not in sizes:
                if len(above) > 100:
                    raise _UnfitError("E_MODEL_FORMAT", "its functions call each other without end")
                sizes[key] = size_of(functions[key].node, (*above, key))
            total += sizes.get(key, 0)
        return total

    for key, function in functions.items():
        sizes.setdefault(key, size_of(function.node, (key,)))
    if size_of(model.graph.node, ()) > MOST_NODES:
        raise _UnfitError("E_MODEL_FORMAT", f"it grows to more than {MOST_NODES} operators")


def _check_tensor(tensor: TensorProto) -> None:
    shown = repr(tensor.name)
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise _UnfitError(
            "E_MODEL_PATH",
            f"its weights {shown} lie in another file; save the graph as one file, with the weights inside",
        )
    _refuse_absurd(tensor.dims, tensor.name)
    n = math.prod(tensor.dims)
    if tensor.HasField("segment") or n != _n_present(tensor, n):
        raise _UnfitError("E_MODEL_FORMAT", f"its weights {shown} are not of the size that it says")
    n_nan, n_infinite = n_not_finite(_bytes_of(tensor), _FLOATS.get(tensor.data_type, ""))
    # A single infinity is how graphs mask and clip; among weights it comes from a training that went wrong.
    if n_nan or (n_infinite and n > 1):
        raise _UnfitError(
            "E_MODEL_NONFINITE",
            f"its weights {shown} are not all numbers (NaN or infinity): the training that made them went wrong",
        )


def _n_present(tensor: TensorProto, n: int) -> int:
    """How many elements there really are; n where the bytes are as many as n elements take."""
    if tensor.data_type == TensorProto.STRING:
        return len(tensor.string_data)
    if tensor.data_type not in _BITS:
        return -1
    bits = _BITS[tensor.data_type]
    if tensor.HasField("raw_data"):
        return n if len(tensor.raw_data) * 8 == -(-n * bits // 8) * 8 else -1
    field = _field_of(tensor)
    if tensor.data_type in (TensorProto.COMPLEX64, TensorProto.COMPLEX128):
        return len(field) // 2
    return n if bits == 4 and len(field) == -(-n // 2) else len(field)


def _field_of(tensor: TensorProto) -> Sequence[Any]:
    if tensor.data_type in (TensorProto.FLOAT, TensorProto.COMPLEX64):
        return tensor.float_data
    if tensor.data_type in (TensorProto.DOUBLE, TensorProto.COMPLEX128):
        return tensor.double_data
    if tensor.data_type == TensorProto.INT64:
        return tensor.int64_data
    return tensor.uint64_data if tensor.data_type in (TensorProto.UINT32, TensorProto.UINT64) else tensor.int32_data


def _bytes_of(tensor: TensorProto) -> bytes:
    if tensor.HasField("raw_data") or tensor.data_type not in _FLOATS:
        return tensor.raw_data
    kinds: dict[int, str] = {TensorProto.FLOAT: "<f4", TensorProto.COMPLEX64: "<f4", TensorProto.DOUBLE: "<f8"}
    kinds[TensorProto.COMPLEX128] = "<f8"
    # The narrow ones are kept as the bits of a wider whole number.
    narrow = f"<u{_BITS[tensor.data_type] // 8}"
    values = np.asarray(_field_of(tensor))
    return values.astype(kinds.get(tensor.data_type, narrow)).tobytes()
