"""The Predict page and its routes: answers with probabilities, doubt, near training pictures, and tables to keep."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from nicegui.testing import User
from starlette.testclient import TestClient

import winnow
from winnow.api.model import Model
from winnow.events import tell_nobody
from winnow.studio.pages.predict.folder_answers import folder_answers_of
from winnow.studio.pages.predict.predicting import MOST_BYTES, predicting
from winnow.tasks.answering import said_of
from winnow.workspace.workspace import Workspace

from ..photos import png, write_photos

# One is the text of a number: JSON objects would put it first.
CLASSES = ("12", "7")


@pytest.fixture(scope="session")
def climbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a model of two classes; to be copied."""
    folder = tmp_path_factory.mktemp("predict")
    write_photos(folder / "photos", 120, CLASSES)
    winnow.train(
        folder / "photos", workspace=folder / "workspace", rungs=["pixels-nearest-neighbour"], tell=tell_nobody
    )
    return folder / "workspace"


@pytest.fixture
def workspace(tmp_path: Path, climbed: Path):
    shutil.copytree(climbed, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def client(workspace: Workspace) -> TestClient:
    app = FastAPI()
    app.include_router(predicting(workspace))
    return TestClient(app)


def asked(client: TestClient, what: str, data: bytes) -> dict[str, Any]:
    return client.post(f"/predict/photos/{what}", content=data).json()


def test_a_picture_gets_its_class_with_all_probabilities_most_probable_first(client: TestClient):
    answer = asked(client, "answer", png())
    names, probs = zip(*answer["probs"], strict=True)
    assert answer["label"] == names[0] == "7"
    assert sum(probs) == pytest.approx(1, abs=1e-5)
    assert answer["picture"].startswith("data:image/png;base64,")
    assert answer["said"].endswith("%)") or answer["said"].startswith("7 (")


def test_the_page_s_answer_is_the_library_s(client: TestClient, workspace: Workspace):
    (answer,) = Model.open("photos", workspace).predict(png())
    assert asked(client, "answer", png())["probs"] == [[name, prob] for name, prob in answer.probs.items()]


def test_doubt_is_said(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Model, "sure_from", 1.1)
    answer = asked(client, "answer", png())
    assert not answer["is_sure"]
    assert answer["said"].startswith("I am not sure. The likeliest is 7")


def test_where_several_classes_may_be_answered_none_may_be(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    def answer_from(least: float) -> None:
        """Let the model answer every class whose probability reaches this."""
        monkeypatch.setattr(Model, "thresholds", {"7": least, "12": least})
        monkeypatch.setattr("winnow.api.model.said_of", lambda probs, names, _: said_of(probs, names, [least] * 2))

    answer_from(0.5)
    assert asked(client, "answer", png())["labels"] == ["7"]
    answer_from(1.1)
    answer = asked(client, "answer", png())
    assert not answer["is_sure"]
    assert answer["said"] == "None of the classes reaches its threshold."


def test_a_camera_s_pictures_get_short_answers(client: TestClient):
    answer = asked(client, "answer?side=0&most=1", png())
    assert answer["picture"] is None
    assert [name for name, _ in answer["probs"]] == ["7"]


def test_what_is_no_picture_gets_a_sentence_in_place_of_an_answer(client: TestClient):
    answer = asked(client, "answer", b"no picture")
    assert answer["probs"] == []
    assert answer["error"]
    assert answer["said"] == answer["error"]


def test_too_large_a_file_is_refused_before_it_is_decoded(client: TestClient):
    response = client.post("/predict/photos/answer", content=bytes(MOST_BYTES + 1))
    assert response.status_code == 413
    assert "64 MB" in response.json()["error"]


def test_an_unknown_model_is_named(client: TestClient):
    response = client.post("/predict/phots/answer", content=png())
    assert response.status_code == 404
    assert "photos" in response.json()["error"]


def test_the_nearest_training_pictures_come_with_label_and_cosine(client: TestClient):
    found = asked(client, "nearest", png())
    while "working" in found:
        found = asked(client, "nearest", png())
    assert len(found["nearest"]) == 6
    assert {one["labels"] for one in found["nearest"]} == {"7"}
    assert all(one["picture"].startswith("/picture/") for one in found["nearest"])


def test_without_its_dataset_the_model_says_why_nothing_is_near(client: TestClient, workspace: Workspace):
    report = Model.open("photos", workspace).folder / "report.json"
    values = json.loads(report.read_text())
    values["dataset"]["name"] = "gone"
    report.write_text(json.dumps(values))
    found = asked(client, "nearest", png())
    while "working" in found:
        found = asked(client, "nearest", png())
    assert "not at hand" in found["why"]


def test_the_table_has_the_command_line_s_columns(client: TestClient):
    answers = [
        {**asked(client, "answer", png()), "source": "a.png"},
        {**asked(client, "answer", b"no picture"), "source": "=b,\n.png"},
    ]
    response = client.post("/predict/photos/csv", content=json.dumps(answers))
    header, good, bad = csv.reader(io.StringIO(response.content.decode("utf-8-sig"), newline=""))
    assert header == ["source", "label", "prob", "prob_12", "prob_7", "error"]
    assert good[:2] == ["a.png", "7"]
    assert bad == ["'=b,\n.png", "", "", "", "", answers[1]["error"]]  # no formula in a spreadsheet


HUGE = b'[{"source": "a", "label": "7", "prob": 1%s, "probs": [], "labels": [], "error": null}]' % (400 * b"0")


@pytest.mark.parametrize("sent", [b"", b"{}", b"[1]", b'[{"source": "a"}]', b"[" * 100_000, HUGE])
def test_a_table_of_nonsense_is_refused_with_a_sentence(client: TestClient, sent: bytes):
    response = client.post("/predict/photos/csv", content=sent)
    assert response.status_code == 422
    assert "answer the pictures again" in response.json()["error"]


def test_a_folder_becomes_a_table_and_a_bad_file_costs_one_line(
    client: TestClient, workspace: Workspace, tmp_path: Path
):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for place in range(3):
        (inbox / f"{place}.png").write_bytes(png(seed=place))
    (inbox / "bad.png").write_bytes(b"no picture")
    begun = folder_answers_of(workspace).begin(Model.open("photos", workspace), str(inbox))
    begun.work.wait(20)
    assert (begun.n_answered, begun.n_failed, begun.work.error) == (3, 1, "")
    response = client.get(f"/answers/{begun.id}.csv")
    rows = list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline="")))
    assert [Path(row["source"]).name for row in rows if row["error"]] == ["bad.png"]
    assert [row["label"] for row in rows if not row["error"]] == ["7", "7", "7"]


def test_a_name_that_is_no_text_costs_nothing_but_its_letters(client: TestClient, workspace: Workspace, tmp_path: Path):
    """Names of old disks are often Latin-1."""
    folder = tmp_path / "old"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(png())
    answers = folder_answers_of(workspace).begin(Model.open("photos", workspace=workspace), str(folder))
    answers.work.wait(20)
    assert answers.work.error == ""
    assert "caf%E9.png,7," in client.get(f"/answers/{answers.id}.csv").text


def test_only_tables_of_this_studio_are_given(client: TestClient):
    assert client.get(f"/answers/{'0' * 32}.csv").status_code == 404
    assert client.get("/answers/..%2f..%2fwinnow.db.csv").status_code == 404


async def test_the_newest_model_is_chosen(visitor: User):
    await visitor.open("/predict")
    await visitor.should_see("It tells 2 classes apart")
    await visitor.should_see("Ask about pictures")
    await visitor.should_see("winnow predict photos sky.jpg --near 6")


async def test_an_unknown_model_gets_the_near_names(visitor: User):
    await visitor.open("/predict/phots")
    await visitor.should_see("Did you mean photos?")


async def test_a_folder_s_answers_wait_for_who_comes_back(visitor: User, workspace: Workspace, tmp_path: Path):
    (tmp_path / "sky.png").write_bytes(png())
    folder_answers_of(workspace).begin(Model.open("photos", workspace), str(tmp_path / "sky.png")).work.wait(20)
    await visitor.open("/predict/photos")
    await visitor.should_see("1 picture answered.")
    await visitor.should_see("Download all answers (CSV)")


async def test_a_stopped_folder_leaves_no_table(visitor: User, workspace: Workspace, tmp_path: Path):
    for place in range(200):
        (tmp_path / f"{place}.png").write_bytes(png(seed=place))
    begun = folder_answers_of(workspace).begin(Model.open("photos", workspace), str(tmp_path / "*.png"))
    begun.work.stop()
    begun.work.wait(20)
    assert not list((workspace.cache_folder / "answers").iterdir())
    await visitor.open("/predict/photos")
    await visitor.should_see("Stopped after")
    await visitor.should_not_see("Download all answers (CSV)")


async def test_a_folder_that_is_not_there_is_said(visitor: User, workspace: Workspace):
    folder_answers_of(workspace).begin(Model.open("photos", workspace), "/no/such/folder").work.wait(20)
    await visitor.open("/predict/photos")
    await visitor.should_see("There is no file /no/such/folder.")
