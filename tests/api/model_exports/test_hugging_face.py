"""The folder for the Hugging Face Hub: the card in front, and configuration that says what is true."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from winnow.api.model import Model
from winnow.report.card import as_model_card

from .made_models import CLASSES, SIDE_PX, weighing_model


def _read(folder: Path, name: str) -> dict[str, Any]:
    return json.loads((folder / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def uploaded(trained: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a model's owner would upload; only read."""
    return trained.export(tmp_path_factory.mktemp("hub") / "out", to="huggingface").path


def test_the_card_stands_in_front(uploaded: Path, trained: Model):
    card = (uploaded / "README.md").read_text(encoding="utf-8")
    assert card.startswith(as_model_card(trained.report.numbers))
    assert "python predict.py" in card
    assert {file.name for file in uploaded.iterdir()} == {
        "README.md",
        "config.json",
        "model.onnx",
        "origin.json",
        "predict.py",
        "preprocessor_config.json",
        "proof.json",
        "requirements.txt",
        "winnow.json",
    }


def test_the_configuration_names_the_classes_in_the_order_of_the_columns(uploaded: Path, trained: Model):
    config = _read(uploaded, "config.json")
    assert [config["id2label"][str(place)] for place in range(config["num_labels"])] == list(trained.classes)
    assert all(config["id2label"][str(place)] == name for name, place in config["label2id"].items())
    assert config["problem_type"] == "single_label_classification"
    assert "thresholds" not in config


def test_thresholds_are_named_where_several_classes_may_be_answered(photos: Path, tmp_path: Path):
    thresholds = (0.2, 0.9, 0.5, 0.5)
    model = Model.open(weighing_model(tmp_path / "model", thresholds=thresholds))
    config = _read(model.export(tmp_path / "out", to="huggingface", pictures=photos).path, "config.json")
    assert config["problem_type"] == "multi_label_classification"
    assert config["thresholds"] == dict(zip(CLASSES, thresholds, strict=True))


def test_preparing_a_picture_as_the_configuration_says_gives_the_same_probabilities(photos: Path, tmp_path: Path):
    model = Model.open(weighing_model(tmp_path / "model"))
    out = model.export(tmp_path / "out", to="huggingface", pictures=photos).path
    said = _read(out, "preprocessor_config.json")
    assert (said["do_convert_rgb"], said["do_resize"], said["do_center_crop"]) == (True, True, False)
    assert (said["do_rescale"], said["do_normalize"]) == (False, False)
    assert said["size"] == {"height": SIDE_PX, "width": SIDE_PX}
    noise = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    prepared = np.asarray(Image.fromarray(noise).resize((SIDE_PX, SIDE_PX), said["resample"]))
    np.testing.assert_array_equal(model.predict_proba(prepared), model.predict_proba(noise))


def test_of_a_cropped_input_no_untrue_recipe_is_written(photos: Path, tmp_path: Path):
    model = Model.open(weighing_model(tmp_path / "model", "crop"))
    said = _read(model.export(tmp_path / "out", to="huggingface", pictures=photos).path, "preprocessor_config.json")
    assert said["fit"] == "crop"
    assert not {"do_resize", "do_center_crop"} & said.keys()
