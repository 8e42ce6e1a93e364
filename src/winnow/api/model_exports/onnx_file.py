"""`--to onnx`: the evaluated graph itself, one file that any ONNX runtime opens."""

from __future__ import annotations

from winnow.api.model_exports.model_export import Engine, Leaving, Probabilities
from winnow.api.model_exports.readme import readme
from winnow.api.model_exports.running import run_whole
from winnow.data.targets.new_folder import Folder
from winnow.events import Tell
from winnow.graph.runtime import open_small_graph
from winnow.tasks.predictor import FACTS, GRAPH

_USE = f"""\
`{GRAPH}` is self-contained: uint8 pixels in, calibrated probabilities out. `{FACTS}` names the classes in the order of
the columns, the side in pixels, and how a picture is fitted into it.

    import numpy, onnxruntime
    session = onnxruntime.InferenceSession("{GRAPH}", providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(None, {{session.get_inputs()[0].name: pixels}})  # (N, side, side, 3) uint8, RGB"""


class OnnxFile:
    """The file is the evaluated graph to the last bit, so its SHA-256 is the model's own digest."""

    name = "onnx"
    title = "one graph for any ONNX runtime"
    engine: Engine = "onnxruntime"

    def prepare(self, leaving: Leaving, tell: Tell) -> Leaving:
        """As it is."""
        return leaving

    def write(self, leaving: Leaving, out: Folder, tell: Tell) -> None:
        """The graph, its facts and a README."""
        write_graph_and_facts(leaving, out)
        out.write("README.md", readme(leaving, "as an ONNX graph", _USE))

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
        """By ONNX Runtime, from the file."""
        graph = open_small_graph((out.path / GRAPH).read_bytes())
        return run_whole(graph, leaving.pictures, leaving.facts.input_spec, tell, "asking the export")


def write_graph_and_facts(leaving: Leaving, out: Folder) -> None:
    """`model.onnx` and `winnow.json`, which belong together: the second holds the digest of the first."""
    out.write(GRAPH, leaving.graph)
    leaving.facts_of_graph.write(out.path)
