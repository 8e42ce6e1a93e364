"""Export as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from terminal import Winnow

from winnow.api.model_exports import MODEL_EXPORTS
from winnow.data.targets import TARGETS


@pytest.fixture
def imported(winnow: Winnow, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Winnow:
    """A workspace with a dataset called shapes, and an empty folder to be in."""
    assert winnow("import", shapes).code == 0
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return winnow


def test_without_out_it_is_written_here_under_a_name_that_says_what_it_is(imported: Winnow):
    said = imported("export", "shapes", "--to", "coco")
    size = f"{sum(path.stat().st_size for path in Path('shapes-coco').glob('t*/*')) / 1000:.1f} kB"
    assert said.code == 0
    assert said.out == f"shapes, version 1: 60 pictures, {size}, as coco in {Path.cwd() / 'shapes-coco'}\n"
    assert sorted(path.name for path in Path("shapes-coco").iterdir()) == ["annotations", "test", "train"]
    assert imported("export", "shapes", "--to", "zip", "--split", "test").code == 0
    assert Path("shapes-test.zip").is_file()


def test_what_is_written_can_be_imported(imported: Winnow):
    assert imported("export", "shapes", "--to", "parquet", "--out", "out").code == 0
    said = imported("import", "out", "--name", "back", "--json")
    assert json.loads(said.out)["classes"] == json.loads(imported("show", "shapes", "--json").out)["classes"]


def test_in_json_it_says_what_was_written_and_what_was_not(imported: Winnow):
    assert imported("relabel", "shapes", "bright/00.png", "--label", "dim").code == 0
    said = imported("export", "shapes", "--to", "coco", "--out", "out", "--version", "1", "--json")
    facts = json.loads(said.out)
    assert (facts["path"], facts["format"], facts["version"]) == (str(Path.cwd() / "out"), "coco", 1)
    assert (facts["dataset"], facts["split"], facts["pictures"]) == ("shapes", None, 60)
    assert [note["code"] for note in facts["notes"]] == ["W_NO_BOX"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("shapes",), 2, "--to"),
        (("shape", "--to", "csv"), 4, "Did you mean shapes?"),
        (("shapes", "--to", "parket"), 4, "Did you mean parquet?"),
        (("shapes", "--to", "csv", "--version", "9"), 4, "9"),
        (("shapes", "--to", "csv", "--split", "val"), 4, "it has train, test"),
        (("shapes", "--to", "csv", "--out", "."), 2, "the folder that you are in"),
        (("shapes", "--to", "csv", "--out", ".."), 2, "nothing is overwritten"),
    ],
)
def test_what_makes_no_sense_is_told(imported: Winnow, words: tuple[str, ...], code: int, sentence: str):
    said = imported("export", *words)
    assert said.code == code
    assert sentence in said.err
    assert "Traceback" not in said.err


# Models


@pytest.fixture
def trained(imported: Winnow) -> Winnow:
    """The same with a model called like its dataset."""
    assert imported("train", "shapes", "--rungs", "commonest-class,pixels-nearest-neighbour").code == 0
    return imported


def test_the_format_says_whether_a_model_or_its_dataset_is_meant(trained: Winnow):
    said = trained("export", "shapes", "--to", "onnx")
    assert said.code == 0
    first, proof = said.out.splitlines()
    assert first.startswith("shapes@1: 5 files, ")
    assert first.endswith(f", as onnx in {Path.cwd() / 'shapes-onnx'}")
    assert proof.startswith(
        "Proven on 48 pictures: all pictures that it was judged on, out of fold ('shapes', version 1)."
    )
    assert trained("export", "shapes", "--to", "csv").code == 0
    assert {path.name for path in Path().iterdir()} == {"shapes-onnx", "shapes-csv"}


def test_in_json_it_gives_the_proof(trained: Winnow):
    said = trained("export", "shapes@1", "--to", "onnx", "--out", "out", "--json")
    facts = json.loads(said.out)
    assert (facts["path"], facts["format"], facts["model"]) == (str(Path.cwd() / "out"), "onnx", "shapes@1")
    assert facts["proof"] == json.loads(Path("out/proof.json").read_text(encoding="utf-8"))


def test_a_models_folder_can_be_named_and_proven_on_pictures(trained: Winnow, shapes: Path):
    assert trained("export", "shapes", "--to", "onnx", "--out", "first").code == 0
    said = trained("export", "./first", "--to", "onnx", "--out", "second")
    assert (said.code, "--pictures FOLDER" in said.err) == (4, True)
    said = trained("export", "./first", "--to", "onnx", "--out", "second", "--pictures", shapes)
    assert (said.code, "Proven on 60 pictures: the pictures that were given." in said.out) == (0, True)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            ("shapes", "--to", "onnx"),
            2,
            "'shapes' is a dataset, and onnx is a format for models; train one: winnow train",
        ),
        (("shape", "--to", "onnx"), 4, "No model is called 'shape'"),
        (("shapes", "--to", "onxn"), 4, "Did you mean onnx?"),
        (("shapes", "--to", "tflite"), 4, "Models can be written as onnx, openvino, int8"),
        (("shapes", "--to", "tflite"), 4, "datasets as folders, csv, coco"),
        (
            ("shapes", "--to", "onnx", "--split", "test"),
            2,
            "--split belongs to datasets, and onnx is a format for models",
        ),
        (("shapes", "--to", "onnx", "--version", "2"), 2, "an older model is named shapes@1"),
        (("shapes", "--to", "csv", "--pictures", "."), 2, "--pictures belongs to models, and csv is a format for"),
    ],
)
def test_mixing_up_models_and_datasets_is_told(imported: Winnow, words: tuple[str, ...], code: int, sentence: str):
    said = imported("export", *words)
    assert (said.code, sentence in said.err) == (code, True), said.err
    assert "Traceback" not in said.err


def test_the_help_names_every_format_with_what_it_is(winnow: Winnow):
    said = " ".join(winnow("export", "--help").out.split())
    for form in MODEL_EXPORTS:
        assert f"{form.name} ({form.title})" in said
    for target in TARGETS:
        assert target.name in said
