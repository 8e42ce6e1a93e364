"""The OpenAPI document says what the server does: every route is in it, and what is asked by it is answered by it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from winnow.serve.app import ROUTES
from winnow.serve.openapi import document
from winnow.serve.served import Share

from .asking import ADMIN, TOKEN, KnowingEngine, app_of, client_of, clouds, doubling, service_of

CHECKS: list[Callable] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    ignored_auth,
]

app = app_of(service_of(KnowingEngine(Share(clouds("2"), 1.0), Share(doubling(), 1.0))))
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Host": "127.0.0.1:8000"}
schema = schemathesis.openapi.from_asgi("/openapi.json", app, headers=HEADERS)


@pytest.fixture(scope="module")
def client() -> TestClient:
    return client_of(app)


def test_the_document_names_every_route_and_method():
    paths = document(1, 1)["paths"]
    named = {path: {method.upper() for method in item} - {"PARAMETERS"} for path, item in paths.items()}
    assert named == {path: set(by_method) for path, by_method in ROUTES.items()}


def test_the_server_gives_the_document(client: TestClient):
    assert client.get("/openapi.json").json() == json.loads(json.dumps(document(1 << 20, 16)))


@pytest.mark.parametrize("path", ["/models/clouds", "/models/doubling", "/v2/models/clouds", "/v2/models/doubling"])
def test_what_is_served_is_described_as_the_document_says(client: TestClient, path: str):
    template = path.replace("clouds", "{model}").replace("doubling", "{model}")
    schema[template]["GET"].validate_response(client.get(path))


def test_answers_are_as_the_document_says(client: TestClient):
    raw = client.post("/predict", content=b"x", headers={"Content-Type": "image/png"})
    schema["/predict"]["POST"].validate_response(raw)
    tensors = {"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}]}
    inferred = client.post("/v2/models/doubling/infer", json=tensors)
    assert inferred.status_code == 200
    schema["/v2/models/{model}/infer"]["POST"].validate_response(inferred)


@schema.parametrize()
@seed(0)
@settings(
    max_examples=8,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_is_asked_is_answered_by_the_document(case: schemathesis.Case):
    """Values that fit the document, and values that do not: never a 5xx, never an answer that is not in it."""
    as_admin = {"Authorization": f"Bearer {ADMIN}"} if case.method == "PUT" else {}
    case.call_and_validate(headers=HEADERS | as_admin, checks=CHECKS)
