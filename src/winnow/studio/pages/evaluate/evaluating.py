"""The routes of the Evaluate page: what was answered picture by picture, the data behind every chart, files to keep."""

from __future__ import annotations

import re
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from winnow.api.model import REPORT
from winnow.api.report import CARD, PAGE
from winnow.errors import NotFoundError
from winnow.report.page.curves import curves_data
from winnow.report.tables import charts, ladder_chart
from winnow.studio.pages.evaluate.judged_sets import find_set, report_of
from winnow.studio.refusals import answered_to_a_person
from winnow.workspace.workspace import Workspace

FILES = {"report.html": PAGE, "report.json": REPORT, "model-card.md": CARD}
"""What can be kept of a model, by its name in an address."""
# As bytes, not as HTML: a page that is kept must be the very file that lies beside the model.
_ANY = "application/octet-stream"
_FRESH = {"Cache-Control": "no-store"}


def evaluating(workspace: Workspace) -> APIRouter:
    """The routes; `model` is a model's name, `name` one of its sets of judged pictures."""
    router = APIRouter()

    # Not async: files are read in a thread, and other pages go on. Files come first: the last route would match them.
    @router.get("/evaluate/{model}/files/{file}")
    def _file(model: str, file: str) -> Response:
        def found() -> Response:
            record = workspace.find_model(model)
            if file == "ladder.csv":
                table = ladder_chart(report_of(record).numbers.ladder)
                return as_download(f"{model}-ladder.csv", table.as_csv().encode(), "text/csv; charset=utf-8")
            path = record.folder / FILES.get(file, "")
            if file not in FILES or not path.is_file():
                raise NotFoundError(f"The model {record.full_name} has no file '{file[:40]}'.")
            return as_download(f"{record.full_name}-{file}", path.read_bytes(), _ANY)

        return answered_to_a_person(found)

    @router.get("/evaluate/{model}/{name}/pictures.json")
    def _pictures(model: str, name: str) -> Response:
        return answered_to_a_person(lambda: _facts(workspace, model, name))

    @router.get("/evaluate/{model}/{name}/answers.bin")
    def _answers(model: str, name: str) -> Response:
        def found() -> Response:
            asked = find_set(workspace, model, name)
            if asked.pictures is None:
                raise NotFoundError("This model does not keep what it answered picture by picture.")
            return Response(asked.answers(), media_type=_ANY, headers=_FRESH)

        return answered_to_a_person(found)

    @router.get("/evaluate/{model}/{name}/{chart}.csv")
    def _chart(model: str, name: str, chart: str) -> Response:
        def found() -> Response:
            tables = charts(find_set(workspace, model, name).judgement)
            if chart not in tables:
                raise NotFoundError(f"There is no chart '{chart[:40]}'; there are {', '.join(tables)}.")
            return as_download(
                f"{model}-{name}-{chart}.csv", tables[chart].as_csv().encode(), "text/csv; charset=utf-8"
            )

        return answered_to_a_person(found)

    return router


def _facts(workspace: Workspace, model: str, name: str) -> Response:
    asked = find_set(workspace, model, name)
    if asked.pictures is None:
        raise NotFoundError("This model does not keep what it answered picture by picture.")
    contents = asked.pictures.contents
    facts = {
        "classes": asked.classes,
        "contents": contents,
        "sources": [asked.sources.get(content) for content in contents],
        "isMultilabel": asked.pictures.is_multilabel,
        "curves": curves_data(asked.judgement.evaluation),
    }
    return JSONResponse(facts, headers=_FRESH)


def as_download(name: str, data: bytes, kind: str) -> Response:
    """Something to keep under a name that is safe on every disk; other scripts' letters stay for who can read them."""
    safe = re.sub(r"[^\w.@-]", "_", name)
    plain = re.sub(r"[^A-Za-z0-9._@-]", "_", name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe)}"
    return Response(data, media_type=kind, headers={"Content-Disposition": disposition, **_FRESH})
