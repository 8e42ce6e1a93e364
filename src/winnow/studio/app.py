"""The studio as one app: its pages, its pictures, its door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import nicegui
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from nicegui import ui
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

import winnow.report.page as report_page
from winnow.errors import UserError
from winnow.studio.door import Door, Lock
from winnow.studio.frame import frame, theme_of
from winnow.studio.media import media
from winnow.studio.page import Page, Visit
from winnow.studio.pages import PAGES
from winnow.studio.pages.evaluate.evaluating import evaluating
from winnow.studio.pages.evaluate.reports import reports
from winnow.studio.pages.importing.receiving import receiving
from winnow.studio.pages.label.routes import label_routes
from winnow.studio.pages.predict.predicting import predicting
from winnow.studio.parts import para
from winnow.studio.per_workspace import forget
from winnow.studio.refusals import nobody_there, odd_request
from winnow.studio.worker_watch import watch_worker
from winnow.workspace.workspace import Workspace

STATIC = Path(__file__).parent / "static"
DRAWINGS = tuple(Path(report_page.__file__).parent / name for name in ("ladder.css", "chart.css", "closer_look.css"))
"""Style sheets of the report's drawings, for pages that show the same; below `/drawings/`."""

_SLOW_S = 60.0
"""NiceGUI gives a page up after 3 s; the first one loads what climbs take, and a busy machine takes its time."""


def studio(workspace: Workspace, lock: Lock) -> ASGIApp:
    """The studio of an open workspace behind its door; one a process, since NiceGUI keeps its pages globally."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_pages(workspace, origin=f"http://127.0.0.1:{lock.port}")
    watch_worker(workspace)
    ui.run_with(
        app,
        title="Winnow",
        favicon=STATIC / "mark.svg",
        dark=None,
        language="en-US",
        tailwind=False,
        gzip_middleware_factory=None,
        show_welcome_message=False,
        reconnect_timeout=30.0,
    )
    return Door(app, lock)


def add_pages(workspace: Workspace, origin: str = "http://127.0.0.1") -> None:
    """Add all pages and pictures to NiceGUI's own app; tests visit them there without a door."""
    nicegui.app.add_static_files("/static", STATIC)
    for style in DRAWINGS:
        nicegui.app.add_static_file(local_file=str(style), url_path=f"/drawings/{style.name}")
    nicegui.app.include_router(media(workspace))
    nicegui.app.include_router(label_routes(workspace))
    nicegui.app.include_router(reports(workspace))
    nicegui.app.include_router(receiving(workspace))
    nicegui.app.include_router(predicting(workspace))
    nicegui.app.include_router(evaluating(workspace))
    ui.add_head_html('<link rel="stylesheet" href="/static/studio.css">', shared=True)
    nicegui.app.add_exception_handler(RequestValidationError, odd_request)
    nicegui.app.add_exception_handler(ClientDisconnect, nobody_there)
    nicegui.app.on_shutdown(lambda: forget(workspace))
    for page in PAGES:
        ui.page(page.path, response_timeout=_SLOW_S)(_visited(page, workspace, origin))


def _visited(page: Page, workspace: Workspace, origin: str) -> Callable[[Request], Awaitable[None]]:
    async def visited(request: Request) -> None:
        visit = Visit(workspace, dict(request.path_params), dict(request.query_params), origin)
        with frame(page, visit, theme_of(request.cookies)):
            try:
                await page.build(visit)
            except UserError as error:
                para(str(error), "notice wrong", role="alert")

    return visited
