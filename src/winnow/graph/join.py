"""Join a features graph and a head into the one graph that is the model, and cut it apart again.

The seam is the tensor called `features`. Cutting lets the features be cached, and lets OpenVINO run the
features while ONNX Runtime runs a tree ensemble behind them; the pieces hold the very nodes of the whole.
"""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import compose, utils, version_converter

from winnow.version import VERSION

PIXELS, FEATURES, PROBABILITIES = "pixels", "features", "probabilities"


def opset_of(graph: bytes) -> int:
    """The version of the plain ONNX ops in a graph."""
    model = onnx.load_from_string(graph)
    return next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def join(features: bytes, head: bytes, *, notes: Mapping[str, str] | None = None) -> bytes:
    """One graph, pixels to probabilities, from pixels to features and features to probabilities.

    Args:
        features: a graph from `pixels` to `features`.
        head: a graph from `features` to `probabilities`, its inner names prefixed with `head/`.
        notes: stored in the file as ONNX metadata (class names, the version of Winnow, ...).
    """
    first, second = onnx.load_from_string(features), onnx.load_from_string(head)
    opset, ours = opset_of(features), opset_of(head)
    if opset > ours:
        second = version_converter.convert_version(second, opset)
    elif opset < ours:
        first = version_converter.convert_version(first, ours)
    first.ir_version = second.ir_version = max(first.ir_version, second.ir_version)
    del second.graph.value_info[:]  # a head that was cut off names the seam there, as the features do
    # The features stay visible as a second output inside the merge only: the model has one output.
    whole = compose.merge_models(first, second, io_map=[(FEATURES, FEATURES)], outputs=[PROBABILITIES])
    _name_opsets_once(whole)
    whole.producer_name, whole.producer_version = "winnow", VERSION
    for key, value in sorted((notes or {}).items()):
        whole.metadata_props.add(key=key, value=value)
    return whole.SerializeToString(deterministic=True)


def cut(graph: bytes | onnx.ModelProto) -> tuple[bytes, bytes]:
    """The two pieces of a joined graph: pixels to features, features to probabilities."""
    model = onnx.load_from_string(graph) if isinstance(graph, bytes) else graph
    model = onnx.shape_inference.infer_shapes(model)
    _name_opsets_once(model)  # models of before name some twice
    extractor = utils.Extractor(model)
    pieces = (
        extractor.extract_model([PIXELS], [FEATURES]),
        extractor.extract_model([FEATURES], [PROBABILITIES]),
    )
    return pieces[0].SerializeToString(deterministic=True), pieces[1].SerializeToString(deterministic=True)


def notes_of(graph: bytes) -> dict[str, str]:
    """What was stored in the file as ONNX metadata."""
    return {entry.key: entry.value for entry in onnx.load_from_string(graph).metadata_props}


def _name_opsets_once(model: onnx.ModelProto) -> None:
    """Merging names the plain ops once for each piece, which some programs refuse to read."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    del model.opset_import[:]
    model.opset_import.extend(onnx.helper.make_opsetid(domain, version) for domain, version in versions.items())
