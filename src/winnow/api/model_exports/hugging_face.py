"""`--to huggingface`: a folder as the Hugging Face Hub lays models out, ready to be uploaded by its owner."""

from __future__ import annotations

import json
from typing import Any

from winnow.api.model_exports.model_export import Engine, Leaving, Probabilities
from winnow.api.model_exports.onnx_file import write_graph_and_facts
from winnow.api.model_exports.readme import readme
from winnow.api.model_exports.standalone import SCRIPT, ask_script, write_script
from winnow.data.targets.new_folder import Folder
from winnow.errors import NotFoundError
from winnow.events import Tell
from winnow.report.card import as_model_card
from winnow.tasks.predictor import FACTS, GRAPH, ModelFacts

_BILINEAR = 2  # Pillow's number for it, which is how the Hub's files name it
_USE = f"""\
    pip install -r requirements.txt
    python {SCRIPT} PICTURE_OR_FOLDER...

`{GRAPH}` takes uint8 pixels and gives calibrated probabilities; `{SCRIPT}` decodes and resizes pictures exactly as the
model was measured, and prints a line of JSON for each. `config.json` names the classes, `preprocessor_config.json` says
how pictures are prepared (scaling and normalising are inside the graph), `{FACTS}` holds both for Winnow.

Nothing here was uploaded: look through it, then do so yourself, as `hf upload NAME .`"""


class HuggingFace:
    """The graph with the model card as README.md, and configuration files that say what is true of it."""

    name = "huggingface"
    title = "a folder for the Hugging Face Hub"
    engine: Engine = "onnxruntime"

    def prepare(self, leaving: Leaving, tell: Tell) -> Leaving:
        """As it is."""
        return leaving

    def write(self, leaving: Leaving, out: Folder, tell: Tell) -> None:
        """Graph, facts, script, configuration and card."""
        write_graph_and_facts(leaving, out)
        write_script(out)
        out.write("config.json", _json(_config(leaving.facts)))
        out.write("preprocessor_config.json", _json(_preprocessing(leaving.facts)))
        out.write("README.md", _card(leaving))

    def answers(self, out: Folder, leaving: Leaving, tell: Tell) -> Probabilities:
        """By the script, in a process of its own, on the pictures as files."""
        return ask_script(out, leaving, tell)


def _config(facts: ModelFacts) -> dict[str, Any]:
    is_one = facts.thresholds is None
    config: dict[str, Any] = {
        "model_type": "winnow",
        "problem_type": "single_label_classification" if is_one else "multi_label_classification",
        "num_labels": len(facts.classes),
        "id2label": {str(place): name for place, name in enumerate(facts.classes)},
        "label2id": {name: place for place, name in enumerate(facts.classes)},
        "image_size": facts.input_spec.side_px,
        "num_channels": 3,
        "outputs": "calibrated probabilities",
    }
    if facts.thresholds is not None:
        config["thresholds"] = dict(zip(facts.classes, facts.thresholds, strict=True))
    return config


def _preprocessing(facts: ModelFacts) -> dict[str, Any]:
    side = facts.input_spec.side_px
    prepared: dict[str, Any] = {
        "do_convert_rgb": True,
        "do_rescale": False,
        "do_normalize": False,
        "size": {"height": side, "width": side},
        "resample": _BILINEAR,
        "fit": facts.input_spec.fit,
    }
    # The Hub's own crop comes after resizing and rounds otherwise, so of a cropped input it is not said that it is one.
    return {**prepared, "do_resize": True, "do_center_crop": False} if facts.input_spec.fit == "squash" else prepared


def _json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, indent=2, ensure_ascii=False).encode()


def _card(leaving: Leaving) -> bytes:
    """The model card and how to use what lies here; of a model without its report only the second."""
    try:
        card = as_model_card(leaving.model.report.numbers)
    except NotFoundError:
        return readme(leaving, "for the Hugging Face Hub", _USE)
    return f"{card}\n## Use\n\n{_USE}\n\n`proof.json` holds this export against the evaluated model.\n".encode()
