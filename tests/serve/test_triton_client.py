"""Triton's own client, which knows nothing of Winnow, asks a server by KServe's protocol."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from winnow.serve.protocol import Protocol
from winnow.serve.served import Share

from .asking import BAD, PROBS, TOKEN, KnowingEngine, Listening, app_of, clouds, doubling, service_of

triton = pytest.importorskip("tritonclient.http", reason="Triton's client comes with the extra 'dev'")


def as_user() -> dict[str, str]:
    """New each time: the client writes into what it is given."""
    return {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def client() -> Iterator[object]:
    engine = KnowingEngine(Share(clouds("1"), 1.0), Share(clouds("2"), 0.0), Share(doubling(), 1.0))
    server = Listening(app_of(service_of(engine)), Protocol)
    with triton.InferenceServerClient("{}:{}".format(*server.place)) as one:
        yield one
    server.close()


def images(*files: bytes) -> object:
    tensor = triton.InferInput("image", [len(files)], "BYTES")
    tensor.set_data_from_numpy(np.array(files, dtype=object))
    return tensor


def test_it_hears_of_health_without_a_token_and_of_models_with_one(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("clouds", "2", headers=as_user())
    assert not client.is_model_ready("clouds", "3", headers=as_user())
    assert client.get_server_metadata(headers=as_user())["name"] == "winnow"
    assert client.get_model_metadata("clouds", headers=as_user())["inputs"][0]["datatype"] == "BYTES"


@pytest.mark.parametrize("is_binary", [True, False])
def test_it_sends_pictures_and_hears_what_they_show(client, is_binary: bool):
    names = ("probabilities", "label")
    outputs = [triton.InferRequestedOutput(name, binary_data=is_binary) for name in names]
    answer = client.infer("clouds", [images(b"one", b"two")], outputs=outputs, headers=as_user(), request_id="7")
    assert answer.as_numpy("probabilities") == pytest.approx(np.array([PROBS, PROBS]))
    assert [label if isinstance(label, str) else label.decode() for label in answer.as_numpy("label")] == [
        "cumulus"
    ] * 2
    assert answer.get_response()["id"] == "7"


@pytest.mark.parametrize("is_binary", [True, False])
def test_it_sends_numbers_and_gets_them_doubled(client, is_binary: bool):
    given = np.array([[1, 2], [3, 4.5]], np.float32)
    tensor = triton.InferInput("x", [2, 2], "FP32")
    tensor.set_data_from_numpy(given, binary_data=is_binary)
    assert client.infer("doubling", [tensor], headers=as_user()).as_numpy("y").tolist() == (2 * given).tolist()


@pytest.mark.parametrize(
    ("model", "file", "headers", "sentence"),
    [
        ("clouds", BAD, as_user(), "The file is damaged inside."),
        ("cloud", b"one", as_user(), "No model called 'cloud' is served here. Did you mean clouds?"),
        ("clouds", b"one", {}, "Send the token that was set or printed when the server started"),
    ],
)
def test_it_raises_our_sentence(client, model: str, file: bytes, headers: dict[str, str], sentence: str):
    with pytest.raises(triton.InferenceServerException) as raised:
        client.infer(model, [images(file)], headers=headers)
    assert sentence in raised.value.message()
