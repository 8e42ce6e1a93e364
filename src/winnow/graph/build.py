"""Write small ONNX graphs from plain ops: a thin pen over `onnx.helper` that names tensors by itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20
"""The opset our own graphs are written in; a features graph from elsewhere keeps its own."""
_IR_VERSION = 10
_TYPES = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "int64": TensorProto.INT64}


class GraphPen:
    """Writes one graph with one input and one output; each op returns the name of what it gives.

    >>> pen = GraphPen("features", (None, 2))
    >>> graph = pen.finish(pen.op("Mul", pen.input, pen.constant([[2.0, 3.0]])), "doubled", (None, 2))
    """

    def __init__(
        self,
        input_name: str,
        input_shape: Sequence[int | None],
        dtype: npt.DTypeLike = np.float32,
        *,
        prefix: str = "",
        opset: int = OPSET,
    ) -> None:
        self.input = input_name
        self._prefix = prefix
        self._opset = opset
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._domains = {"": opset}
        shape = ["N" if size is None else size for size in input_shape]
        self._input_info = helper.make_tensor_value_info(input_name, _TYPES[np.dtype(dtype).name], shape)

    def _new_name(self, op: str) -> str:
        return f"{self._prefix}{op}_{len(self._nodes) + len(self._constants)}"

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """A constant tensor; floats are stored as float32."""
        name = self._new_name("constant")
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=dtype), name))
        return name

    def op(self, op_type: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """Add one op with one output."""
        name = self._new_name(op_type)
        self._nodes.append(
            helper.make_node(op_type, list(inputs), [name], name=name, domain=domain, **attributes)  # pyright: ignore[reportArgumentType]
        )
        self._domains.setdefault(domain, 3)
        return name

    def op2(self, op_type: str, *inputs: str, domain: str = "", **attributes: object) -> tuple[str, str]:
        """Add one op with two outputs."""
        name = self._new_name(op_type)
        outputs = (f"{name}_a", f"{name}_b")
        self._nodes.append(
            helper.make_node(op_type, list(inputs), list(outputs), name=name, domain=domain, **attributes)  # pyright: ignore[reportArgumentType]
        )
        self._domains.setdefault(domain, 3)
        return outputs

    def linear(self, x: str, weights: npt.NDArray[np.floating], bias: npt.NDArray[np.floating]) -> str:
        """`x @ weights + bias`, for x (N, D), weights (D, K) and bias (K,)."""
        return self.op("Add", self.op("MatMul", x, self.constant(weights)), self.constant(bias))

    def finish(self, output: str, output_name: str, output_shape: Sequence[int | None]) -> bytes:
        """Name the output, check the graph and give its bytes (the same steps always give the same bytes)."""
        self._nodes.append(helper.make_node("Identity", [output], [output_name], name=f"{self._prefix}output"))
        shape = ["N" if size is None else size for size in output_shape]
        graph = helper.make_graph(
            self._nodes,
            "winnow",
            [self._input_info],
            [helper.make_tensor_value_info(output_name, TensorProto.FLOAT, shape)],
            initializer=self._constants,
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in sorted(self._domains.items())]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="winnow")
        onnx.checker.check_model(model)
        return model.SerializeToString(deterministic=True)
