"""The graph alone: a stranger with ONNX Runtime and Pillow finds in the file all that it takes to answer alike."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

import winnow
from winnow.api.model import Model
from winnow.tasks.predictor import GRAPH

from .squares import CLASSES


def test_the_file_says_what_it_takes_and_what_it_gives(trained: Model, photos: Path):
    session = onnxruntime.InferenceSession(trained.folder / GRAPH, providers=["CPUExecutionProvider"])
    about = session.get_modelmeta()
    notes = about.custom_metadata_map
    assert about.producer_name == "winnow"
    assert (notes["winnow.task"], notes["winnow.rung"]) == ("classify", "pixels-nearest-neighbour")
    classes = json.loads(notes["winnow.classes"])
    assert tuple(classes) == CLASSES
    assert "winnow.thresholds" not in notes

    told = json.loads(notes["winnow.preprocessing"])
    assert (told["layout"], told["dtype"], told["fit"]) == ("NHWC", "uint8", "squash")
    file = sorted(photos.rglob("*.png"))[0]
    size = (told["side_px"], told["side_px"])
    pixels = np.asarray(Image.open(file).convert("RGB").resize(size, Image.Resampling.BILINEAR))
    probs = session.run(None, {"pixels": pixels[None]})[0][0]
    (answer,) = trained.predict(file)
    assert classes[int(probs.argmax())] == answer.label
    assert np.allclose([answer.probs[name] for name in classes], probs, atol=1e-5)


def test_the_file_names_the_version_that_made_it(trained: Model):
    model = onnx.load(trained.folder / GRAPH)
    assert (model.producer_name, model.producer_version) == ("winnow", winnow.__version__)
