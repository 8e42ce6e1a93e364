"""The routes of the Predict page: pictures come in as raw bytes, answers go out as JSON or as a table to keep."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any, cast

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from winnow.api.answer_table import write_answers
from winnow.errors import UserError
from winnow.studio.open_models import OpenModel, open_models_of
from winnow.studio.pages.predict.answers import SIDES_PX, answer, neighbour, prediction_of
from winnow.studio.pages.predict.folder_answers import folder_answers_of
from winnow.studio.refusals import OddRequestError, answered, body_of, refused
from winnow.workspace.workspace import Workspace

MOST_BYTES = 64 << 20
"""Of one picture, or of the answers that become a table."""
_TOO_LARGE = f"This file has more than {MOST_BYTES >> 20} MB: save it smaller, or answer its folder by its path."
_ID = re.compile(r"[0-9a-f]{32}")
_CSV = "text/csv; charset=utf-8"


def predicting(workspace: Workspace) -> APIRouter:
    """The routes; `model` is a model's name."""
    router = APIRouter()
    models = open_models_of(workspace)

    @router.post("/predict/{model}/answer")
    async def _answer(model: str, request: Request, side: int = SIDES_PX[-1], most: int | None = None) -> Response:
        if side not in SIDES_PX:
            return refused(OddRequestError())

        def asked(data: bytes) -> Response:
            return JSONResponse(answer(models.find(model).model, data, side_px=side, most=most))

        return await _with_body(request, asked)

    @router.post("/predict/{model}/nearest")
    async def _nearest(model: str, request: Request) -> Response:
        return await _with_body(request, lambda data: JSONResponse(_near(models.find(model), data)))

    @router.post("/predict/{model}/csv")
    async def _csv(model: str, request: Request) -> Response:
        return await _with_body(request, lambda data: Response(_table(models.find(model), data), media_type=_CSV))

    @router.get("/answers/{one}.csv")
    def _kept(one: str) -> Response:
        found = folder_answers_of(workspace).find(one) if _ID.fullmatch(one) else None
        if found is None or not found.file.is_file():
            return Response(status_code=404)
        return FileResponse(found.file, media_type=_CSV, filename=f"{found.model.name}-answers.csv")

    return router


def _near(opened: OpenModel, data: bytes) -> dict[str, Any]:
    """The nearest training pictures; or how far the preparation is; or why there are none."""
    search = opened.training_pictures
    search.wait(timeout_s=0.5)
    if search.is_running:
        now = search.progress
        return {"working": {"done": now.done if now else 0, "total": now.total if now else None}}
    if search.outcome is None:
        return {"why": search.error}
    found = search.outcome
    near = found.nearest(opened.model.features(data)[0])
    return {"nearest": [neighbour(one) for one in near], "among": found.n_looked_among, "of": found.n}


def _table(opened: OpenModel, data: bytes) -> str:
    try:
        given: object = json.loads(data)
    except (ValueError, RecursionError):
        given = None
    answers = [prediction_of(one) for one in cast("list[object]", given if isinstance(given, list) else [None])]
    written = io.StringIO(newline="")
    model = opened.model
    try:
        write_answers(written, answers, model.classes, has_several=model.thresholds is not None)
    except KeyError as wrong:
        raise UserError("These answers are of another model: answer the pictures again.") from wrong
    return "\ufeff" + written.getvalue()  # the mark by which spreadsheets know UTF-8


async def _with_body(request: Request, asked: Callable[[bytes], Response]) -> Response:
    """What `asked` makes, in a thread, of what was sent, unless it is too much."""
    data = await body_of(request, MOST_BYTES)
    if data is None:
        return JSONResponse({"error": _TOO_LARGE}, status_code=413)
    return await run_in_threadpool(answered, lambda: asked(data))
