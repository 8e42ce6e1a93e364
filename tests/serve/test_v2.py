"""Clients of KServe's protocol are answered as they expect it: JSON and binary, pictures and plain tensors."""

from __future__ import annotations

import base64
import json
import struct
import tracemalloc

import numpy as np
import pytest
from starlette.testclient import TestClient

from winnow.serve.problem import ProblemError
from winnow.serve.served import Share
from winnow.serve.v2_tensors import as_texts, write_tensor

from .asking import BAD, PROBS, KnowingEngine, app_of, client_of, clouds, doubling, service_of

PICTURE = base64.b64encode(b"a picture").decode()
CLOUDS, DOUBLING = "/v2/models/clouds/infer", "/v2/models/doubling/infer"


@pytest.fixture
def engine() -> KnowingEngine:
    return KnowingEngine(Share(clouds("1"), 1.0), Share(clouds("2"), 0.0), Share(doubling(), 1.0))


@pytest.fixture
def client(engine: KnowingEngine) -> TestClient:
    return client_of(app_of(service_of(engine)))


def image(*data: str) -> dict:
    return {"name": "image", "shape": [len(data)], "datatype": "BYTES", "data": list(data)}


def x(data: list, shape: list[int], datatype: str = "FP32") -> dict:
    return {"name": "x", "shape": shape, "datatype": datatype, "data": data}


def test_a_server_says_what_it_is_and_whether_it_lives(client: TestClient):
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/clouds/versions/2/ready").json() == {"name": "clouds", "ready": True}


def test_a_model_of_pictures_takes_files(client: TestClient):
    about = client.get("/v2/models/clouds").json()
    assert about["versions"] == ["1", "2"]
    assert about["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    assert about["outputs"][0] == {"name": "probabilities", "datatype": "FP32", "shape": [-1, 3]}


def test_pictures_in_json_are_base64(client: TestClient, engine: KnowingEngine):
    said = client.post(CLOUDS, json={"id": "7", "inputs": [image(PICTURE, PICTURE)]}).json()
    assert [question.what for question in engine.asked] == [b"a picture"] * 2
    assert (said["id"], said["model_name"], said["model_version"]) == ("7", "clouds", "1")
    probabilities, label = said["outputs"]
    assert probabilities["shape"] == [2, 3]
    assert probabilities["data"] == pytest.approx([*PROBS, *PROBS])
    assert label == {"name": "label", "shape": [2], "datatype": "BYTES", "data": ["cumulus", "cumulus"]}


def test_a_version_can_be_asked(client: TestClient):
    answer = client.post("/v2/models/clouds/versions/2/infer", json={"inputs": [image(PICTURE)]})
    assert answer.json()["model_version"] == "2"


def test_pictures_and_answers_in_binary(client: TestClient, engine: KnowingEngine):
    raw = struct.pack("<I", 3) + b"abc" + struct.pack("<I", 2) + b"de"
    given = {"name": "image", "shape": [2], "datatype": "BYTES", "parameters": {"binary_data_size": len(raw)}}
    head = json.dumps({"inputs": [given], "parameters": {"binary_data_output": True}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
    answer = client.post(CLOUDS, content=head + raw, headers=headers)
    assert [question.what for question in engine.asked] == [b"abc", b"de"]
    n_json = int(answer.headers["inference-header-content-length"])
    outputs = json.loads(answer.content[:n_json])["outputs"]
    sizes = [one["parameters"]["binary_data_size"] for one in outputs]
    values = np.frombuffer(answer.content[n_json : n_json + sizes[0]], "<f4").reshape(2, 3)
    np.testing.assert_allclose(values, [PROBS, PROBS], rtol=1e-6)
    assert answer.content[n_json + sizes[0] :] == (struct.pack("<I", 7) + b"cumulus") * 2


def test_outputs_can_be_chosen_one_by_one(client: TestClient):
    wanted = [{"name": "label"}, {"name": "probabilities", "parameters": {"binary_data": True}}]
    answer = client.post(CLOUDS, json={"inputs": [image(PICTURE)], "outputs": wanted})
    n_json = int(answer.headers["inference-header-content-length"])
    label, probabilities = json.loads(answer.content[:n_json])["outputs"]
    assert label["data"] == ["cumulus"]
    assert probabilities["parameters"] == {"binary_data_size": 12}


@pytest.mark.parametrize("data", [[1, 2, 3, 4.5], [[1, 2], [3, 4.5]]])
def test_a_graph_made_elsewhere_takes_its_own_tensors(client: TestClient, data: list):
    said = client.post(DOUBLING, json={"inputs": [x(data, [2, 2])]}).json()
    assert said["outputs"] == [{"name": "y", "shape": [2, 2], "datatype": "FP32", "data": [2.0, 4.0, 6.0, 9.0]}]


def test_what_no_json_can_say_is_null(client: TestClient):
    said = client.post(DOUBLING, json={"inputs": [x([3.4e38, 1], [1, 2])]}).json()
    assert said["outputs"][0]["data"] == [None, 2.0]


def test_tensors_in_binary_are_little_endian(client: TestClient):
    raw = struct.pack("<2f", 1.5, -2.0)
    given = {"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}
    head = json.dumps({"inputs": [given]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head)), "Content-Type": "application/octet-stream"}
    assert client.post(DOUBLING, content=head + raw, headers=headers).json()["outputs"][0]["data"] == [3.0, -4.0]
    assert client.post(DOUBLING, content=head + raw + b"?", headers=headers).status_code == 422
    assert client.post(DOUBLING, content=head + raw[:-1], headers=headers).status_code == 422


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"inputs": []},
        {"inputs": [{}]},
        {"inputs": [x([1, 2], [1, 3])]},
        {"inputs": [x([1, "2"], [1, 2])]},
        {"inputs": [x([True, False], [1, 2])]},
        {"inputs": [x([[1], [2, 3]], [1, 2])]},
        {"inputs": [x([1, 2], [1, -2])]},
        {"inputs": [x([1, 2], [1, 2], "FP128")]},
        {"inputs": [x([300, 1], [1, 2], "UINT8")]},
        {"inputs": [x([1.5, 1], [1, 2], "INT32")]},
        {"inputs": [x([1, 2], [1, 2]), x([1, 2], [1, 2])]},
        {"inputs": [x([1, 2], [1, 2])], "outputs": [{"name": "z"}]},
        {"inputs": [x([1, 2], [1, 2])], "outputs": 3},
        {"inputs": [x([1, 2], [1, 2])], "more": 1},
        {"inputs": [{**x([1, 2], [1, 2]), "parameters": {"binary_data_size": 8}}]},
        {"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": -1}}]},
        {"inputs": [{**x([1, 2], [1, 2]), "name": "z"}]},
        {"inputs": [x([1e300, 1], [1, 2])]},
        {"inputs": [x([10**400, 1], [1, 2])]},
        {"inputs": [x([], [0, 1 << 30, 1 << 30, 1 << 30])]},
    ],
)
def test_what_is_not_as_the_protocol_has_it_is_told(client: TestClient, asked: dict):
    answer = client.post(DOUBLING, json=asked)
    assert answer.status_code == 422
    assert answer.json()["error"] == answer.json()["detail"]


@pytest.mark.parametrize("datatype", ["FP32", "BYTES"])
def test_one_long_text_among_many_takes_no_more_memory_than_was_sent(client: TestClient, datatype: str):
    # NumPy's texts are all as wide as the longest: 100 kB of JSON would become 400 MB.
    given = x(["a" * 100_000, *[""] * 1000], [1001], datatype)
    tracemalloc.start()
    try:
        assert client.post(DOUBLING, json={"inputs": [given]}).status_code == 422
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_a_very_large_answer_is_not_written_as_json():
    values = np.zeros(1_100_000, dtype=np.uint8)
    with pytest.raises(ProblemError, match="ask for it in binary"):
        write_tensor("y", values, is_binary=False)
    assert len(write_tensor("y", values, is_binary=True)[1]) == 1_100_000


def test_a_text_that_would_be_cut_is_refused():
    with pytest.raises(ProblemError, match="signs 0"):
        as_texts(np.array(["a\0b"], dtype=object), "x")


def test_a_bad_picture_refuses_its_request(client: TestClient):
    damaged = base64.b64encode(BAD).decode()
    answer = client.post(CLOUDS, json={"inputs": [image(PICTURE, damaged, PICTURE)]})
    assert (answer.status_code, answer.json()["code"]) == (422, "E_CORRUPT")
    assert client.post(CLOUDS, json={"inputs": [image("%")]}).json()["code"] == "bad-base64"
    assert client.post(CLOUDS, json={"inputs": [image(*[PICTURE] * 17)]}).status_code == 413


def test_other_content_types_are_refused(client: TestClient):
    answer = client.post(DOUBLING, content=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
