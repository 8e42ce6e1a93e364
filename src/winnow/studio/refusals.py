"""What routes answer where something cannot be done: a sentence, and the status that scripts go by."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from winnow.errors import NotFoundError, UserError, WorkspaceError

_STATUS = {WorkspaceError: 503, NotFoundError: 404}
"""503: trying again may help. All others are 422: what was asked makes no sense here."""


class OddRequestError(UserError):
    """No page of ours asks so: an old script, or a program."""

    def __init__(self) -> None:
        super().__init__("This is no request that a page of the studio makes: load the page again.")


def status_of(error: UserError) -> int:
    """The HTTP status that says the same."""
    return next((status for kind, status in _STATUS.items() if isinstance(error, kind)), 422)


def refused(error: UserError) -> JSONResponse:
    """For scripts: {"error": the sentence}."""
    return JSONResponse({"error": str(error)}, status_of(error))


def answered(answer: Callable[[], Response]) -> Response:
    """The answer, or the sentence for a script."""
    try:
        return answer()
    except UserError as error:
        return refused(error)


def answered_to_a_person(answer: Callable[[], Response]) -> Response:
    """The answer, or the sentence alone: for files that people keep and pages that they open."""
    try:
        return answer()
    except UserError as error:
        return PlainTextResponse(str(error), status_of(error))


async def odd_request(_: Request, __: Exception) -> Response:
    """In place of a list of what FastAPI found wrong with the address or the body."""
    return refused(OddRequestError())


async def nobody_there(_: Request, __: Exception) -> Response:
    """Where a browser left while it sent something: no fault, and nobody hears the answer."""
    return Response(status_code=499)


async def body_of(request: Request, most_bytes: int) -> bytes | None:
    """What was sent; None as soon as it is more than so many bytes."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > most_bytes:
            return None
    return bytes(data)
