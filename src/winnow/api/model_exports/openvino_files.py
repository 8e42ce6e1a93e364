"""`--to openvino`: the evaluated graph in OpenVINO's own files, for OpenVINO alone."""

from __future__ import annotations

from winnow.api.model_exports.model_export import Engine, Leaving, Probabilities
from winnow.api.model_exports.readme import readme
from winnow.api.model_exports.running import run_whole
from winnow.data.targets.new_folder import Folder
from winnow.events import Tell
from winnow.graph.runtime import open_openvino_files, write_openvino_files
from winnow.tasks.predictor import FACTS

XML = "model.xml"
_USE = f"""\
`{XML}` and `model.bin` belong together: uint8 pixels in, calibrated probabilities out. `{FACTS}` names the classes in
the order of the columns, the side in pixels, and how a picture is fitted into it.

    import openvino
    model = openvino.Core().compile_model("{XML}", "CPU", {{"INFERENCE_PRECISION_HINT": "f32"}})
    probabilities = model(pixels)[0]  # (N, side, side, 3) uint8, RGB

Keep the hint: without it OpenVINO computes in 16-bit numbers on processors that have them, faster, and with slightly
other probabilities than those that were proven here."""


class OpenVinoFiles:
    """Read and saved by OpenVINO, with no number rounded on the way."""

    name = "openvino"
    title = "for OpenVINO"
    engine: Engine = "openvino"

    def prepare(self, leaving: Leaving, tell: Tell) -> Leaving:
        """As it is."""
        return leaving

    def write(self, leaving: Leaving, out: Folder, tell: Tell) -> None:
        """The two files, the facts and a README."""
        write_openvino_files(leaving.graph, out.path / XML)
        leaving.facts_of_graph.write(out.path)
        out.write("README.md", readme(leaving, "for OpenVINO", _USE))

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
        """By OpenVINO, from the files."""
        graph = open_openvino_files(out.path / XML)
        return run_whole(graph, leaving.pictures, leaving.facts.input_spec, tell, "asking the export")
