"""The short way of the commonest request, one picture as it is: from its head to its answer without tasks and ASGI.

Beside decoding and the graph, a request should cost next to nothing. What is common to both ways (who may come in, the
options, the limits, the words of an answer) stands where the ordinary way has it, and whatever is wrong with a head is
left to that way to say. One thing is decided here alone: while the queue is full, a request is refused before its body
is read, for reading it would take time from those who are answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.types import Scope

from winnow.serve import predict_routes
from winnow.serve.bodies import headers_of, is_raw, kind_of
from winnow.serve.job import Waiter
from winnow.serve.questions import Answer, Question, UnansweredError
from winnow.serve.reply import Reply

if TYPE_CHECKING:
    from winnow.serve.app import App


class ShortWay:
    """One request on its short way; made by `open`.

    Attributes:
        is_answered: its answer was handed over.
    """

    __slots__ = (
        "_answer",
        "_app",
        "_chunks",
        "_deadline",
        "_options",
        "_room",
        "_scope",
        "_served",
        "_started",
        "_waiter",
        "is_answered",
    )

    def __init__(self, app: App, scope: Scope, answer: Callable[[Reply], None]) -> None:
        self._started = time.perf_counter()
        self._app = app
        self._scope = scope
        self._answer = answer
        self._chunks: list[bytes] = []
        self._room = 0
        self._waiter: Waiter | None = None
        self.is_answered = False
        service, headers = app.service, headers_of(scope)
        if service.is_stopping or b"content-length" not in headers or not is_raw(kind_of(headers)):
            raise _OrdinaryError
        scope["may"] = app.door.let_in(scope)
        self._deadline = service.deadline(headers)
        self._options = predict_routes.options_of(scope["query_string"])
        self._served = service.choose_by_head(scope, self._options.model, self._options.version)
        full = service.engine.full()
        if full is None:
            self._room = service.intake.take_room(headers)
        else:
            service.count(self._served, full)
            self._refuse(full)

    @classmethod
    def open(cls, app: App, scope: Scope, answer: Callable[[Reply], None]) -> ShortWay | None:
        """Begin, with the head of a POST to /predict; None: it goes the ordinary way.

        Args:
            answer: called once, sooner or later, with what is to be sent.
        """
        try:
            return cls(app, scope, answer)
        except Exception:  # the ordinary way meets it again, and says what it is
            return None

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
        service, options = self._app.service, self._options
        try:
            served = self._served or service.choose(self._scope, options.model, options.version, (body,))
            self._served = predict_routes.check_one(served, body)
            known = service.engine.put(Question(served, body, self._deadline), self._told)
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
        self._app.service.count(self._served, found)
        if isinstance(found, UnansweredError):
            self._refuse(found)
        else:
            self._send(predict_routes.one_answer(found, self._options))

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


class _OrdinaryError(Exception):
    """This request goes the ordinary way."""
