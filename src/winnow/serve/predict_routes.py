"""POST /predict: one picture as it is, or several; an answer for each, or why there is none."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from winnow.errors import UserError
from winnow.serve.bodies import LARGE_BYTES, Item, headers_of, is_raw, items_of, kind_of, refuse_kind
from winnow.serve.predictions import no_prediction, one_answer_of, prediction
from winnow.serve.problem import ProblemError
from winnow.serve.questions import Answer, UnansweredError
from winnow.serve.refusals import BUSY
from winnow.serve.reply import Reply, json_reply
from winnow.serve.served import Served
from winnow.serve.service import TOGETHER, LeavesWithClient, Service
from winnow.serve.url_pictures import fetch_picture

OPTIONS = ("model", "version", "top")


@dataclass(frozen=True, slots=True)
class Options:
    """What the address of a request asks for."""

    model: str | None = None
    version: str | None = None
    top: int | None = None


async def predict(service: Service, scope: Scope, receive: Receive) -> Reply:
    """Answer the pictures of a request."""
    headers = headers_of(scope)
    options = options_of(scope["query_string"])
    deadline = service.deadline(headers)
    kind = kind_of(headers)
    is_one = is_raw(kind)
    if not is_one and kind not in (b"multipart/form-data", b"application/json"):
        refuse_kind()
    room = service.intake.take_room(headers)
    try:
        body = await service.intake.read(receive)
        if is_one:
            with LeavesWithClient(scope):
                return await _one(service, scope, options, body, deadline)
        wanted = (kind, headers, body, service.most_items)
        if len(body) < LARGE_BYTES:
            items = items_of(*wanted, allows_urls=service.allows_urls)
        else:
            items = await asyncio.to_thread(items_of, *wanted, allows_urls=service.allows_urls)
        del body, wanted
        with LeavesWithClient(scope):
            return await _several(service, scope, options, items, deadline)
    finally:
        service.intake.give_room(room)


async def _one(service: Service, scope: Scope, options: Options, body: bytes, deadline: float) -> Reply:
    served = check_one(service.choose(scope, options.model, options.version, (body,)), body)
    return one_answer(await service.ask(served, body, deadline), options)


def check_one(served: Served, body: bytes) -> Served:
    """The model, if it can be asked for one picture with this body.

    Raises:
        ProblemError: there is no body, or the model takes no pictures.
    """
    if not body:
        raise ProblemError(400, "empty", "The body is empty; send a picture.")
    return _of_pictures(served)


def one_answer(answer: Answer, options: Options) -> Reply:
    """What is sent to who asked for one picture."""
    return Reply(one_answer_of(answer.served).text(answer.outputs["probabilities"], options.top))


async def _several(service: Service, scope: Scope, options: Options, items: list[Item], deadline: float) -> Reply:
    keys = [item.data or (item.url or "").encode("utf-8", "replace") for item in items]
    served = _of_pictures(service.choose(scope, options.model, options.version, keys))
    predictions: list[dict[str, Any]] = [{}] * len(items)
    failed: list[UnansweredError] = []
    waiting = iter(enumerate(items))

    async def answer_next() -> None:
        for place, item in waiting:
            try:
                data = item.data if item.url is None else await fetch_picture(item.url, deadline)
                answer = await service.ask(served, data, deadline)
                predictions[place] = prediction(item.source, answer, options.top)
            except UnansweredError as error:
                failed.append(error)
                predictions[place] = no_prediction(item.source, error)
            except UserError as error:
                predictions[place] = no_prediction(item.source, error)

    async with asyncio.TaskGroup() as group:
        for _ in range(min(TOGETHER, len(items))):
            group.create_task(answer_next())
    if len(failed) == len(items) and all(error.status in BUSY for error in failed):
        raise failed[0]
    return _reply(served, predictions)


def _reply(served: Served, predictions: list[dict[str, Any]]) -> Reply:
    return json_reply({"model": served.name, "version": served.version, "predictions": predictions})


def _of_pictures(served: Served) -> Served:
    if served.kind != "pictures":
        said = f"'{served.name}' takes tensors, not pictures; ask it at /v2/models/{served.name}/infer."
        raise ProblemError(422, "takes-tensors", said)
    return served


def options_of(query: bytes) -> Options:
    """What stands behind the '?' of an address.

    Raises:
        ProblemError: it makes no sense.
    """
    if not query:
        return Options()
    given = parse_query(query, OPTIONS)
    top = given.get("top")
    if top is not None and not (top.isascii() and top.isdigit() and 0 < len(top) < 10 and int(top) > 0):
        raise ProblemError(422, "bad-option", "'top' must be a whole number from 1 on.")
    return Options(given.get("model"), given.get("version"), None if top is None else int(top))


def parse_query(query: bytes, known: tuple[str, ...]) -> dict[str, str]:
    """The options in an address.

    Raises:
        ProblemError: one is not known, or stands there twice. Values are never quoted: one may be a secret.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    except ValueError:
        raise ProblemError(400, "bad-query", "The part of the address after '?' cannot be read.") from None
    given = dict(pairs)
    if len(given) < len(pairs) or not set(given) <= set(known):
        said = f"After '?' may stand, once each: {', '.join(known)}." if known else "This address takes no options."
        raise ProblemError(400, "unknown-option", said)
    return given
