"""What opens, and what is refused: the corpus of bad models, and what a sender could still think of."""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from winnow.graph.backbone import EMBEDDED
from winnow.graph.formats import quantise
from winnow.graph.join import join
from winnow.graph.safe_opening import UnsafeModelError, checked_graph, checked_weights

from .tiny import features_graph, head_graph, pictures

LAYERS = ("conv.weight", "conv.bias")
SENTENCE = r"^[A-Z\w].* [a-z].*\. \(E_MODEL_[A-Z]+\)$"


def open_as_named(data: bytes, name: str) -> None:
    """As a user's file is opened: what is called .onnx as a graph, everything else as weights."""
    if name.endswith(".onnx"):
        checked_graph(data, name)
    else:
        checked_weights(data, name, layers=LAYERS)


def bad_models(folder: Path) -> list[dict[str, str]]:
    rows = [json.loads(line) for line in (folder / "badinput/MANIFEST.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row for row in rows if row["category"] == "model"]


def test_every_bad_model_is_refused_by_its_code_with_a_sentence(
    test_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)  # a canary that runs makes a folder here
    rows = bad_models(test_data)
    assert len(rows) == 32
    for row in rows:
        data = (test_data / "badinput" / row["path"]).read_bytes()
        with pytest.raises(UnsafeModelError, match=SENTENCE) as refused:
            open_as_named(data, Path(row["path"]).name)
        assert refused.value.code in row["code"].split("|"), row["path"]
    assert list(tmp_path.iterdir()) == []


def test_a_name_changes_nothing(test_data: Path):
    for row in bad_models(test_data):
        data = (test_data / "badinput" / row["path"]).read_bytes()
        for name in ("model.onnx", "weights.safetensors"):
            with pytest.raises(UnsafeModelError) as refused:
                open_as_named(data, name)
            if row["code"] == "E_MODEL_PICKLE":
                assert refused.value.code == "E_MODEL_PICKLE", row["path"]


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(lp0\n.",
        b"(dp0\nS'a'\np1\nI1\ns.",
        b"\x80\x02}q\x00.",
        b"\x80\x05\x95\0\0\0\0\0\0\0\0.",
    ],
)
def test_a_pickle_of_any_protocol_is_called_one(data: bytes):
    with pytest.raises(UnsafeModelError, match=r"m\.pt is a pickle .* export the network to ONNX"):
        checked_graph(data, "m.pt")


# Graphs


def made(
    *nodes: onnx.NodeProto,
    weights: list[TensorProto] | None = None,
    functions: list[onnx.FunctionProto] | None = None,
    domains: tuple[str, ...] = ("",),
) -> bytes:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 4])]
    graph = helper.make_graph(
        list(nodes) or [helper.make_node("Relu", ["x"], ["y"])], "g", inputs, outputs, weights or []
    )
    opsets = [helper.make_opsetid(domain, 20 if domain == "" else 1) for domain in domains]
    return helper.make_model(graph, opset_imports=opsets, functions=functions or []).SerializeToString()


def elsewhere(name: str = "w") -> TensorProto:
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def holding(tensor: TensorProto) -> onnx.NodeProto:
    return helper.make_node("Constant", [], ["c"], value=tensor)


def in_a_branch(tensor: TensorProto) -> onnx.NodeProto:
    branch = helper.make_graph([holding(tensor)], "then", [], [helper.make_tensor_value_info("c", 1, [1])])
    return helper.make_node("If", ["b"], ["y"], then_branch=branch, else_branch=branch)


def sparse(tensor: TensorProto) -> onnx.NodeProto:
    both = onnx.SparseTensorProto(values=tensor, indices=helper.make_tensor("i", TensorProto.INT64, [1], [0]), dims=[9])
    return helper.make_node("Constant", [], ["c"], sparse_value=both)


def function(name: str, *nodes: onnx.NodeProto) -> onnx.FunctionProto:
    return helper.make_function("own", name, ["a"], ["y"], list(nodes), [helper.make_opsetid("", 20)])


def with_default(made_function: onnx.FunctionProto, default: onnx.AttributeProto) -> onnx.FunctionProto:
    made_function.attribute_proto.append(default)
    return made_function


@pytest.mark.parametrize(
    "graph",
    [features_graph(), join(features_graph(), head_graph()), quantise(features_graph(), pictures(4)), made()],
    ids=["features", "a whole model", "int8", "Relu"],
)
def test_a_graph_that_is_one_is_given_back_as_it_is(graph: bytes):
    assert checked_graph(graph, "model.onnx") == onnx.load_from_string(graph)


def test_the_backbone_that_comes_with_winnow_opens():
    for graph in sorted(EMBEDDED.glob("*/*.onnx")):
        checked_graph(graph.read_bytes(), graph.name)


@pytest.mark.parametrize(
    "graph",
    [
        made(weights=[elsewhere()]),
        made(holding(elsewhere())),
        made(in_a_branch(elsewhere())),
        made(sparse(elsewhere())),
        made(functions=[function("f", holding(elsewhere()))]),
        made(functions=[function("f", in_a_branch(elsewhere()))]),
        made(functions=[with_default(function("f"), in_a_branch(elsewhere()).attribute[0])]),
    ],
    ids=["initializer", "attribute", "sub-graph", "sparse", "function", "sub-graph of a function", "default"],
)
def test_weights_in_another_file_are_refused_wherever_they_hide(graph: bytes):
    with pytest.raises(
        UnsafeModelError, match=r"m\.onnx is refused: its weights 'w' lie in another file; save"
    ) as refused:
        checked_graph(graph, "m.onnx")
    assert refused.value.code == "E_MODEL_PATH"


def test_an_operator_of_the_senders_own_library_is_refused():
    node = helper.make_node("Evil", ["x"], ["y"], domain="com.example")
    with pytest.raises(
        UnsafeModelError, match=r"operator 'Evil' belongs to 'com\.example', which is not ONNX's own; export"
    ):
        checked_graph(made(node, domains=("", "com.example")), "m.onnx")


def test_an_operator_of_the_engine_that_could_name_files_is_refused():
    node = helper.make_node("EPContext", ["x"], ["y"], domain="com.microsoft", ep_cache_context="/etc/passwd")
    with pytest.raises(UnsafeModelError, match=r"operator 'EPContext' belongs to 'com\.microsoft'"):
        checked_graph(made(node, domains=("", "com.microsoft")), "m.onnx")


def test_an_operator_that_the_file_itself_explains_is_taken():
    mine = function("twice", helper.make_node("Add", ["a", "a"], ["y"]))
    graph = made(helper.make_node("twice", ["x"], ["y"], domain="own"), functions=[mine], domains=("", "own"))
    assert checked_graph(graph, "m.onnx").functions[0].name == "twice"


def test_a_function_that_calls_itself_is_refused():
    mine = function("f", helper.make_node("f", ["a"], ["y"], domain="own"))
    graph = made(helper.make_node("f", ["x"], ["y"], domain="own"), functions=[mine], domains=("", "own"))
    with pytest.raises(UnsafeModelError, match="function 'f' calls itself"):
        checked_graph(graph, "m.onnx")


def test_functions_that_would_grow_to_billions_of_operators_are_refused():
    def doubling(i: int) -> onnx.FunctionProto:
        inner = f"f{i + 1}"
        first = helper.make_node(inner, ["a"], ["b"], domain="own")
        return function(f"f{i}", first, helper.make_node(inner, ["b"], ["y"], domain="own"))

    functions = [*(doubling(i) for i in range(40)), function("f40", helper.make_node("Relu", ["a"], ["y"]))]
    graph = made(helper.make_node("f0", ["x"], ["y"], domain="own"), functions=functions, domains=("", "own"))
    with pytest.raises(UnsafeModelError, match="grows to more than"):
        checked_graph(graph, "m.onnx")


@pytest.mark.parametrize("dims", [[3], [], [1] * 3, [0]])
def test_weights_of_another_size_than_they_say_are_refused(dims: list[int]):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=bytes(8))
    with pytest.raises(UnsafeModelError, match="'w' are not of the size that it says"):
        checked_graph(made(weights=[tensor]), "m.onnx")


@pytest.mark.parametrize("dims", [[1 << 40, 1 << 40], [-1], [0, 1 << 62], [1] * 100])
def test_absurd_sizes_of_weights_are_refused_sparse_ones_too(dims: list[int]):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims)
    dense = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    places = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    scattered = onnx.SparseTensorProto(values=dense, indices=places, dims=dims)
    for graph in (
        made(weights=[tensor]),
        made(helper.make_node("Constant", [], ["c"], sparse_value=scattered)),
    ):
        with pytest.raises(UnsafeModelError, match="declares an absurd size of 'w'"):
            checked_graph(graph, "m.onnx")


def test_an_absurd_size_of_what_goes_in_is_refused():
    model = onnx.load_from_string(made())
    for _ in range(3):
        model.graph.input[0].type.tensor_type.shape.dim.add(dim_value=1 << 30)
    with pytest.raises(UnsafeModelError, match="declares an absurd size of 'x'"):
        checked_graph(model.SerializeToString(), "m.onnx")


@pytest.mark.parametrize("dtype", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16])
@pytest.mark.parametrize("is_raw", [True, False])
def test_weights_that_are_no_numbers_are_refused(dtype: int, is_raw: bool):
    for odd in (np.nan, np.inf, -np.inf):
        values = np.array([1.0, odd])
        kind = helper.tensor_dtype_to_np_dtype(dtype)
        content = values.astype(kind).tobytes() if is_raw else values
        tensor = helper.make_tensor("w", dtype, [2], content, raw=is_raw)
        with pytest.raises(UnsafeModelError, match="'w' are not all numbers") as refused:
            checked_graph(made(weights=[tensor]), "m.onnx")
        assert refused.value.code == "E_MODEL_NONFINITE"


def test_one_infinity_that_masks_is_taken_and_one_nan_is_not():
    for value, is_taken in ((-np.inf, True), (np.nan, False)):
        graph = made(weights=[numpy_helper.from_array(np.array(value, np.float32), "w")])
        if is_taken:
            checked_graph(graph, "m.onnx")
        else:
            with pytest.raises(UnsafeModelError, match="not all numbers"):
                checked_graph(graph, "m.onnx")


def test_trees_with_a_threshold_that_is_no_number_are_refused():
    node = helper.make_node("Scaler", ["x"], ["y"], domain="ai.onnx.ml", offset=[0.0, float("nan")])
    with pytest.raises(UnsafeModelError, match="'offset' are not all numbers"):
        checked_graph(made(node, domains=("", "ai.onnx.ml")), "m.onnx")


def test_a_graph_cut_short_anywhere_is_refused_or_still_whole():
    graph = made(weights=[numpy_helper.from_array(np.ones(3, np.float32), "w")])
    for length in range(len(graph)):
        with contextlib.suppress(UnsafeModelError):
            checked_graph(graph[:length], "m.onnx")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"PK\3\4config.json", "a zip archive"),
        (b"\x93NUMPY\1\0v\0{'descr': '<f4', ", "a NumPy file"),
        (struct.pack("<Q", 2) + b"{}", "a file of safetensors"),
    ],
)
def test_what_is_something_else_is_called_by_its_name(data: bytes, said: str):
    with pytest.raises(UnsafeModelError, match=f"m.onnx is {said}.*, not an ONNX graph: export"):
        checked_graph(data, "m.onnx")


# Weights


def weights_file(header: object, n_bytes: int = 0) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(n_bytes)


def test_weights_are_found_where_the_library_puts_them():
    safetensors = pytest.importorskip("safetensors.numpy")
    values = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([7], np.int64), "c": np.empty((0, 4))}
    data = safetensors.save(values, {"net": "lenet-5"})
    found = checked_weights(data, "w")
    assert {name: layer.shape for name, layer in found.items()} == {"a": (2, 3), "b": (1,), "c": (0, 4)}
    for name, layer in found.items():
        assert data[layer.start : layer.stop] == values[name].tobytes()
        assert layer.dtype == values[name].dtype.name


@pytest.mark.parametrize(
    ("header", "n_bytes"),
    [
        ({"a": {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]}}, 4),
        ({"a": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, 4),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], "location": "/etc/passwd"}}, 4),
        ({"a": {"dtype": "F32", "shape": [1] * 100000, "data_offsets": [0, 4]}}, 4),
        ({"a": {"dtype": "F32", "shape": 1, "data_offsets": [0, 4]}}, 4),
        ({"a": {"dtype": "F32", "shape": [0, 1 << 62, 4], "data_offsets": [0, 0]}}, 0),
        ({"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}, 4),
        ({"a": [1]}, 0),
        ({"__metadata__": {"a": 1}}, 0),
        ([], 0),
        (b" {}", 0),
        (b'{"a": NaN}', 0),
        (b"[" * 100000, 0),
        (b'{"a": ' + b"9" * 5000 + b"}", 0),
        (b"\xff{}", 0),
    ],
)
def test_a_header_that_makes_no_sense_is_refused(header: object, n_bytes: int):
    with pytest.raises(UnsafeModelError, match=SENTENCE) as refused:
        checked_weights(weights_file(header, n_bytes), "weights.safetensors")
    assert refused.value.code == "E_MODEL_FORMAT"


def test_a_header_beyond_any_meaning_is_refused_though_it_is_there():
    data = weights_file(b"{" + b" " * (17 << 20) + b"}")
    with pytest.raises(UnsafeModelError, match="more than there are or can be meant"):
        checked_weights(data, "weights.safetensors")


def test_what_we_take_the_library_takes_however_a_file_is_damaged():
    library = pytest.importorskip("safetensors")
    header = {"a": {"dtype": "F16", "shape": [2, 2], "data_offsets": [0, 8]}, "__metadata__": {"k": "v"}}
    whole, rng, n_taken = weights_file(header, 8), np.random.default_rng(0), 0
    for _ in range(3000):
        data = bytearray(whole)
        data[rng.integers(0, len(whole))] = rng.choice(np.frombuffer(b'0123456789{}[],:"aF\x00\xff', np.uint8))
        try:
            checked_weights(bytes(data), "w")
        except UnsafeModelError:
            continue
        n_taken += 1
        library.deserialize(bytes(data))
    assert 0 < n_taken < 3000


@pytest.mark.parametrize(
    ("dtype", "bits", "is_finite"),
    [
        ("F64", struct.pack("<d", 1.5), True),
        ("F64", struct.pack("<d", float("nan")), False),
        ("F32", struct.pack("<f", float("-inf")), False),
        ("F16", b"\x01\x7c", False),
        ("F16", b"\xff\x7b", True),
        ("BF16", b"\x80\x7f", False),
        ("BF16", b"\x7f\x7f", True),
        ("F8_E4M3", b"\xff", False),
        ("F8_E4M3", b"\x7e", True),
        ("F8_E5M2", b"\x7c", False),
        ("F8_E5M2", b"\x7b", True),
        ("I16", b"\xff\x7f", True),
    ],
)
def test_numbers_of_every_width_are_looked_at(dtype: str, bits: bytes, is_finite: bool):
    header = {"a": {"dtype": dtype, "shape": [1], "data_offsets": [0, len(bits)]}}
    data = weights_file(header) + bits
    open_it: Callable[[], object] = lambda: checked_weights(data, "w")  # noqa: E731
    if is_finite:
        open_it()
        return
    with pytest.raises(UnsafeModelError, match="'a' in w are not all numbers") as refused:
        open_it()
    assert refused.value.code == "E_MODEL_NONFINITE"
    assert checked_weights(data, "w", must_be_finite=False)
