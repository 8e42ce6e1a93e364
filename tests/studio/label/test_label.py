"""The Label page and the routes its script asks: rows by filter, what changed, actions stored once and taken back."""

from __future__ import annotations

import base64
import io
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from nicegui.testing import User
from PIL import Image
from starlette.testclient import TestClient

import winnow
from graph.tiny import tiny_backbone
from winnow.api.dataset import Dataset
from winnow.api.labelling import Board
from winnow.events import tell_nobody
from winnow.studio.pages.label import desk
from winnow.studio.pages.label import routes as module
from winnow.studio.pages.label.routes import NOBODY, label_routes
from winnow.workspace.workspace import Workspace


def picture(seed: int, side_px: int = 12) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side_px, side_px, 3), dtype=np.uint8))


@pytest.fixture
def clouds(workspace: Workspace, tmp_path: Path) -> Dataset:
    """Six pictures: three of each class."""
    for place in range(6):
        folder = tmp_path / "pictures" / ("cirrus" if place < 3 else "stratus")
        folder.mkdir(parents=True, exist_ok=True)
        picture(place).save(folder / f"{place}.png")
    return winnow.load(tmp_path / "pictures", name="clouds", workspace=workspace, tell=tell_nobody)


@pytest.fixture
def client(workspace: Workspace, clouds: Dataset) -> TestClient:
    app = FastAPI()
    app.include_router(label_routes(workspace))
    return TestClient(app)


def state(client: TestClient, **query: Any) -> dict[str, Any]:
    return client.get("/label-data/clouds/state", params={"client": "ada", **query}).json()


def relabel(client: TestClient, source: str, label: str, number: int = 1, who: str = "Ada") -> dict[str, Any]:
    edits = [{"kind": "relabel", "labels": {source: [label]}}]
    asked = {"action": f"ada:{number}", "client": "ada", "who": who, "edits": edits}
    return client.post("/label-data/clouds/act", json=asked).json()


async def test_the_page_asks_which_dataset(visitor: User, clouds: Dataset):
    await visitor.open("/label")
    await visitor.should_see("clouds")
    await visitor.should_see("6 pictures")


async def test_without_datasets_it_leads_to_the_import(visitor: User):
    await visitor.open("/label")
    await visitor.should_see("There are no pictures to label yet")


async def test_the_board_says_how_to_do_the_same_elsewhere(visitor: User, clouds: Dataset):
    await visitor.open("/label/clouds")
    await visitor.should_see("Label clouds")
    await visitor.should_see("winnow relabel clouds PICTURE --label CLASS")


async def test_an_unknown_dataset_is_said_not_shown(visitor: User):
    await visitor.open("/label/nothing")
    await visitor.should_see("No dataset is called")


def test_rows_come_in_the_order_of_the_filter(client: TestClient):
    found = client.get("/label-data/clouds/order", params={"which": "class:stratus"}).json()
    assert found["rows"] == [3, 4, 5]
    query = {"ids": "4,3", "epoch": found["epoch"]}
    rows = client.get("/label-data/clouds/rows", params=query).json()["rows"]
    assert [(row[0], row[1], row[5]) for row in rows] == [
        (4, ["stratus"], "stratus/4.png"),
        (3, ["stratus"], "stratus/3.png"),
    ]
    assert client.get("/label-data/clouds/rows", params={"ids": "1", "epoch": "old"}).json()["rows"] == []


def test_a_stored_action_is_told_to_everybody_who_asks_what_changed(client: TestClient):
    before = state(client)
    assert (before["version"], before["unlabelled"], before["undo"]) == (1, 0, None)
    assert relabel(client, "cirrus/0.png", "stratus")["version"] == 2
    after = state(client, epoch=before["epoch"], since=before["version"])
    assert after["changed"] == [[0, ["stratus"], after["changed"][0][2], True]]
    assert after["classes"] == [["cirrus", 2], ["stratus", 4]]
    assert (after["log"][0]["who"], after["log"][0]["what"]) == ("Ada", "relabelled 'cirrus/0.png' as 'stratus'")
    assert state(client, epoch=before["epoch"], since=2)["changed"] == []


def test_an_action_sent_again_after_a_restart_is_stored_once(client: TestClient, workspace: Workspace):
    first = relabel(client, "cirrus/0.png", "stratus")
    app = FastAPI()
    app.include_router(label_routes(workspace))
    assert relabel(TestClient(app), "cirrus/0.png", "stratus")["version"] == first["version"]
    assert workspace.find_version("clouds").number == 2


def test_undo_and_redo_are_found_again_after_a_reload(client: TestClient, clouds: Dataset):
    relabel(client, "cirrus/0.png", "stratus")
    step = {"client": "ada", "who": "Ada", "version": state(client)["undo"]}
    undone, again = (client.post("/label-data/clouds/take-back", json=step).json() for _ in range(2))
    assert undone == again
    now = state(client)
    assert (now["classes"], now["undo"], now["redo"]) == ([["cirrus", 3], ["stratus", 3]], None, 3)
    client.post("/label-data/clouds/take-back", json={**step, "version": 3})
    assert state(client)["classes"] == [["cirrus", 2], ["stratus", 4]]


def test_a_name_that_hides_or_turns_text_is_cleaned(client: TestClient):
    relabel(client, "cirrus/0.png", "stratus", who="\u202eAda\n" + 5000 * "a")
    assert state(client)["log"][0]["who"].startswith("Ada aaa")
    assert len(state(client)["log"][0]["who"]) <= 60
    relabel(client, "cirrus/0.png", "cirrus", number=2, who="\u200b")
    assert state(client)["log"][0]["who"] == NOBODY


def test_what_cannot_be_done_is_said_and_not_tried_again(client: TestClient):
    asked = {"action": "ada:1", "client": "ada", "edits": [{"kind": "rename", "old": "cirrus", "new": "stratus"}]}
    answer = client.post("/label-data/clouds/act", json=asked)
    assert (answer.status_code, "merge the two instead" in answer.json()["error"]) == (422, True)
    assert client.get("/label-data/nothing/state").status_code == 404
    for odd in ({}, {"action": "a", "edits": 7}, {"action": "a", "edits": [{"kind": "relabel", "x": 1}]}):
        assert client.post("/label-data/clouds/act", json=odd).status_code == 422


def test_a_dataset_has_one_desk_however_its_name_is_written(workspace: Workspace, clouds: Dataset):
    desks = module.Desks(workspace)
    assert desks.of("CLOUDS") is desks.of(clouds.name)


def test_nothing_is_kept_of_a_dataset_that_is_gone(
    client: TestClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    forgotten: list[str] = []
    monkeypatch.setattr(module.Desks, "forget", lambda _, name: forgotten.append(name))
    state(client)
    workspace.remove_dataset("clouds")
    assert client.get("/label-data/clouds/state").status_code == 404
    assert forgotten == ["clouds"]


NO_OBJECTS = (b"", b"nonsense", b"\xff", b"[NaN]", b'"\\ud800"', b"[" * 100_000)


@pytest.mark.parametrize(
    ("route", "sent"),
    [
        *((route, sent) for route in ("act", "names", "take-back", "capture") for sent in NO_OBJECTS),
        ("act", b'{"action": "a", "edits": [{"kind": "remove", "pictures": [5]}]}'),
        ("act", b'{"action": "a", "edits": [{"kind": "relabel", "labels": {"\\ud800": "a"}}]}'),
        ("act", b'{"action": "\\ud800", "edits": [{"kind": "remove", "pictures": ["a"]}]}'),
        ("names", b'{"epoch": "EPOCH", "rows": null}'),
        ("names", b'{"epoch": "EPOCH", "rows": [1e400]}'),
        ("take-back", b'{"client": "a", "version": 1e400}'),
        ("capture", b'{"label": "a", "pictures": 5}'),
    ],
)
def test_what_no_page_sends_is_refused_with_a_sentence(client: TestClient, route: str, sent: bytes):
    """An answer of 500 would be tried again for ever, and what waits behind it would never be stored."""
    sent = sent.replace(b"EPOCH", state(client)["epoch"].encode())
    answer = client.post(f"/label-data/clouds/{route}", content=sent)
    assert answer.status_code == 422
    assert "load the page again" in answer.json()["error"]


def test_more_than_any_page_sends_is_not_read(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST_BYTES", 1000)
    answer = client.post("/label-data/clouds/act", content=(b"x" * 100 for _ in range(1000)))
    assert (answer.status_code, "at once" in answer.json()["error"]) == (422, True)


def test_a_class_s_name_has_an_end(client: TestClient):
    assert "shorten it" in relabel(client, "cirrus/0.png", 100_000 * "a")["error"]
    assert "relabelled" in relabel(client, "cirrus/0.png", "cir\u202erus")["what"]
    assert state(client)["classes"] == [["cirrus", 3], ["stratus", 3]]


def test_rows_keep_their_pictures_while_they_are_named(clouds: Dataset):
    """An import that ends meanwhile gives the numbers to other pictures: it waits for who has asked before."""
    board = Board(clouds.workspace, "clouds")
    clouds.relabel({"cirrus/0.png": "stratus"})
    reader = threading.Thread(target=board.catch_up)
    with board.held():
        reader.start()
        reader.join(0.05)
        assert (reader.is_alive(), board.version) == (True, 1)
    reader.join()
    assert board.version == 2


def test_similar_pictures_begin_with_the_picture_itself(client: TestClient):
    found = client.get("/label-data/clouds/order", params={"which": "near:stratus/4.png"}).json()
    assert (found["rows"][0], len(found["rows"])) == (4, 6)


def test_the_model_suggests_classes_soon_after_the_page_is_open(client: TestClient, workspace: Workspace):
    tiny_backbone(workspace.backbones_folder / "tiny")
    deadline = time.monotonic() + 20
    while not (model := state(client)["model"])["learned"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (model["learned"], model["seen"], model["reason"]) == (6, 6, "")
    found = client.get("/label-data/clouds/order", params={"which": "typical"}).json()
    query = {"ids": "0", "epoch": found["epoch"]}
    (row,) = client.get("/label-data/clouds/rows", params=query).json()["rows"]
    assert sorted(found["rows"]) == list(range(6))
    assert row[6] in (["cirrus"], ["stratus"])
    assert 0 < row[7] <= 1


def test_the_model_is_given_another_chance_after_a_failure(
    client: TestClient, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(desk, "_TRY_AGAIN_S", 0.2)
    deadline = time.monotonic() + 20
    while not state(client)["model"]["reason"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "backbone" in state(client)["model"]["reason"]
    tiny_backbone(workspace.backbones_folder / "tiny")  # what was missing
    while not state(client)["model"]["learned"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert state(client)["model"]["reason"] == ""


@pytest.mark.parametrize("label", ["<img src=x onerror=alert(1)>/..", "=1+1", "'=x"])
def test_pictures_of_the_camera_join_the_dataset_as_their_class(label: str, client: TestClient, workspace: Workspace):
    stored = io.BytesIO()
    picture(99, 64).save(stored, "JPEG")
    asked = {"label": label, "who": "Ada", "pictures": [base64.b64encode(stored.getvalue()).decode()]}
    assert client.post("/label-data/clouds/capture", json=asked).json()["added"] == 1
    assert workspace.manifest("clouds").counts()[label]
    assert workspace.find_version("clouds").who == "Ada"
    again = client.post("/label-data/clouds/capture", json=asked).json()
    assert again["added"] == 0
    broken = client.post("/label-data/clouds/capture", json={**asked, "pictures": ["no base64"]})
    assert "did not arrive whole" in broken.json()["error"]


def test_nobody_waits_for_ever_for_a_health_check(client: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(desk, "_PATIENCE_S", 0.0)
    found = client.get("/label-data/clouds/order", params={"which": "only:duplicates"}).json()
    assert "still under way" in found["note"]
    assert found["rows"] == list(range(6))


def test_a_finding_of_the_health_check_is_a_filter_with_what_to_compare(
    client: TestClient, clouds: Dataset, tmp_path: Path
):
    more = tmp_path / "more" / "cirrus"
    more.mkdir(parents=True)
    picture(0).save(more / "copy.bmp")
    clouds.add(tmp_path / "more")
    found = client.get("/label-data/clouds/order", params={"which": "only:duplicates"}).json()
    assert found["rows"] == [6, 0]
    assert "1 picture" in found["note"]
    unknown = client.get("/label-data/clouds/order", params={"which": "only:W_NOTHING"}).json()
    assert "finds nothing called 'W_NOTHING'" in unknown["error"]
