"""The routes by which a browser sends files: begin, send pieces, give up. The page then starts the import."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from winnow.studio.pages.importing.uploads import MOST_PIECE_BYTES, Uploads
from winnow.studio.per_workspace import PerWorkspace
from winnow.studio.refusals import answered, body_of
from winnow.workspace.workspace import Workspace

uploads_of = PerWorkspace(lambda workspace: Uploads(workspace.cache_folder / "uploads"))
"""The uploads of a workspace, the same for all pages."""


def receiving(workspace: Workspace) -> APIRouter:
    """The routes of uploads."""
    router = APIRouter()
    uploads = uploads_of(workspace)

    @router.post("/uploads")
    def _begin() -> Response:
        return answered(lambda: JSONResponse({"id": uploads.begin().id}))

    @router.post("/uploads/{upload_id}/pieces")
    async def _take(upload_id: str, request: Request) -> Response:
        data = await body_of(request, MOST_PIECE_BYTES)
        if data is None:
            return Response(status_code=413)

        def taken() -> Response:
            upload = uploads.find(upload_id)
            upload.write(data)
            return JSONResponse({"files": upload.n_files, "bytes": upload.n_bytes})

        return await run_in_threadpool(answered, taken)

    @router.post("/uploads/{upload_id}/give-up")
    def _give_up(upload_id: str) -> Response:
        uploads.remove(upload_id)
        return Response(status_code=204)

    return router
