"""What is served can be seen by who asks, and changed by the admin: versions of the workspace only."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from winnow.errors import BadDataError
from winnow.serve.opening import open_served
from winnow.serve.served import Lineup, Share

from .asking import ADMIN, KnowingEngine, app_of, client_of, clouds, doubling, service_of
from .tiny_models import tiny_model

AS_ADMIN = {"Authorization": f"Bearer {ADMIN}"}


@pytest.fixture
def engine() -> KnowingEngine:
    return KnowingEngine(Share(clouds("1"), 1.0), Share(doubling(), 1.0))


@pytest.fixture
def client(engine: KnowingEngine) -> TestClient:
    return client_of(app_of(service_of(engine)))


def change(client: TestClient, *versions: tuple[str, float], model: str = "clouds"):
    body = {"versions": [{"version": version, "share": share} for version, share in versions]}
    return client.put(f"/models/{model}", json=body, headers=AS_ADMIN)


def test_models_are_listed_with_their_versions(client: TestClient):
    models = client.get("/models").json()["models"]
    assert [one["name"] for one in models] == ["clouds", "doubling"]
    assert models[0] == client.get("/models/clouds").json()
    (version,) = models[0]["versions"]
    assert (version["version"], version["share"], version["side_px"]) == ("1", 1.0, 8)
    assert models[1]["versions"][0]["inputs"] == [{"name": "x", "dtype": "float32", "shape": [None, 2]}]


def test_no_path_of_this_machine_is_told(client: TestClient):
    assert "clouds.onnx" not in client.get("/models").text
    assert "path" not in client.get("/models/doubling").text


def test_files_that_are_gone_or_others_are_warned_of_before_a_worker_needs_them(tmp_path: Path):
    folder = tiny_model(tmp_path / "model")
    foreign = tmp_path / "foreign.onnx"
    foreign.write_bytes((folder / "model.onnx").read_bytes())
    served = open_served(f"clouds={folder}")
    engine = KnowingEngine(Share(served, 1.0), Share(replace(doubling(), path=foreign, digest=served.digest), 1.0))
    client = client_of(app_of(service_of(engine)))

    def warnings() -> list[str | None]:
        return [one["versions"][0]["warning"] for one in client.get("/models").json()["models"]]

    assert warnings() == [None, None]
    tiny_model(tmp_path / "other", scale=2.0)
    (tmp_path / "other" / "model.onnx").replace(folder / "model.onnx")
    foreign.unlink()
    changed, gone = warnings()
    assert "are others than when it began to be served" in str(changed)
    assert "are no longer there" in str(gone)
    shutil.rmtree(folder)
    assert warnings() == [gone, gone]
    assert str(tmp_path) not in client.get("/models").text


def test_a_canary_takes_its_share(client: TestClient, engine: KnowingEngine):
    said = change(client, ("1", 0.9), ("3", 0.1))
    assert said.status_code == 200
    assert [(one["version"], one["share"]) for one in said.json()["versions"]] == [("1", 0.9), ("3", 0.1)]
    assert engine.lineup.names == ("clouds", "doubling")  # the first still answers who names none


def test_a_version_can_replace_another(client: TestClient):
    assert change(client, ("2", 1)).status_code == 200
    assert client.post("/predict", content=b"x", headers={"Content-Type": "image/png"}).json()["version"] == "2"


def test_who_may_only_ask_changes_nothing(client: TestClient, engine: KnowingEngine):
    before = engine.lineup
    answer = client.put("/models/clouds", json={"versions": [{"version": "2", "share": 1}]})
    assert (answer.status_code, answer.json()["code"]) == (403, "no-admin")
    assert engine.lineup is before


@pytest.mark.parametrize(
    ("versions", "status"),
    [
        ([("9", 1.0)], 404),
        ([("1", 0.5)], 422),
        ([("1", 0.5), ("1", 0.5)], 422),
        ([("1", 0.6), ("2", 0.6)], 422),
        ([], 422),
        ([("../1", 1.0)], 422),
        ([("clouds", 1.0)], 422),
        ([("1", 2.0)], 422),
    ],
)
def test_what_cannot_be_served_changes_nothing(
    client: TestClient, engine: KnowingEngine, versions: list[tuple[str, float]], status: int
):
    before = engine.lineup
    assert change(client, *versions).status_code == status
    assert engine.lineup is before


def test_a_model_that_is_not_served_cannot_be_brought_in(client: TestClient):
    assert change(client, ("1", 1.0), model="flowers").status_code == 404
    assert change(client, ("1", 1.0), model="doubling").status_code == 404


def test_workers_that_cannot_open_it_change_nothing(client: TestClient, engine: KnowingEngine):
    before = engine.lineup

    async def refuse(lineup: Lineup) -> None:
        raise BadDataError("Its graph is damaged.")

    engine.swap = refuse  # type: ignore[method-assign]
    answer = change(client, ("2", 1.0))
    assert (answer.status_code, answer.json()["detail"]) == (422, "Its graph is damaged.")
    assert engine.lineup is before


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"versions": 3}', b'{"versions": [{"version": 2, "share": 1}]}', b"{" * 70000]
)
def test_a_body_that_makes_no_sense_is_refused(client: TestClient, body: bytes):
    answer = client.put("/models/clouds", content=body, headers={**AS_ADMIN, "Content-Type": "application/json"})
    assert answer.status_code in (400, 413, 422)


def test_counts_are_shown_for_prometheus(client: TestClient, engine: KnowingEngine):
    for _ in range(3):
        client.post("/predict", content=b"x", headers={"Content-Type": "image/png"})
    client.post("/predict", content=b"x", headers={"Content-Type": "text/plain"})
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples = dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))
    assert samples['winnow_requests_total{model="clouds",version="1",status="200"}'] == "3"
    assert samples['winnow_requests_total{model="",version="",status="415"}'] == "1"
    assert samples['winnow_questions_total{model="clouds",version="1",outcome="answered"}'] == "3"
    assert samples['winnow_request_seconds_bucket{le="+Inf"}'] == samples["winnow_request_seconds_count"] == "4"
    assert samples["winnow_ready"] == "1"
    assert samples['winnow_model_share{model="clouds",version="1"}'] == "1.0"
    counts = [int(n) for name, n in samples.items() if name.startswith("winnow_request_seconds_bucket")]
    assert counts == sorted(counts)


def test_health_says_whether_questions_should_come(engine: KnowingEngine):
    service = service_of(engine)
    client = client_of(app_of(service), token=None)
    assert client.get("/readyz").status_code == 200
    service.is_stopping = True
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
