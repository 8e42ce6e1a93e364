"""The routes by which a browser sends files: begin, send pieces, give up. The page then starts the import."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from winnow.errors import UserError
from winnow.studio.pages.importing.uploads import MOST_PIECE_BYTES, Uploads
from winnow.studio.per_workspace import PerWorkspace
from winnow.workspace.workspace import Workspace

uploads_of = PerWorkspace(lambda workspace: Uploads(workspace.cache_folder / "uploads"))
"""The uploads of a workspace, the same for all pages."""


def receiving(workspace: Workspace) -> APIRouter:
    """The routes of uploads."""
    router = APIRouter()
    uploads = uploads_of(workspace)

    @router.post("/uploads")
    def _begin() -> Response:
        try:
            return JSONResponse({"id": uploads.begin().id})
        except UserError as error:
            return _refused(error)

    @router.post("/uploads/{upload_id}/pieces")
    async def _take(upload_id: str, request: Request) -> Response:
        data = bytearray()
        async for part in request.stream():
            data += part
            if len(data) > MOST_PIECE_BYTES:
                return Response(status_code=413)
        try:
            upload = uploads.find(upload_id)
            await run_in_threadpool(upload.write, bytes(data))
        except UserError as error:
            return _refused(error)
        return JSONResponse({"files": upload.n_files, "bytes": upload.n_bytes})

    @router.post("/uploads/{upload_id}/give-up")
    def _give_up(upload_id: str) -> Response:
        uploads.remove(upload_id)
        return Response(status_code=204)

    return router


def _refused(error: UserError) -> Response:
    return JSONResponse({"error": str(error)}, status_code=422)
