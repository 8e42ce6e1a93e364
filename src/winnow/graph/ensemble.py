"""Several models of the same pictures in one graph: their probabilities' weighted mean.

The graph has the seam of every model: what all of them compute of a picture lies in one row of `features`, and each
head finds its own columns there. So an ensemble is cut, cached and run like any other model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper, version_converter

from winnow.graph.join import FEATURES, PIXELS, PROBABILITIES, opset_of
from winnow.version import VERSION


@dataclass(frozen=True, slots=True)
class Member:
    """One model of an ensemble, in the pieces that `winnow.graph.join.cut` gives."""

    features: str
    """The name of its features: members of the same name share them."""
    features_graph: bytes
    head: bytes
    weight: float
    """Its share of the mean."""


def join_all(members: Sequence[Member], *, notes: Mapping[str, str] | None = None) -> bytes:
    """One graph, pixels to the weighted mean of the members' probabilities.

    Args:
        members: all of pictures of one size, and of the same classes; weights sum to 1.
        notes: stored in the file as ONNX metadata.

    Raises:
        ValueError: there is none.
    """
    if not members:
        raise ValueError("an ensemble has at least one member")
    opset = max(opset_of(graph) for member in members for graph in (member.features_graph, member.head))
    looks = {member.features: member.features_graph for member in reversed(members)}
    models = {name: _prefixed(graph, f"look{i}/", opset) for i, (name, graph) in enumerate(looks.items())}
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    columns: dict[str, tuple[int, int]] = {}
    parts: list[onnx.ModelProto] = []
    start = 0
    for i, (name, model) in enumerate(models.items()):
        nodes.append(helper.make_node("Identity", [PIXELS], [f"look{i}/{PIXELS}"], name=f"look{i}/given"))
        width = model.graph.output[0].type.tensor_type.shape.dim[1].dim_value
        columns[name] = (start, start + width)
        start += width
        parts.append(model)
    nodes += [node for model in parts for node in model.graph.node]
    together = [f"look{i}/{FEATURES}" for i in range(len(models))]
    nodes.append(helper.make_node("Concat", together, [FEATURES], name="ensemble/together", axis=1))
    said: list[str] = []
    for i, member in enumerate(members):
        head = _prefixed(member.head, f"head{i}/", opset)
        ends = [np.array([end], dtype=np.int64) for end in (*columns[member.features], 1)]
        names = [f"head{i}/from", f"head{i}/to", f"head{i}/axis"]
        constants += [numpy_helper.from_array(end, name) for end, name in zip(ends, names, strict=True)]
        constants.append(numpy_helper.from_array(np.array(member.weight, dtype=np.float32), f"head{i}/weight"))
        nodes.append(helper.make_node("Slice", [FEATURES, *names], [f"head{i}/{FEATURES}"], name=f"head{i}/columns"))
        nodes += head.graph.node
        weighed = helper.make_node(
            "Mul", [f"head{i}/{PROBABILITIES}", f"head{i}/weight"], [f"head{i}/weighed"], name=f"head{i}/weigh"
        )
        nodes.append(weighed)
        said.append(f"head{i}/weighed")
        parts.append(head)
    nodes.append(helper.make_node("Sum", said, [PROBABILITIES], name="ensemble/mean"))
    constants += [constant for model in parts for constant in model.graph.initializer]
    first, n_classes = parts[0], parts[-1].graph.output[0].type.tensor_type.shape.dim[1].dim_value
    side_px = [dim.dim_value for dim in first.graph.input[0].type.tensor_type.shape.dim][1:]
    graph = helper.make_graph(
        nodes,
        "winnow",
        [helper.make_tensor_value_info(PIXELS, TensorProto.UINT8, ["N", *side_px])],
        [helper.make_tensor_value_info(PROBABILITIES, TensorProto.FLOAT, ["N", n_classes])],
        initializer=constants,
    )
    domains = {entry.domain: entry.version for model in parts for entry in model.opset_import}
    opsets = [helper.make_opsetid(domain, version) for domain, version in sorted(domains.items())]
    whole = helper.make_model(
        graph,
        opset_imports=opsets,
        ir_version=max(part.ir_version for part in parts),
        producer_name="winnow",
        producer_version=VERSION,
    )
    for key, value in sorted((notes or {}).items()):
        whole.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(whole)
    return whole.SerializeToString(deterministic=True)


def _prefixed(graph: bytes, prefix: str, opset: int) -> onnx.ModelProto:
    model = onnx.load_from_string(graph)
    if opset_of(graph) != opset:
        model = version_converter.convert_version(model, opset)
    return compose.add_prefix(model, prefix)
