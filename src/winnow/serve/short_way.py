"""The short way of the commonest request, one picture as it is: from its head to its answer without tasks and ASGI.

Beside decoding and the graph, a request should cost next to nothing. What is common to both ways (who may come in, the
options, the limits, the words of an answer) stands where the ordinary way has it, and whatever is wrong with a head is
left to that way to say. One thing is decided here alone: while the queue is full, a request is refused before its body
is read, for reading it would take time from those who are answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import Scope

from winnow.serve import predict_routes
from winnow.serve.bodies import headers_of, is_raw, kind_of
from winnow.serve.job import Waiter
from winnow.serve.predict_routes import Options
from winnow.serve.questions import Answer, Question, UnansweredError
from winnow.serve.reply import Reply
from winnow.serve.served import Lineup, Served

if TYPE_CHECKING:
    from winnow.serve.app import App


@dataclass(frozen=True, slots=True)
class ShortHead:
    """What the head of a request for one raw picture says, but for the length of its body.

    Attributes:
        options: what stands behind the '?'.
        timeout_s: how long the client waits.
        served: who answers; None: that depends on the body.
        lineup: what was served when that was decided.
        edition: of the tokens by which it was let in.
    """

    options: Options
    timeout_s: float
    served: Served | None
    lineup: Lineup
    edition: int

    def is_true(self, app: App) -> bool:
        """Would it be understood, and let in, in the same way now?"""
        return self.lineup is app.service.engine.lineup and self.edition == app.door.keys.edition()


def read_head(app: App, scope: Scope) -> tuple[ShortHead, int] | None:
    """The head of a POST to /predict, and the length of its body; None: it goes the ordinary way."""
    service = app.service
    try:
        headers = headers_of(scope)
        length = headers.get(b"content-length", b"")
        has_length = length.isdigit() and len(length) <= 18 and b"transfer-encoding" not in headers
        if not has_length or not is_raw(kind_of(headers)):
            return None
        edition = app.door.keys.edition()
        app.door.let_in(scope)
        options = predict_routes.options_of(scope["query_string"])
        served = service.choose_by_head(scope, options.model, options.version)
        return ShortHead(options, service.timeout_of(headers), served, service.engine.lineup, edition), int(length)
    except Exception:  # the ordinary way meets it again, and says what it is
        return None


class ShortWay:
    """One request on its short way; its body comes by `take`, and `ask` ends it.

    Args:
        app: what answers.
        head: what it asks for.
        n_bytes: of its body.
        client: who asks, for the log.
        answer: called once, sooner or later (at once where it is refused by its head), with what is to be sent.

    Attributes:
        is_answered: its answer was handed over.

    Raises:
        ProblemError: there is no room for its body.
    """

    __slots__ = (
        "_answer",
        "_app",
        "_chunks",
        "_deadline",
        "_head",
        "_room",
        "_scope",
        "_started",
        "_waiter",
        "is_answered",
    )

    def __init__(
        self,
        app: App,
        head: ShortHead,
        n_bytes: int,
        client: tuple[str, int] | None,
        answer: Callable[[Reply], None],
    ) -> None:
        self._started = time.perf_counter()
        self._app = app
        self._head = head
        self._deadline = time.monotonic() + head.timeout_s
        self._answer = answer
        self._chunks: list[bytes] = []
        self._room = 0
        self._scope: Scope = {"method": "POST", "path": "/predict", "client": client, "served": head.served}
        self._waiter: Waiter | None = None
        self.is_answered = False
        service = app.service
        full = service.engine.full()
        if full is None:
            self._room = service.intake.take(n_bytes)
        else:
            service.count(head.served, full)
            self._refuse(full)

    def take(self, chunk: bytes) -> None:
        """A piece of the body."""
        if not self.is_answered:
            self._chunks.append(chunk)

    def ask(self) -> None:
        """The body is whole."""
        if self.is_answered:
            return
        chunks, self._chunks = self._chunks, []
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        service, head, options = self._app.service, self._head, self._head.options
        try:
            served = head.served or service.choose(self._scope, options.model, options.version, (body,))
            question = Question(predict_routes.check_one(served, body), body, self._deadline)
            known = service.engine.put(question, self._told)
        except UnansweredError as error:
            self._told(error)
            return
        except Exception as error:
            self._refuse(error)
            return
        if isinstance(known, Answer):
            self._told(known)
        else:
            self._waiter = known

    def leave(self) -> None:
        """The client has left: nobody shall work for it any more."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            self._app.service.engine.leave(waiter)
        self._give_room()

    def _told(self, found: Answer | UnansweredError) -> None:
        self._waiter = None
        try:
            self._app.service.count(self._scope["served"], found)
            if isinstance(found, UnansweredError):
                raise found
            reply = predict_routes.one_answer(found, self._head.options)
        except Exception as error:
            self._refuse(error)
            return
        self._send(reply)

    def _refuse(self, error: Exception) -> None:
        self._send(self._app.refusal(self._scope, error))

    def _send(self, reply: Reply) -> None:
        self.is_answered = True
        self._give_room()
        self._answer(reply)
        self._app.note(self._scope, predict_routes.predict, reply, self._started)

    def _give_room(self) -> None:
        room, self._room = self._room, 0
        self._app.service.intake.give_room(room)
