"""Graphs made elsewhere, such as a scikit-learn or Keras model exported to ONNX: described, opened and run."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from winnow.errors import BadDataError, NotFoundError, UserError
from winnow.graph.runtime import quiet_session
from winnow.graph.safe_opening import checked_graph
from winnow.serve.served import Tensor

_TYPES = onnx.TensorProto.DataType
_NUMPY: dict[int, str] = {
    _TYPES.FLOAT: "float32",
    _TYPES.DOUBLE: "float64",
    _TYPES.FLOAT16: "float16",
    _TYPES.INT8: "int8",
    _TYPES.INT16: "int16",
    _TYPES.INT32: "int32",
    _TYPES.INT64: "int64",
    _TYPES.UINT8: "uint8",
    _TYPES.UINT16: "uint16",
    _TYPES.UINT32: "uint32",
    _TYPES.UINT64: "uint64",
    _TYPES.BOOL: "bool",
    _TYPES.STRING: "str",
}


def read_foreign(path: Path) -> tuple[onnx.ModelProto, str]:
    """The graph in a file, checked, with plain tensors for outputs; and the file's sha256, hex.

    Raises:
        NotFoundError: the file is not there.
        UnsafeModelError: it is no ONNX graph that can be opened safely.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFoundError(f"{path} cannot be read ({error.strerror}); name an ONNX file.") from error
    model = checked_graph(data, str(path))
    return _with_plain_outputs(model), hashlib.sha256(data).hexdigest()


def inputs_and_outputs(model: onnx.ModelProto, path: Path) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """What a graph takes and gives.

    Raises:
        BadDataError: something in it is no plain tensor.
    """
    constants = {one.name for one in model.graph.initializer}
    inputs = tuple(_tensor(one, path) for one in model.graph.input if one.name not in constants)
    return inputs, tuple(_tensor(one, path) for one in model.graph.output)


class ForeignGraph:
    """A graph made elsewhere, open on ONNX Runtime in one thread.

    Raises:
        BadDataError: the file changed since `digest` was taken, or ONNX Runtime cannot run it.
    """

    def __init__(self, path: Path, digest: str) -> None:
        model, found = read_foreign(path)
        if found != digest:
            raise BadDataError(f"{path} has changed since the server began to serve it; serve it anew.")
        try:
            # A worker's memory is limited: one large question must not leave others without.
            self._session = quiet_session(model.SerializeToString(), keeps_memory=False)
        # ONNX Runtime raises classes of its own that have no common base.
        except Exception as error:
            raise BadDataError(f"ONNX Runtime cannot open {path} ({_first_line(error)}); export it again.") from error
        self._outputs = [one.name for one in self._session.get_outputs()]

    def run(self, tensors: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Its outputs by name.

        Raises:
            UserError: it does not run on these tensors.
        """
        try:
            values = self._session.run(self._outputs, tensors)
        # As above; what the front could check, it has checked, so the tensors' values or lengths do not fit.
        except Exception as error:
            raise UserError(f"The graph does not run on these tensors ({_first_line(error)}).") from error
        return {name: _plain(value) for name, value in zip(self._outputs, values, strict=True)}


def _with_plain_outputs(model: onnx.ModelProto) -> onnx.ModelProto:
    """With the probabilities of scikit-learn's classifiers as a tensor; its exporter makes dictionaries of them."""
    zips = {node.output[0]: node for node in model.graph.node if node.op_type == "ZipMap"}
    for output in model.graph.output:
        if (node := zips.get(output.name)) is not None:
            n_classes = sum(len(one.ints) + len(one.strings) for one in node.attribute)
            output.CopyFrom(onnx.helper.make_tensor_value_info(output.name, _TYPES.FLOAT, [None, n_classes]))
            node.CopyFrom(onnx.helper.make_node("Identity", [node.input[0]], [output.name]))
    return model


def _tensor(one: onnx.ValueInfoProto, path: Path) -> Tensor:
    kind = one.type.tensor_type
    if one.type.WhichOneof("value") != "tensor_type" or kind.elem_type not in _NUMPY:
        raise BadDataError(f"'{one.name}' of {path} is no plain tensor; export the model with tensors alone.")
    shape = tuple(length.dim_value if length.HasField("dim_value") else None for length in kind.shape.dim)
    return Tensor(one.name, _NUMPY[kind.elem_type], shape)


def _plain(value: Any) -> npt.NDArray[Any]:
    array = np.asarray(value)
    return array.astype(str) if array.dtype.kind == "O" else array


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:200]
