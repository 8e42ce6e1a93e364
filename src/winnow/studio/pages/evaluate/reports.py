"""The report of a model as its own page, by the model's name.

It is one file that needs nothing else and brings a policy of its own, which names its style and script by hash. Here it
is opened in a sandbox: as a stranger, without this studio's cookie, so that not even a forged one could act here.
"""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from winnow.api.report import PAGE
from winnow.errors import NotFoundError
from winnow.studio.refusals import answered_to_a_person
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
        def found() -> Response:
            path = workspace.find_model(model).folder / PAGE
            if not path.is_file():
                raise NotFoundError(f"The model '{model}' has no report.")
            return FileResponse(path, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

        return answered_to_a_person(found)

    return router
