"""/v2: KServe's inference protocol as a second door, so that clients that speak it need no change.

A model of pictures has one input, "image", files as BYTES of shape [N] (in JSON as base64), and two outputs:
"probabilities", FP32 [N, C], and "label", BYTES [N], empty where a picture shows none or several classes. A graph made
elsewhere has its own.

Source: Open Inference Protocol (V2), as in `v2_tensors`.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import numpy as np
from starlette.types import Receive, Scope

from winnow.serve.bodies import LARGE_BYTES, from_base64, headers_of, kind_of, parse_json, too_many
from winnow.serve.predict_routes import parse_query
from winnow.serve.problem import ProblemError
from winnow.serve.questions import Answer
from winnow.serve.reply import BYTES, CLOSE, JSON, Reply, json_reply
from winnow.serve.served import Served, Tensor
from winnow.serve.service import TOGETHER, LeavesWithClient, Service
from winnow.serve.v2_tensors import DATATYPES, Array, as_texts, read_tensor, write_tensor
from winnow.tasks.answering import said_of
from winnow.version import VERSION

_HEADER = b"inference-header-content-length"
_KINDS = (JSON, BYTES, b"")
"""Triton's client names no content type; what the body is, the protocol's own header says."""
_MOST_JSON_BYTES = 4 << 20
"""Numbers in JSON take hundreds of times longer to read than raw bytes, and everybody waits meanwhile."""


async def about(service: Service, scope: Scope, receive: Receive) -> Reply:
    """What kind of server this is."""
    return json_reply({"name": "winnow", "version": VERSION, "extensions": ["binary_tensor_data"]})


async def live(service: Service, scope: Scope, receive: Receive) -> Reply:
    """Whether it is alive."""
    return json_reply({"live": True})


async def ready(service: Service, scope: Scope, receive: Receive) -> Reply:
    """Whether it can answer."""
    return json_reply({"ready": service.is_ready}, 200 if service.is_ready else 503)


async def model_ready(service: Service, scope: Scope, receive: Receive) -> Reply:
    """Whether a model can answer."""
    served = _served(service, scope)
    return json_reply({"name": served.name, "ready": service.is_ready}, 200 if service.is_ready else 503)


async def describe(service: Service, scope: Scope, receive: Receive) -> Reply:
    """A model's inputs and outputs."""
    served = _served(service, scope)
    versions = [one.served.version for one in service.engine.lineup.versions(served.name)]
    if served.kind == "pictures":
        inputs = [_described("image", "BYTES", (None,))]
        outputs = [
            _described("probabilities", "FP32", (None, len(served.classes))),
            _described("label", "BYTES", (None,)),
        ]
    else:
        inputs, outputs = [_tensor(one) for one in served.inputs], [_tensor(one) for one in served.outputs]
    platform = "winnow_pictures" if served.kind == "pictures" else "onnx_onnxv1"
    value = {"name": served.name, "versions": versions, "platform": platform, "inputs": inputs, "outputs": outputs}
    return json_reply(value)


async def infer(service: Service, scope: Scope, receive: Receive) -> Reply:
    """Answer tensors with tensors."""
    headers = headers_of(scope)
    parse_query(scope["query_string"], ())
    name: str = scope["path_params"]["model"]
    service.engine.lineup.versions(name)
    deadline = service.deadline(headers)
    if kind_of(headers) not in _KINDS:
        raise ProblemError(415, "content-type", "Send application/json, or JSON and bytes as octet-stream.", (CLOSE,))
    room = service.intake.take_room(headers)
    try:
        body = await service.intake.read(receive)
        if not body:
            raise ProblemError(400, "empty", "The body is empty; send the inputs.")
        n_json = _json_bytes(headers, body)
        # Which version answers is decided by the whole body: there is one for all its inputs.
        served = service.choose(scope, name, scope["path_params"].get("version"), (body,))
        if n_json > _MOST_JSON_BYTES and served.kind != "pictures":
            raise ProblemError(413, "body-too-large", "That is much JSON; send large tensors in binary.")
        if len(body) < LARGE_BYTES:
            asked, inputs = _read(body, n_json)
        else:
            asked, inputs = await asyncio.to_thread(_read, body, n_json)
        del body
        wanted = _wanted_outputs(asked, _outputs(served))
        with LeavesWithClient(scope):
            answered = _pictures if served.kind == "pictures" else _tensors
            outputs = await answered(service, served, inputs, deadline)
    finally:
        service.intake.give_room(room)
    return _reply(served, asked.get("id"), {name: (outputs[name], binary) for name, binary in wanted.items()})


async def _pictures(service: Service, served: Served, inputs: dict[str, Array], deadline: float) -> dict[str, Array]:
    images = inputs.get("image")
    if set(inputs) != {"image"} or images is None or images.dtype != object or not images.size:
        said = "This model takes one input: 'image', picture files as BYTES of shape [N]."
        raise ProblemError(422, "bad-tensors", said)
    if images.size > service.most_items:
        raise too_many(service.most_items)
    free = asyncio.Semaphore(TOGETHER)

    async def answer(file: bytes) -> Answer:
        async with free:
            return await service.ask(served, file, deadline)

    files = [from_base64(one, "'image'") if isinstance(one, str) else one for one in images.ravel().tolist()]
    tasks = [asyncio.ensure_future(answer(file)) for file in files]
    try:
        answers = await asyncio.gather(*tasks)
    finally:  # after the first that fails, or when the client leaves
        for task in tasks:
            task.cancel()
    probs = np.stack([one.outputs["probabilities"] for one in answers]).astype(np.float32)
    labels = [said_of(row, served.classes, served.thresholds).label or "" for row in probs.tolist()]
    return {
        "probabilities": probs,
        "label": np.array([label.encode() for label in labels], dtype=object),
    }


async def _tensors(service: Service, served: Served, inputs: dict[str, Array], deadline: float) -> dict[str, Array]:
    wanted = {one.name for one in served.inputs}
    if set(inputs) != wanted:
        raise ProblemError(422, "bad-tensors", f"This model takes the inputs {', '.join(sorted(wanted))}.")
    texts = {name: as_texts(values, name) if values.dtype == object else values for name, values in inputs.items()}
    return (await service.ask(served, texts, deadline)).outputs


def _json_bytes(headers: dict[bytes, bytes], body: bytes) -> int:
    n_json = headers.get(_HEADER)
    if n_json is None:
        return len(body)
    if not n_json.isdigit() or len(n_json) > 12 or int(n_json) > len(body):
        raise ProblemError(400, "bad-length", "'Inference-Header-Content-Length' is no number of bytes of the body.")
    return int(n_json)


def _read(body: bytes, n_json: int) -> tuple[dict[str, Any], dict[str, Array]]:
    """The request without its inputs, and the inputs."""
    asked = parse_json(body[:n_json])
    given = asked.pop("inputs", None)
    if not isinstance(given, list) or not given or set(asked) - {"id", "parameters", "outputs"}:
        raise ProblemError(422, "bad-tensors", "The JSON has 'inputs', and may have 'outputs', 'id' and 'parameters'.")
    rest = memoryview(body)[n_json:]
    inputs: dict[str, Array] = {}
    for one in cast("list[Any]", given):
        name, values, n_bytes = read_tensor(one, rest)
        if name in inputs:
            raise ProblemError(422, "bad-tensors", f"The input '{name}' is there twice.")
        inputs[name], rest = values, rest[n_bytes:]
    if len(rest):
        raise ProblemError(422, "bad-tensors", "There are more bytes than the inputs say.")
    return asked, inputs


def _reply(served: Served, request_id: Any, outputs: dict[str, tuple[Array, bool]]) -> Reply:
    written = [write_tensor(name, values, is_binary=binary) for name, (values, binary) in outputs.items()]
    tensors, raws = [tensor for tensor, _ in written], [raw for _, raw in written]
    value: dict[str, Any] = {"model_name": served.name, "model_version": served.version, "outputs": tensors}
    if isinstance(request_id, str):
        value["id"] = request_id
    if not any(binary for _, binary in outputs.values()):
        return json_reply(value)
    head = json.dumps(value).encode()
    return Reply(b"".join((head, *raws)), BYTES, headers=((_HEADER, b"%d" % len(head)),))


def _outputs(served: Served) -> tuple[str, ...]:
    return ("probabilities", "label") if served.kind == "pictures" else tuple(one.name for one in served.outputs)


def _wanted_outputs(asked: dict[str, Any], there: tuple[str, ...]) -> dict[str, bool]:
    """Which outputs, and whether each in binary.

    Raises:
        ProblemError: the request names them in another way than the protocol's, or there is no such output.
    """
    is_binary = _wants_binary(asked.get("parameters"), "binary_data_output", is_so=False)
    named = asked.get("outputs") or [{"name": name} for name in there]
    wanted: dict[str, bool] = {}
    for one in cast("list[Any]", named) if isinstance(named, list) else [None]:
        match one:
            case {"name": str(name), **rest} if name in there and set(rest) <= {"parameters"}:
                wanted[name] = _wants_binary(rest.get("parameters"), "binary_data", is_so=is_binary)
            case _:
                said = f"'outputs' is a list of objects with a 'name'; there are {', '.join(there)}."
                raise ProblemError(422, "bad-tensors", said)
    return wanted


def _wants_binary(parameters: Any, key: str, *, is_so: bool) -> bool:
    if not isinstance(parameters, dict):
        return is_so
    return cast("dict[str, Any]", parameters).get(key, is_so) is True


def _served(service: Service, scope: Scope) -> Served:
    lineup, wanted = service.engine.lineup, scope["path_params"]
    version = wanted.get("version")
    if version is not None:
        return lineup.choose(wanted["model"], version, b"")
    return max(lineup.versions(wanted["model"]), key=lambda one: one.share).served


def _described(name: str, datatype: str, shape: tuple[int | None, ...]) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": [-1 if side is None else side for side in shape]}


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return _described(tensor.name, DATATYPES.get(tensor.dtype, "BYTES"), tensor.shape)
