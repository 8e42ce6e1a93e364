"""What may be named to be served, and what a server knows of it without opening a graph."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import winnow
from api.squares import RUNGS, squares
from winnow.errors import NotFoundError, UserError
from winnow.events import tell_nobody
from winnow.serve.opening import lineup_of, open_served
from winnow.workspace.names import NameRefusedError

from .foreign_models import logistic_regression
from .tiny_models import CLASSES, tiny_model


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With squares@1 and squares@2."""
    home = tmp_path_factory.mktemp("served")
    for n in (40, 44):
        winnow.train(*squares(n), name="squares", workspace=home / "workspace", rungs=RUNGS, tell=tell_nobody)
    return home / "workspace"


def shares(models: list[str], canaries: list[str], workspace: Path) -> dict[str, float]:
    return {one.served.full_name: one.share for one in lineup_of(models, canaries, workspace)}


def test_a_name_means_the_newest_version_and_a_number_that_very_one(workspace: Path):
    assert open_served("squares", workspace).full_name == "squares@2"
    assert open_served("squares@1", workspace).full_name == "squares@1"


def test_the_facts_are_those_of_the_model(workspace: Path):
    served, model = open_served("squares", workspace), winnow.Model.open("squares", workspace)
    assert (served.digest, served.classes, served.task) == (model.digest, model.classes, "classify")
    assert (served.sure_from, served.thresholds) == (model.sure_from, None)
    assert served.kind == "pictures"
    assert [one.shape for one in (*served.inputs, *served.outputs)] == [(None, 8, 8, 3), (None, 2)]


def test_a_folder_is_served_under_its_models_name_and_the_start_of_its_digest(tmp_path: Path):
    folder = tiny_model(tmp_path / "anywhere")
    served = open_served(str(folder))
    assert (served.name, served.version, served.classes) == ("clouds", served.digest[:12], CLASSES)
    assert open_served(f"sky={folder}").name == "sky"


def test_a_name_that_is_none_is_not_taken_from_a_folder(tmp_path: Path):
    folder = tiny_model(tmp_path / "sent", name="\x1b[31mclouds/..")
    with pytest.raises(NameRefusedError) as refused:
        open_served(str(folder))
    assert "\x1b" not in str(refused.value)
    assert open_served(f"clouds={folder}").name == "clouds"


def test_a_graph_made_elsewhere_is_served_with_what_it_takes_and_gives(tmp_path: Path):
    path, _ = logistic_regression(tmp_path / "irises.onnx")
    served = open_served(f"flowers={path}")
    assert (served.name, served.kind, served.classes) == ("flowers", "tensors", ())
    assert [(one.name, one.dtype, one.shape) for one in served.inputs] == [("measures", "float32", (None, 4))]
    assert [(one.name, one.dtype) for one in served.outputs] == [
        ("output_label", "int64"),
        ("output_probability", "float32"),
    ]
    assert open_served(str(path)).name == "irises"


def test_the_first_version_named_answers_and_others_if_asked_for(workspace: Path):
    assert shares(["squares", "squares@1"], [], workspace) == {"squares@2": 1.0, "squares@1": 0.0}


def test_a_canary_takes_its_share_from_the_first(workspace: Path):
    assert shares(["squares@1"], ["squares@2=0.25"], workspace) == {"squares@1": 0.75, "squares@2": 0.25}


@pytest.mark.parametrize(
    ("models", "canaries", "sentence"),
    [
        ([], [], "Nothing is served: name a model"),
        (["squares", "squares@2"], [], "squares@2 is named twice"),
        (["squares"], ["squares@1"], "'squares@1' is no canary; name a version and its share"),
        (["squares"], ["squares@1=much"], "is no canary"),
        (["squares"], ["squares@1=1.5"], "is no canary"),
        (["squares"], ["squares@2=0.1"], "no canary; name the version that shall answer them, such as squares@1"),
        (["squares@3"], [], r"No model is called 'squares@3'\. There are squares@1, squares@2\."),
        (["sqares"], [], "Did you mean squares"),
        (["./nothing-here"], [], "No model lies in"),
        (["nothing.onnx"], [], "There is no file nothing.onnx"),
        (["a/b=./x"], [], "has the character"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(
    models: list[str], canaries: list[str], sentence: str, workspace: Path
):
    with pytest.raises(UserError, match=sentence):
        lineup_of(models, canaries, workspace)


def test_a_canary_needs_its_model_beside_it(workspace: Path, tmp_path: Path):
    with pytest.raises(UserError, match="The canary squares@1 has no model beside it"):
        lineup_of([str(tiny_model(tmp_path / "clouds"))], ["squares@1=0.1"], workspace)


@pytest.mark.parametrize(
    "name", ["onnx_ext_dotdot.onnx", "onnx_truncated.onnx", "onnx_garbage.onnx", "onnx_empty.onnx"]
)
def test_a_file_that_is_not_safe_is_refused(name: str, test_data: Path):
    with pytest.raises(UserError, match=name):
        open_served(str(test_data / "badinput/models" / name))


def test_a_missing_version_is_not_found(workspace: Path):
    with pytest.raises(NotFoundError):
        open_served("squares@9", workspace)


def test_the_front_process_loads_no_engine(workspace: Path):
    program = (
        "import sys; from winnow.serve.engine import Engine; from winnow.serve.opening import lineup_of\n"
        f"Engine(lineup_of(['squares'], workspace={str(workspace)!r}))\n"
        "print(*{'openvino', 'onnxruntime', 'sklearn', 'torch'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == ""
