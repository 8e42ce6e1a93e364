"""The report of a model as its own page, by the model's name.

It is one file that needs nothing else and brings a policy of its own, which names its style and script by hash. Here it
is opened in a sandbox: as a stranger, without this studio's cookie, so that not even a forged one could act here.
"""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse, Response

from winnow.api.report import PAGE
from winnow.errors import UserError
from winnow.workspace.workspace import Workspace

_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-forms"
)


def report_address(model: str) -> str:
    """Where the report of the model of this name ("clouds", "clouds@2") is."""
    return f"/report/{quote(model)}"


def reports(workspace: Workspace) -> APIRouter:
    """The route of reports."""
    router = APIRouter()

    @router.get("/report/{model}")
    def _report(model: str) -> Response:
        try:
            path = workspace.find_model(model).folder / PAGE
        except UserError as error:
            return PlainTextResponse(str(error), 404)
        if not path.is_file():
            return PlainTextResponse(f"The model '{model}' has no report.", 404)
        return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    return router
