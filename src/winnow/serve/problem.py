"""Every refusal in one form that programs and people can read: problem+json, never a trace.

Source: RFC 9457, Problem Details for HTTP APIs.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from http import HTTPStatus

from winnow.errors import ConflictError, NotFoundError, UserError, WorkspaceError
from winnow.serve.questions import UnansweredError
from winnow.serve.reply import Header, Reply

KIND = b"application/problem+json"


class ProblemError(Exception):
    """A request that gets no answer but this.

    Args:
        status: of HTTP, 4xx or 5xx.
        code: a short word for programs, such as "body-too-large".
        detail: a sentence for people: what happened, what was expected, what to do.
        headers: to be sent with it.
    """

    def __init__(self, status: int, code: str, detail: str, headers: Sequence[Header] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = tuple(headers)

    def reply(self) -> Reply:
        """The document; `type` is "about:blank", so `title` is HTTP's own phrase.

        Clients of KServe's protocol look for the sentence under "error".
        """
        document = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "error": self.detail,
        }
        return Reply(json.dumps(document).encode(), KIND, self.status, self.headers)


def problem_of(error: Exception) -> ProblemError:
    """What is answered for an error; one of ours that nobody foresaw is a bare 500."""
    match error:
        case ProblemError():
            return error
        case UnansweredError():
            return ProblemError(error.status, error.code, error.sentence, _later(error.retry_after_s))
        case NotFoundError():
            return ProblemError(404, "not-found", str(error))
        case ConflictError():
            return ProblemError(409, "conflict", str(error))
        case WorkspaceError():
            return ProblemError(503, "workspace", str(error), _later(1.0))
        case UserError():
            return ProblemError(422, "unusable", str(error))
        case _:
            return ProblemError(500, "fault", "A fault of the server; its log says more.")


def _later(retry_after_s: float | None) -> tuple[Header, ...]:
    return () if retry_after_s is None else ((b"retry-after", b"%d" % max(1, math.ceil(retry_after_s))),)
