"""The Evaluate page and its routes: figures, pictures behind them, comparison, other pictures, and files to keep."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from nicegui import ui
from nicegui.testing import User
from PIL import Image
from starlette.testclient import TestClient

import winnow
from winnow.api.judged_pictures import FILES, JudgedPictures
from winnow.api.report import ReportFile
from winnow.events import tell_nobody
from winnow.report.schema import Report
from winnow.studio.pages.evaluate.closer_look import closer_look
from winnow.studio.pages.evaluate.evaluating import as_download, evaluating
from winnow.studio.pages.evaluate.judged_sets import JUDGED, TEST, JudgedSet, find_set, measurements_of
from winnow.workspace.workspace import Workspace

CLASSES = ("<img src=x onerror=alert(1)>", "=1+1")


def write_photos(folder: Path, n: int, seed: int) -> Path:
    """Noise of 8 x 8 pixels, half of it brighter for one of two classes with odd names; and a table of both."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    rows = [("file", "label")]
    for place in range(n):
        pixels = rng.integers(0, 90, (8, 8), dtype=np.uint8)
        pixels[:4] += 25 * (place % 2)
        Image.fromarray(pixels).save(folder / f"{place}.png")
        rows.append((f"{place}.png", CLASSES[place % 2]))
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return folder / "labels.csv"


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two models of one dataset, the second with its test split closed, and another dataset."""
    folder = tmp_path_factory.mktemp("evaluate")
    home, photos = folder / "workspace", write_photos(folder / "photos", 80, seed=0)
    shared: dict[str, Any] = {"name": "m", "tell": tell_nobody}
    data = winnow.load(photos, name="photos", workspace=home, tell=tell_nobody)
    winnow.train(data, rungs=["pixels-nearest-neighbour"], **shared)
    winnow.train(data, rungs=["pixels-logistic-regression"], open_test=False, **shared)
    winnow.load(write_photos(folder / "others", 30, seed=1), name="others", workspace=home, tell=tell_nobody)
    return home


@pytest.fixture
def workspace(tmp_path: Path, judged: Path) -> Iterator[Workspace]:
    shutil.copytree(judged, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture
def client(workspace: Workspace) -> TestClient:
    app = FastAPI()
    app.include_router(evaluating(workspace))
    return TestClient(app)


def report_of(workspace: Workspace, model: str = "m@1") -> Report:
    return ReportFile.read(workspace.find_model(model).folder / "report.json").numbers


def drawn(visitor: User) -> str:
    """All markup of our own drawings on the page."""
    with visitor:
        return "".join(element.content for element in visitor.find(ui.html).elements)


# What the page's script counts with


def test_the_script_gets_what_gives_the_very_matrix_of_the_report(client: TestClient, workspace: Workspace):
    facts = client.get("/evaluate/m@1/judged/pictures.json").json()
    answers = client.get("/evaluate/m@1/judged/answers.bin").content
    n, n_classes = len(facts["contents"]), len(facts["classes"])
    probs = np.frombuffer(answers, "<f4", n * n_classes).reshape(n, n_classes)
    truths = np.frombuffer(answers, "<i4", n, offset=probs.nbytes)
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (truths, probs.argmax(axis=1)), 1)
    confusion = report_of(workspace).judged.evaluation.confusion
    assert confusion is not None
    assert counts.tolist() == [list(row) for row in confusion.counts]
    assert tuple(facts["classes"]) == confusion.classes
    assert len(answers) == 4 * n * (n_classes + 1)


def test_pictures_have_the_names_that_their_user_gave_them(client: TestClient):
    facts = client.get("/evaluate/m@1/test/pictures.json").json()
    assert all(source.endswith(".png") for source in facts["sources"])
    assert all(len(content) == 64 for content in facts["contents"])


def test_several_classes_come_as_truths_and_calls():
    probs = np.array([[0.25, 0.75]], dtype=np.float32)
    pictures = JudgedPictures(("ab" * 32,), probs, np.array([[1, 0]]), np.array([0]), np.array([[False, True]]))
    evaluation: Any = None
    answers = JudgedSet(JUDGED, evaluation, pictures, ("a", "b"), "d", {}).answers()
    assert np.frombuffer(answers, "<f4", 2).tolist() == [0.25, 0.75]
    assert list(answers[8:]) == [1, 0, 0, 1]


@pytest.mark.parametrize(
    "address",
    [
        "/evaluate/n@1/judged/pictures.json",
        "/evaluate/m@2/test/answers.bin",
        "/evaluate/m@1/elsewhere/answers.bin",
        "/evaluate/m@1/data-others/pictures.json",
        "/evaluate/m@1/judged/nothing.csv",
        "/evaluate/m@1/files/model.onnx",
        "/evaluate/m@1/files/..%2Fwinnow.json",
    ],
)
def test_what_is_not_there_is_said_to_be_so(client: TestClient, address: str):
    assert client.get(address).status_code == 404


# Files to keep


@pytest.mark.parametrize(
    ("file", "beside"),
    [("report.html", "report.html"), ("report.json", "report.json"), ("model-card.md", "MODEL_CARD.md")],
)
def test_a_file_is_kept_byte_for_byte(client: TestClient, workspace: Workspace, file: str, beside: str):
    answer = client.get(f"/evaluate/m@1/files/{file}")
    assert answer.content == (workspace.find_model("m@1").folder / beside).read_bytes()
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="m@1-{file}"')
    assert answer.headers["content-type"] == "application/octet-stream"


def test_the_data_behind_a_chart_is_a_table(client: TestClient, workspace: Workspace):
    answer = client.get("/evaluate/m@1/test/confusion.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert {row["truth"] for row in rows} == {CLASSES[0], "'=1+1"}
    test = report_of(workspace).test
    assert test is not None
    assert sum(int(row["pictures"]) for row in rows) == test.evaluation.n
    assert "attachment" in answer.headers["content-disposition"]
    assert "pixels-nearest-neighbour" in client.get("/evaluate/m@1/files/ladder.csv").text


def test_a_name_in_any_script_is_kept_safely():
    sent = as_download('wölkchen@1-"x"\r\n/é.csv', b"", "text/csv").headers["content-disposition"]
    assert '"w_lkchen@1-_x_' in sent
    assert "\r" not in sent
    assert "filename*=UTF-8''w%C3%B6lkchen%401-_x_" in sent


# Pages


async def test_the_models_are_listed_with_what_they_are_worth(visitor: User):
    await visitor.open("/evaluate")
    for said in ("m@1", "m@2", "closed"):
        await visitor.should_see(said)


async def test_without_a_model_the_way_to_one_is_shown(visitor: User, workspace: Workspace):
    workspace.remove_model("m")
    await visitor.open("/evaluate")
    await visitor.should_see("There is no model yet.")


async def test_a_model_shows_its_verdict_scores_limits_and_files(visitor: User, workspace: Workspace):
    await visitor.open("/evaluate/m@1")
    await visitor.should_see(report_of(workspace).verdict)
    for said in ("To keep", "Is another model better?", "Other labelled pictures"):
        await visitor.should_see(said)
    markup = drawn(visitor)
    for said in ("Scores of the chosen model", "The test split was opened once", "What these figures cannot tell you"):
        assert said in markup
    assert 'data-answers="/evaluate/m%401/judged/answers.bin"' in markup
    assert "<img src=x" not in markup
    assert "&lt;img src=x onerror=alert(1)&gt;" in markup


async def test_the_test_split_is_another_set_to_look_at(visitor: User):
    await visitor.open("/evaluate/m@1?on=test")
    markup = drawn(visitor)
    assert "/evaluate/m%401/test/pictures.json" in markup
    assert "a test that helps to choose is spent" in markup


async def test_opening_the_test_split_is_counted_and_said_so_before(visitor: User, workspace: Workspace):
    await visitor.open("/evaluate/m@2")
    await visitor.should_see("has been opened 1 time; looking now is counted as opening 2.")
    visitor.find("Open the test split").click()
    for _ in range(100):
        if report_of(workspace, "m@2").test is not None:
            break
        await asyncio.sleep(0.05)
    assert workspace.find_dataset("photos").openings == 2
    await visitor.open("/evaluate/m@2")
    await visitor.should_not_see("The test split is closed")


async def test_two_models_are_compared_on_what_both_have_judged(visitor: User):
    await visitor.open("/evaluate/m@2?with=m@1")
    await visitor.should_see("On the same 64 pictures m@2 has")
    await visitor.should_see("On 64 pictures of what both climbs judged; the difference is m@2 minus m@1")


async def test_a_model_that_is_not_there_is_told(visitor: User):
    await visitor.open("/evaluate/x@9")
    await visitor.should_see("No model is called 'x@9'")


# Other pictures


def measured(workspace: Workspace) -> None:
    work = measurements_of(workspace).begin("m@1", "others")
    work.wait(30)
    assert work.outcome is not None, work.error


async def test_a_measurement_is_still_there_when_the_page_is_opened_again(visitor: User, workspace: Workspace):
    measured(workspace)
    await visitor.open("/evaluate/m@1")
    await visitor.should_see("m@1 on others, version 1")
    await visitor.should_see("Take a closer look at these pictures")
    await visitor.open("/evaluate/m@1?on=data-others")
    assert "/evaluate/m%401/data-others/answers.bin" in drawn(visitor)


def test_measured_pictures_can_be_looked_at_like_the_others(client: TestClient, workspace: Workspace):
    measured(workspace)
    facts = client.get("/evaluate/m@1/data-others/pictures.json").json()
    assert len(facts["contents"]) == sum(one.split != "test" for one in workspace.manifest("others").examples())
    assert workspace.find_dataset("others").openings == 0


# Models of before


def test_a_model_of_before_stands_still_and_says_why(workspace: Workspace):
    (workspace.find_model("m@1").folder / FILES["judged"]).unlink()
    still = closer_look(find_set(workspace, "m@1", JUDGED), "m@1")
    assert "Train again to get both." in still
    assert "data-answers" not in still
    assert "Called from" not in still


def test_the_test_split_of_a_model_of_before_is_answered_again(workspace: Workspace):
    (workspace.find_model("m@1").folder / FILES["test"]).unlink()
    found = find_set(workspace, "m@1", TEST)
    assert found.pictures is not None
    assert len(found.pictures.contents) == 16
