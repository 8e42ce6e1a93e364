"""`--to int8`: the network's convolutions and products in 8-bit numbers: a quarter of the size, faster where the
processor knows them, and answers of its own, whose worth is measured before they are handed over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import onnx

from winnow.api.model_exports.model_export import Engine, Leaving, Probabilities
from winnow.api.model_exports.onnx_file import OnnxFile, write_graph_and_facts
from winnow.api.model_exports.readme import readme
from winnow.data.inputs import read_input
from winnow.data.targets.new_folder import Folder
from winnow.errors import UserError
from winnow.events import Progress, Tell
from winnow.graph.formats import quantise
from winnow.graph.join import cut, join, notes_of
from winnow.tasks.predictor import FACTS, GRAPH

MOST_CALIBRATION = 128
"""Pictures whose ranges the 8-bit numbers are fitted to. Ranges of the smallest and largest values settle early: more
pictures change them little (Krishnamoorthi, Quantizing Deep Convolutional Networks, 2018, finds 100 enough)."""
_FEWEST_CALIBRATION = 8
EXACT_SHARE = 0.2
"""Of the convolutions, the first ones stay in 32-bit numbers: few weights, and ranges too wide for 8 bits. Of the
embedded backbone's 50 on photographs of clouds, all in 8 bits: 92.6 % the same answers as in 32 bits, accuracy 0.681
for 0.705, least similarity of features 0.952; with the first 10 as they are 95.4 %, 0.697 and 0.994, and 10 % more
bytes."""
_USE = f"""\
`{GRAPH}` takes uint8 pixels and gives calibrated probabilities, as the model that it was made from; its convolutions
and products are computed in 8-bit numbers. `{FACTS}` names the classes in the order of the columns, the side in pixels,
and how a picture is fitted into it. Its answers are close to the model's own, not equal: `proof.json` says how close,
and how its score changes, with a 95 % interval. Other runtimes round 8-bit numbers in their own way; this was measured
with ONNX Runtime.

    import numpy, onnxruntime
    session = onnxruntime.InferenceSession("{GRAPH}", providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(None, {{session.get_inputs()[0].name: pixels}})  # (N, side, side, 3) uint8, RGB"""


class Int8:
    """Made with pictures of the training split, measured on others, refused where it is shown to lose."""

    name = "int8"
    title = "the ONNX graph in 8-bit numbers"
    engine: Engine = "onnxruntime"

    def prepare(self, leaving: Leaving, tell: Tell) -> Leaving:
        """The model with an 8-bit graph, to be measured on pictures that it was not made with.

        Raises:
            UserError: it has 8-bit numbers already, or nothing that could be computed in them, or too few pictures.
        """
        if leaving.number_format == "int8":
            raise UserError(
                f"{leaving.model.full_name} was judged with 8-bit numbers in its graph already: --to onnx writes it."
            )
        chosen = _calibration(leaving)
        features, head = cut(leaving.graph)
        nodes = onnx.load_from_string(features).graph.node
        if not {"Conv", "MatMul", "Gemm"} & {node.op_type for node in nodes}:
            raise UserError(
                f"{leaving.model.full_name} looks at pixels without a network, so 8-bit numbers would change nothing: "
                "--to onnx writes it."
            )
        tell(Progress("fitting 8-bit numbers", 0))
        convolutions = [node.name for node in nodes if node.op_type == "Conv"]
        exact = convolutions[: int(EXACT_SHARE * len(convolutions))]
        in_8_bits = quantise(features, _samples(leaving, chosen), exact=exact)
        graph = join(in_8_bits, head, notes=notes_of(leaving.graph))
        pictures = leaving.pictures.without(set(chosen))
        return replace(leaving, graph=graph, number_format="int8", pictures=pictures)

    def write(self, leaving: Leaving, out: Folder, tell: Tell) -> None:
        """The graph, its facts and a README."""
        write_graph_and_facts(leaving, out)
        out.write("README.md", readme(leaving, "as an ONNX graph with 8-bit numbers", _USE))

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
        """By ONNX Runtime, from the file."""
        return OnnxFile().answers(out, leaving, tell)


def _calibration(leaving: Leaving) -> list[str]:
    """Pictures to fit the 8-bit numbers to: of the training split, the same ones every time."""
    training, left = leaving.pictures.training, len(leaving.pictures)
    if not leaving.pictures.was_learned_from:
        left = 4 * MOST_CALIBRATION  # those that it is measured on are others anyway
    # Where the same pictures serve for both, most of them are for measuring.
    most = min(MOST_CALIBRATION, left // 4)
    if min(len(training), most) < _FEWEST_CALIBRATION:
        raise UserError(
            "8-bit numbers are fitted to pictures of the training split, and there are too few: the workspace with the "
            "model's dataset is needed (--workspace), with 32 pictures or more."
        )
    # Names are hashes, so the first of them are pictures of every kind.
    return list(training[:most])


def _samples(leaving: Leaving, contents: list[str]) -> npt.NDArray[np.uint8]:
    spec = leaving.facts.input_spec
    return np.stack([read_input(leaving.pictures.read(content), spec) for content in contents])
