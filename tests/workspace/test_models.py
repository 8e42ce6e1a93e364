"""Models: the bare name is the newest, every older one stays reachable."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow.errors import NotFoundError, UserError
from winnow.workspace.records import ModelRecord
from winnow.workspace.workspace import Workspace


def add(workspace: Workspace, digest: str, *, name: str | None = None) -> ModelRecord:
    """A model made in a new climb; its one file holds the digest."""
    climb = workspace.start_climb("clouds", 1, {"digest": digest})
    made_in = climb.folder / "model"
    made_in.mkdir()
    (made_in / "model.onnx").write_text(digest)
    model = workspace.add_model(name, climb.id, "clouds", 1, digest, made_in=made_in)
    workspace.finish_climb(climb.id, "finished")
    return model


def graph(model: ModelRecord) -> str:
    return (model.folder / "model.onnx").read_text()


def test_a_model_is_called_like_its_dataset(clouds: Workspace):
    model = add(clouds, "aa")
    assert (model.name, model.full_name, model.dataset, model.version) == ("clouds", "clouds@1", "clouds", 1)
    assert model.folder == clouds.folder / "models" / "clouds" / "1"
    assert graph(clouds.find_model("clouds")) == "aa"


def test_a_later_model_of_the_name_is_the_current_one_and_the_older_stays(clouds: Workspace):
    add(clouds, "aa")
    add(clouds, "bb")
    assert graph(clouds.find_model("clouds")) == "bb"
    assert graph(clouds.find_model("clouds@1")) == "aa"
    assert [(model.full_name, model.is_current) for model in clouds.models()] == [
        ("clouds@1", False),
        ("clouds@2", True),
    ]


def test_the_same_graph_again_is_the_same_model(clouds: Workspace):
    add(clouds, "aa")
    assert add(clouds, "aa").full_name == "clouds@1"
    assert len(clouds.models()) == 1


def test_a_model_may_have_a_name_of_its_own(clouds: Workspace):
    assert add(clouds, "aa", name="my best").full_name == "my-best@1"
    with pytest.raises(UserError, match="has the character '@'"):
        add(clouds, "bb", name="best@1")


def test_what_a_killed_move_left_behind_is_replaced(clouds: Workspace):
    left = clouds.folder / "models" / "clouds" / "1"
    left.mkdir(parents=True)
    (left / "half.onnx").touch()
    assert [path.name for path in add(clouds, "aa").folder.iterdir()] == ["model.onnx"]


def test_a_model_made_on_another_disk_is_copied_in(clouds: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    made_in = tmp_path / "elsewhere"
    made_in.mkdir()
    (made_in / "model.onnx").write_text("aa")
    plain = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if self == made_in:
            raise OSError(18, "Invalid cross-device link")
        return plain(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    model = clouds.add_model("clouds", None, "clouds", 1, "aa", made_in=made_in)
    assert graph(model) == "aa"
    assert [path.name for path in model.folder.parent.iterdir()] == ["1"]
    assert not made_in.exists()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("cluods", "Did you mean clouds?"),
        ("zebra", "winnow list"),
        ("clouds@7", "There are clouds@1"),
        ("clouds@x", "Did you mean clouds?"),
    ],
)
def test_a_model_that_is_not_there_gets_a_hint(clouds: Workspace, asked: str, says: str):
    add(clouds, "aa")
    with pytest.raises(NotFoundError, match=rf"No model is called '{asked}'\. .*{says}"):
        clouds.find_model(asked)


def test_the_first_of_all_models_gets_the_way_in(clouds: Workspace):
    with pytest.raises(NotFoundError, match="none yet; make one: winnow train FOLDER"):
        clouds.find_model("clouds")
