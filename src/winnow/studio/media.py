"""Pictures of datasets, by the hash of their bytes alone: no address ever holds a path or a name."""

from __future__ import annotations

import contextlib
import re

from fastapi import APIRouter
from fastapi.responses import Response

from winnow.data.decode import UnreadablePictureError
from winnow.data.decoder.pool import decoding_pool
from winnow.data.whole_files import write_whole
from winnow.errors import UserError, WorkspaceError
from winnow.report.thumbnails import thumbnail
from winnow.workspace.workspace import Workspace

SIDES_PX = (96, 192, 512, 1024)
"""Longest sides that can be asked for."""
_HASH = re.compile(r"[0-9a-f]{64}")
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def picture_address(content: str, side_px: int = 192) -> str:
    """Where the picture of this content hash is, its longer side at most so many pixels (one of `SIDES_PX`)."""
    assert side_px in SIDES_PX
    return f"/picture/{content}?side={side_px}"


def media(workspace: Workspace) -> APIRouter:
    """The routes of pictures."""
    router = APIRouter()

    # Not async: decoding waits in a thread, and other pages go on.
    @router.get("/picture/{content}")
    def _picture(content: str, side: int = SIDES_PX[1]) -> Response:
        if not _HASH.fullmatch(content) or side not in SIDES_PX:
            return Response(status_code=404)
        try:
            encoded = _thumbnail(workspace, content, side)
        except (UnreadablePictureError, UserError):
            return Response(status_code=404)
        kind = "image/png" if encoded.startswith(b"\x89PNG") else "image/jpeg"
        return Response(encoded, media_type=kind, headers=_FOREVER)

    return router


def _thumbnail(workspace: Workspace, content: str, side_px: int) -> bytes:
    """The encoded picture, made once: decoding a photo takes some 50 ms, and a grid shows hundreds."""
    kept = workspace.cache_folder / "thumbnails" / str(side_px) / content[:2] / content
    with contextlib.suppress(OSError):
        return kept.read_bytes()
    encoded = thumbnail(decoding_pool().pixels(workspace.blobs.read(content), side_px), side_px)
    with contextlib.suppress(WorkspaceError, OSError):  # no room: it was only for the next time
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, encoded, is_durable=False)
    return encoded
