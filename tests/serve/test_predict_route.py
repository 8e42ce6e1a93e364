"""Pictures come as they are, as files of a form or as base64; each gets an answer, or a reason."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from data.pictures import file_of, noise
from winnow.api.model import Model
from winnow.errors import UserError
from winnow.serve.predictions import prediction
from winnow.serve.questions import Answer, UnansweredError
from winnow.serve.served import Share

from .asking import BAD, CLASSES, PROBS, KnowingEngine, app_of, client_of, clouds, doubling, service_of
from .tiny_models import tiny_model

RAW = {"Content-Type": "image/png"}


@pytest.fixture
def engine() -> KnowingEngine:
    return KnowingEngine(Share(clouds("2"), 1.0), Share(clouds("1"), 0.0), Share(doubling(), 1.0))


@pytest.fixture
def client(engine: KnowingEngine) -> TestClient:
    return client_of(app_of(service_of(engine)))


def test_a_raw_picture_is_answered_in_the_words_of_predict(client: TestClient):
    answer = client.post("/predict", content=b"a picture", headers=RAW)
    assert answer.status_code == 200
    said = answer.json()
    (one,) = said.pop("predictions")
    assert said == {"model": "clouds", "version": "2"}
    assert one["label"] == "cumulus"
    assert one["labels"] == ["cumulus"]
    assert list(one["probs"]) == ["cumulus", "cirrus", "stratus"]
    assert one["prob"] == one["probs"]["cumulus"] == pytest.approx(0.7)
    assert one["is_sure"] is True
    assert one["error"] is None


def test_an_answer_is_that_of_the_model_by_itself(tmp_path: Path):
    folder = tiny_model(tmp_path / "model")
    from winnow.serve.opening import open_served

    picture = file_of(noise(3))
    model, served = Model(folder), open_served(str(folder))
    answer = Answer(served, {"probabilities": model.predict_proba([picture])[0]}, None)  # type: ignore[arg-type]
    ours, theirs = prediction("bytes 0", answer), model.predict([picture])[0]
    assert ours == theirs.as_dict() | {"is_sure": model.is_sure(theirs)}


def test_several_labels_are_those_that_reach_their_thresholds():
    from dataclasses import replace

    import numpy as np

    served = replace(clouds("1"), task="multilabel", thresholds=(0.15, 0.9, 0.05))
    said = prediction("x", Answer(served, {"probabilities": np.array(PROBS, np.float32)}, None))  # type: ignore[arg-type]
    assert said["labels"] == ["cirrus", "stratus"]
    assert said["label"] is said["prob"] is None
    assert said["is_sure"] is True


def test_files_of_a_form_are_answered_in_their_order(client: TestClient):
    files = [("a", ("one.png", b"1")), ("b", ("two.png", BAD)), ("a", ("three.png", b"3"))]
    said = client.post("/predict", files=files).json()["predictions"]
    assert [one["source"] for one in said] == ["one.png", "two.png", "three.png"]
    assert [one["label"] for one in said] == ["cumulus", None, "cumulus"]
    assert said[1]["error"] == {"code": "E_CORRUPT", "reason": "The file is damaged inside."}


def test_base64_may_have_a_name_and_be_a_data_address(client: TestClient, engine: KnowingEngine):
    text = base64.b64encode(b"a picture").decode()
    images = [text, {"name": "sky", "data": text}, f"data:image/png;base64,{text}"]
    said = client.post("/predict", json={"images": images}).json()["predictions"]
    assert [one["source"] for one in said] == ["images[0]", "sky", "images[2]"]
    assert [question.what for question in engine.asked] == [b"a picture"] * 3


def test_a_name_that_is_no_text_is_repeated_as_it_was(client: TestClient):
    body = b'{"images": [{"name": "\\ud800 \\u001b[31m", "data": "eA=="}]}'
    answer = client.post("/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200
    assert b"\x1b" not in answer.content
    assert answer.json()["predictions"][0]["source"] == "\ud800 \x1b[31m"


def test_the_address_chooses_model_version_and_how_many_classes(client: TestClient):
    said = client.post("/predict?model=clouds&version=1&top=1", content=b"x", headers=RAW).json()
    assert said["version"] == "1"
    assert list(said["predictions"][0]["probs"]) == ["cumulus"]


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/predict?model=clods", 404, "not-found"),
        ("/predict?version=7", 404, "not-found"),
        ("/predict?top=0", 422, "bad-option"),
        ("/predict?top=1e3", 422, "bad-option"),
        ("/predict?top=²", 422, "bad-option"),
        ("/predict?top=1&top=2", 400, "unknown-option"),
        ("/predict?sort=name", 400, "unknown-option"),
        ("/predict?top=%ff", 400, "bad-query"),
        ("/predict?model=doubling", 422, "takes-tensors"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(client: TestClient, address: str, status: int, code: str):
    answer = client.post(address, content=b"x", headers=RAW)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("value", ["0", "-1", "soon", "1.5", "9" * 12])
def test_a_deadline_is_milliseconds(client: TestClient, value: str):
    answer = client.post("/predict", content=b"x", headers={**RAW, "Winnow-Timeout-Ms": value})
    assert answer.status_code == 422


def test_a_deadline_can_only_be_earlier_than_the_servers(client: TestClient, engine: KnowingEngine):
    for value in ("50", "99999999"):
        client.post("/predict", content=b"x", headers={**RAW, "Winnow-Timeout-Ms": value})
    soon, late = (question.deadline for question in engine.asked)
    assert 5 < late - soon < 15


@pytest.mark.parametrize(
    ("error", "later"),
    [
        (UnansweredError(429, "queue-full", "Too many wait.", 0.4), "1"),
        (UnansweredError(503, "draining", "It is being stopped.", 2.0), "2"),
        (UnansweredError(504, "too-late", "No answer in time."), None),
    ],
)
def test_a_busy_engine_answers_for_all_pictures_at_once(
    client: TestClient, engine: KnowingEngine, error: UnansweredError, later: str | None
):
    engine.fails = error
    one = client.post("/predict", content=b"x", headers=RAW)
    both = client.post("/predict", files=[("a", ("1", b"1")), ("a", ("2", b"2"))])
    for answer in (one, both):
        assert (answer.status_code, answer.json()["code"]) == (error.status, error.code)
        assert answer.headers.get("retry-after") == later


def test_one_version_answers_a_whole_request():
    engine = KnowingEngine(Share(clouds("1"), 0.5), Share(clouds("2"), 0.5))
    client = client_of(app_of(service_of(engine)))
    chosen = set[str]()
    for number in range(16):
        before = len(engine.asked)
        files = [("a", (f"{place}", f"{number} {place}".encode())) for place in range(3)]
        said = client.post("/predict", files=files).json()
        assert {question.served.version for question in engine.asked[before:]} == {said["version"]}
        chosen.add(said["version"])
    assert chosen == {"1", "2"}


def test_a_large_request_leaves_room_in_the_queue_for_others():
    async def most_at_once() -> int:
        engine = KnowingEngine(Share(clouds("1"), 1.0))
        engine.free = asyncio.Event()
        app = app_of(service_of(engine))
        body = b'{"images": [' + b",".join(b'"eA=="' for _ in range(16)) + b"]}"
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/predict",
            "query_string": b"",
            "headers": [
                (b"host", b"localhost"),
                (b"authorization", b"Bearer the-token-of-tests"),
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
        sent: list[dict] = []

        async def receive() -> dict:
            return {"type": "http.request", "body": body}

        async def send(message: dict) -> None:
            sent.append(message)

        task = asyncio.create_task(app(scope, receive, send))
        while len(engine.asked) < 8:
            await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0)
        waiting = len(engine.asked)
        engine.free.set()
        await task
        assert sent[0]["status"] == 200
        assert len(engine.asked) == 16
        return waiting

    assert asyncio.run(most_at_once()) == 8


def test_a_fault_of_ours_is_a_bare_500(client: TestClient, engine: KnowingEngine, caplog: pytest.LogCaptureFixture):
    engine.fails = RuntimeError("secret inside")
    answer = client.post("/predict", content=b"x", headers=RAW)
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert "secret inside" in caplog.text


def test_classes_keep_their_names(client: TestClient):
    said = client.post("/predict", content=b"x", headers=RAW).json()
    assert set(said["predictions"][0]["probs"]) == set(CLASSES)


def test_what_cannot_be_used_is_told_without_a_trace(client: TestClient, engine: KnowingEngine):
    engine.fails = UserError("This picture is of no use.")
    answer = client.post("/predict", content=b"x", headers=RAW)
    assert (answer.status_code, answer.json()["detail"]) == (422, "This picture is of no use.")
