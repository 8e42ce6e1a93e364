"""The server's addresses as an OpenAPI 3.1 document.

It is written by hand, since no framework stands between; tests ask every route for what is written here.
"""

from __future__ import annotations

from typing import Any

from winnow.version import VERSION

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_NUMBER: Schema = {"type": "number"}
_PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_YES_OR_NO: Schema = {"type": "boolean"}
_BASE64: Schema = {"type": "string", "contentEncoding": "base64", "description": "A picture file."}


def document(most_bytes: int, most_items: int) -> dict[str, Any]:
    """The whole document.

    Args:
        most_bytes: of a body.
        most_items: pictures in one request.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Winnow",
            "version": VERSION,
            "description": f"Predictions. Limits: {most_bytes} bytes a body, {most_items} pictures a request.",
        },
        "security": [{"token": []}],
        "paths": {**_predict(most_items), **_models(), **_health(), **_v2()},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": _SCHEMAS,
            "responses": {"Problem": _answer("Problem", "Why not (RFC 9457).", "application/problem+json")},
        },
    }


def _predict(most_items: int) -> dict[str, Any]:
    image = {
        "oneOf": [
            _BASE64,
            _object({"name": _TEXT, "data": _BASE64}, required=["data"]),
            _object({"name": _TEXT, "url": {"type": "string", "format": "uri"}}, required=["url"]),
        ]
    }
    images = _object({"images": {"type": "array", "items": image, "minItems": 1, "maxItems": most_items}})
    files: Schema = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
    picture: Schema = {"schema": {"type": "string", "format": "binary"}}
    content = {
        "application/octet-stream": picture,
        "image/*": picture,
        "multipart/form-data": {"schema": {"type": "object", "properties": {"file": files}, "required": ["file"]}},
        "application/json": {"schema": images},
    }
    operation = {
        "summary": "Predict one picture, or several",
        "description": "A picture that cannot be read costs its own answer only, where there are several.",
        "parameters": [
            _query("model", _TEXT, "Default: the first that is served."),
            _query("version", _TEXT, "Default: by the versions' shares."),
            _query("top", {"type": "integer", "minimum": 1, "maximum": 999999999}, "So many of the likeliest classes."),
            _timeout(),
        ],
        "requestBody": {"required": True, "content": content},
        "responses": _responses("Predictions", "An answer for each picture, in their order."),
    }
    return {"/predict": {"post": operation}}


def _models() -> dict[str, Any]:
    change = {
        "summary": "Serve other versions of a model, or share its questions out anew (admin token)",
        "requestBody": {"required": True, "content": {"application/json": {"schema": _ref("Shares")}}},
        "responses": _responses("Model", "What is served from now on."),
    }
    return {
        "/models": {"get": _get("Models", "What is served")},
        "/models/{model}": {
            "parameters": [_path("model")],
            "get": _get("Model", "One model and its versions"),
            "put": change,
        },
        "/models/{model}/drift": {
            "parameters": [_path("model")],
            "get": _get("Drifts", "Whether pictures have moved away from those that a model learned from"),
        },
    }


def _health() -> dict[str, Any]:
    metrics = {"200": {"description": "For Prometheus.", "content": {"text/plain": {"schema": _TEXT}}}}
    spec = {"200": {"description": "This.", "content": {"application/json": {"schema": {"type": "object"}}}}}
    return {
        "/healthz": {"get": {**_get("Status", "Whether the process is there"), "security": []}},
        "/readyz": {"get": {**_get("Status", "Whether it can answer", otherwise=503), "security": []}},
        "/metrics": {"get": {"summary": "Counts", "responses": {**metrics, **_OTHERWISE}}},
        "/openapi.json": {"get": {"summary": "This document", "responses": {**spec, **_OTHERWISE}}},
    }


def _v2() -> dict[str, Any]:
    infer: dict[str, Any] = {
        "summary": "Tensors in, tensors out (KServe's protocol)",
        "parameters": [
            _timeout(),
            {
                "name": "Inference-Header-Content-Length",
                "in": "header",
                "schema": {"type": "integer", "minimum": 0},
                "description": "The bytes of JSON before those of the tensors.",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _ref("Inference")},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        },
        "responses": _responses("Inferred", "The outputs."),
    }
    infer["responses"]["200"]["content"]["application/octet-stream"] = {
        "schema": {"type": "string", "format": "binary"}
    }
    paths: dict[str, Any] = {
        "/v2": {"get": _get("ServerAbout", "What kind of server this is")},
        "/v2/health/live": {"get": {**_get("Live", "Whether it is alive"), "security": []}},
        "/v2/health/ready": {"get": {**_get("Ready", "Whether it can answer", otherwise=503), "security": []}},
    }
    for path, parameters in (
        ("/v2/models/{model}", [_path("model")]),
        ("/v2/models/{model}/versions/{version}", [_path("model"), _path("version")]),
    ):
        paths[path] = {"parameters": parameters, "get": _get("ModelAbout", "Inputs and outputs")}
        ready = _get("ModelReady", "Whether it can answer", otherwise=503)
        paths[f"{path}/ready"] = {"parameters": parameters, "get": ready}
        paths[f"{path}/infer"] = {"parameters": parameters, "post": infer}
    return paths


def _object(properties: dict[str, Schema], *, required: list[str] | None = None, is_open: bool = False) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties) if required is None else required,
        "additionalProperties": is_open,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _answer(schema: str, said: str, kind: str = "application/json") -> dict[str, Any]:
    return {"description": said, "content": {kind: {"schema": _ref(schema)}}}


_OTHERWISE = {"default": {"$ref": "#/components/responses/Problem"}}


def _responses(schema: str, said: str) -> dict[str, Any]:
    return {"200": _answer(schema, said), **_OTHERWISE}


def _get(schema: str, summary: str, otherwise: int | None = None) -> dict[str, Any]:
    responses = _responses(schema, "As it is now.")
    if otherwise is not None:
        responses[str(otherwise)] = _answer(schema, "Not now.")
    return {"summary": summary, "responses": responses}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query(name: str, schema: Schema, said: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema, "description": said}


def _timeout() -> dict[str, Any]:
    schema = {"type": "integer", "minimum": 1, "maximum": 999999999}
    return {"name": "Winnow-Timeout-Ms", "in": "header", "schema": schema, "description": "How long the client waits."}


_TENSOR_ABOUT = _object({"name": _TEXT, "datatype": _TEXT, "shape": _list({"type": "integer"})})
_TENSOR = _object(
    {
        "name": _TEXT,
        "datatype": _TEXT,
        "shape": _list({"type": "integer", "minimum": 0}),
        "data": {"type": "array"},
        "parameters": {"type": "object"},
    },
    required=["name", "datatype", "shape"],
)
_PARAMETERS: Schema = {"type": "object"}
_SCHEMAS: dict[str, Schema] = {
    "Problem": _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "code": _TEXT,
            "error": _TEXT,
        }
    ),
    "Prediction": _object(
        {
            "source": _TEXT,
            "label": _maybe(_TEXT),
            "labels": _list(_TEXT),
            "prob": _maybe(_PROBABILITY),
            "probs": {"type": "object", "additionalProperties": _PROBABILITY},
            "is_sure": _YES_OR_NO,
            "error": _maybe(_object({"code": _TEXT, "reason": _TEXT})),
        }
    ),
    "Predictions": _object({"model": _TEXT, "version": _TEXT, "predictions": _list(_ref("Prediction"))}),
    "Tensor": _object({"name": _TEXT, "dtype": _TEXT, "shape": _list(_maybe({"type": "integer"}))}),
    "Version": _object(
        {
            "version": _TEXT,
            "kind": {"enum": ["pictures", "tensors"]},
            "task": _TEXT,
            "classes": _list(_TEXT),
            "thresholds": _maybe(_list(_NUMBER)),
            "sure_from": _maybe(_NUMBER),
            "side_px": _maybe({"type": "integer"}),
            "inputs": _list(_ref("Tensor")),
            "outputs": _list(_ref("Tensor")),
            "sha256": _TEXT,
            "warning": _maybe(_TEXT),
            "share": _PROBABILITY,
        }
    ),
    "Model": _object({"name": _TEXT, "versions": _list(_ref("Version"))}),
    "Models": _object({"models": _list(_ref("Model"))}),
    "Shares": _object(
        {
            "versions": {
                "type": "array",
                "minItems": 1,
                "maxItems": 16,
                "items": _object({"version": {"type": "string", "pattern": "^[0-9]{1,9}$"}, "share": _PROBABILITY}),
            }
        }
    ),
    "Drift": _object(
        {
            "model": _TEXT,
            "version": _TEXT,
            "pictures": {"type": "integer"},
            "is_compared": _YES_OR_NO,
            "why_not": _maybe(_TEXT),
            "measures": {"type": "array", "items": {"type": "object"}},
            "warnings": _list(_TEXT),
        }
    ),
    "Drifts": _object({"versions": _list(_ref("Drift"))}),
    "Status": _object({"status": _TEXT}),
    "Live": _object({"live": _YES_OR_NO}),
    "Ready": _object({"ready": _YES_OR_NO}),
    "ModelReady": _object({"name": _TEXT, "ready": _YES_OR_NO}),
    "ServerAbout": _object({"name": _TEXT, "version": _TEXT, "extensions": _list(_TEXT)}),
    "ModelAbout": _object(
        {
            "name": _TEXT,
            "versions": _list(_TEXT),
            "platform": _TEXT,
            "inputs": _list(_TENSOR_ABOUT),
            "outputs": _list(_TENSOR_ABOUT),
        }
    ),
    "Inference": _object(
        {
            "id": _TEXT,
            "parameters": _PARAMETERS,
            "inputs": {"type": "array", "items": _TENSOR, "minItems": 1},
            "outputs": _list(_object({"name": _TEXT, "parameters": _PARAMETERS}, required=["name"])),
        },
        required=["inputs"],
    ),
    "Inferred": _object(
        {"id": _TEXT, "model_name": _TEXT, "model_version": _TEXT, "outputs": _list(_TENSOR)},
        required=["model_name", "model_version", "outputs"],
    ),
}
