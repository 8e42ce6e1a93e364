"""The recipe makes a backbone of real weights that climbs: features of cats and dogs, without the network."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import onnx
import pytest

import winnow
from winnow.graph.backbone import Backbone, open_backbone

RECIPE = Path(__file__).parents[2] / "recipes" / "timm_backbone.py"


def run(*words: object) -> None:
    """As it is typed, but here, where torch is loaded already."""
    pytest.importorskip("timm", reason="needs the extra 'deep'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", [str(RECIPE), *map(str, words)])
        runpy.run_path(str(RECIPE), run_name="__main__")


@pytest.fixture(scope="module")
def backbone(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    """The EdgeTPU weights at 96 px (the recipe itself checks that graph and torch agree)."""
    out = tmp_path_factory.mktemp("backbone")
    run(test_data / "weights", out, "--side", 96)
    return open_backbone(out)


def test_the_backbone_says_what_it_is(backbone: Backbone):
    assert (backbone.dim, backbone.input_spec.side_px) == (1280, 96)
    assert backbone.licence == "Apache-2.0"


def test_the_graph_carries_no_path_of_the_machine_that_made_it(backbone: Backbone):
    model = onnx.load_from_string(backbone.graph())
    notes = [note.value for part in (model, *model.graph.node) for note in part.metadata_props]
    assert notes == []
    assert str(Path(sys.prefix)).encode() not in backbone.graph()


def test_a_name_that_is_not_in_the_index_is_refused(test_data: Path, tmp_path: Path):
    with pytest.raises(SystemExit, match=r"index\.json has no entry 'resnet'"):
        run(test_data / "weights", tmp_path, "--name", "resnet")


def test_its_features_tell_cats_from_dogs(backbone: Backbone, test_data: Path, tmp_path: Path):
    """200 to learn from, 100 to test on, of the real photographs; the published figure of 128 px on all is 0.975."""
    few = tmp_path / "few"
    for split, count in (("train", 100), ("test", 50)):
        for label in ("cats", "dogs"):
            folder = few / split / label
            folder.mkdir(parents=True)
            for file in sorted((test_data / "cats-dogs" / split / label).iterdir())[:count]:
                (folder / file.name).write_bytes(file.read_bytes())
    model = winnow.train(
        few,
        workspace=tmp_path / "workspace",
        backbone=backbone.folder,
        rungs=["commonest-class", "features-lda"],
        tell=lambda _: None,
    )
    report = model.report.numbers
    assert model.rung == "features-lda"
    assert report.test is not None
    accuracy = report.test.evaluation.scores["accuracy"]
    assert accuracy is not None
    assert accuracy.value > 0.85
    assert report.openings is not None
    assert report.openings.opening == 1
    note = next((tmp_path / "workspace" / "cache" / "formats").glob("*.json"))
    assert json.loads(note.read_text(encoding="utf-8"))["number_format"] in ("fp32", "bf16", "int8")
