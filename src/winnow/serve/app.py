"""The server as one ASGI app: the door, the routes, one form for every refusal, a line in the log for each request.

No framework stands between a request and its route: at thousands of requests a second its cost would be seen.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.types import Receive, Scope, Send

from winnow.serve import metrics_page, model_routes, predict_routes, v2
from winnow.serve.door import Door
from winnow.serve.known_heads import KnownHeads
from winnow.serve.lender import Lender
from winnow.serve.openapi import document
from winnow.serve.predict_routes import parse_query
from winnow.serve.problem import ProblemError, problem_of
from winnow.serve.reply import CLOSE, Reply, json_reply
from winnow.serve.served import Served
from winnow.serve.service import Service

Handler: TypeAlias = Callable[[Service, Scope, Receive], Awaitable[Reply]]

_log = logging.getLogger("winnow.serve")
_COUNTED = frozenset((predict_routes.predict, v2.infer))


async def alive(service: Service, scope: Scope, receive: Receive) -> Reply:
    """GET /healthz: the process is there."""
    return json_reply({"status": "alive"})


async def ready(service: Service, scope: Scope, receive: Receive) -> Reply:
    """GET /readyz: questions may be sent here."""
    is_ready = service.is_ready
    return json_reply({"status": "ready" if is_ready else "not ready"}, 200 if is_ready else 503)


async def show_openapi(service: Service, scope: Scope, receive: Receive) -> Reply:
    """GET /openapi.json: all of this as a document for programs."""
    return json_reply(document(service.intake.most_bytes, service.most_items))


_V2_MODEL = "/v2/models/{model}"
_V2_VERSION = f"{_V2_MODEL}/versions/{{version}}"
ROUTES: dict[str, dict[str, Handler]] = {
    "/predict": {"POST": predict_routes.predict},
    "/models": {"GET": model_routes.list_models},
    "/models/{model}": {"GET": model_routes.show_model, "PUT": model_routes.change_model},
    "/models/{model}/drift": {"GET": model_routes.show_drift},
    "/healthz": {"GET": alive},
    "/readyz": {"GET": ready},
    "/metrics": {"GET": metrics_page.show_metrics},
    "/openapi.json": {"GET": show_openapi},
    "/v2": {"GET": v2.about},
    "/v2/health/live": {"GET": v2.live},
    "/v2/health/ready": {"GET": v2.ready},
    _V2_MODEL: {"GET": v2.describe},
    f"{_V2_MODEL}/ready": {"GET": v2.model_ready},
    f"{_V2_MODEL}/infer": {"POST": v2.infer},
    _V2_VERSION: {"GET": v2.describe},
    f"{_V2_VERSION}/ready": {"GET": v2.model_ready},
    f"{_V2_VERSION}/infer": {"POST": v2.infer},
}
"""What is answered at each address; the OpenAPI document says the same, and a test compares them."""
_PLACES = [
    (re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path))), by_method)
    for path, by_method in ROUTES.items()
    if "{" in path
]


class App:
    """Answers requests.

    Args:
        service: what the routes share.
        door: who may come in.
        log: hears a line of JSON for each request, without bodies and tokens; None: nobody does.
    """

    def __init__(self, service: Service, door: Door, log: Callable[[str], None] | None = None) -> None:
        self.service = service
        self.door = door
        self.known_heads = KnownHeads()
        self._log = log

    @property
    def lender(self) -> Lender | None:
        """By which connections can be lent at the moment; None: they cannot, as where each request is said to a log."""
        return None if self._log is not None or self.service.is_stopping else self.service.engine.lender

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; never raises for what a client sent."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":  # ASGI's way to say that nothing is to be started or stopped
            raise NotImplementedError(scope["type"])
        started = time.perf_counter()
        handler: Handler | None = None
        try:
            scope["may"] = self.door.let_in(scope)
            handler = _route(scope)
            if handler is not predict_routes.predict and scope["query_string"]:
                parse_query(scope["query_string"], ())
            reply = await handler(self.service, scope, receive)
        # Whatever it is, a client hears a sentence and never a trace.
        except Exception as error:
            reply = self.refusal(scope, error)
        if self.service.is_stopping and CLOSE not in reply.headers:
            reply.headers = (*reply.headers, CLOSE)  # the next request finds the next server
        await reply.send(send)
        self.note(scope, handler, reply, started)

    def refusal(self, scope: Scope, error: Exception) -> Reply:
        """What is said of an error; the trace of one that nobody foresaw goes to the log."""
        problem = problem_of(error)
        if problem.status == 500:
            _log.error("A fault in %s %s", scope["method"], json.dumps(scope["path"]), exc_info=error)
        return problem.reply()

    def note(self, scope: Scope, handler: Handler | None, reply: Reply, started: float) -> None:
        """Count a request that was answered, and say it to the log.

        Args:
            started: on the clock of `time.perf_counter`.
        """
        seconds = time.perf_counter() - started
        served: Served | None = scope.get("served")
        if handler in _COUNTED:
            place = ("", "") if served is None else (served.name, served.version)
            self.service.meters.saw_request(*place, reply.status, seconds)
        if self._log is not None:
            self._log(_line(scope, reply, served, seconds))


def _route(scope: Scope) -> Handler:
    path, method = scope["path"], scope["method"]
    scope["path_params"] = {}
    by_method = ROUTES.get(path) if "{" not in path else None
    if by_method is None:
        for pattern, found in _PLACES:
            if (place := pattern.fullmatch(path)) is not None:
                by_method, scope["path_params"] = found, place.groupdict()
    if by_method is None:
        raise ProblemError(404, "no-route", "There is nothing at this address; see /openapi.json.")
    handler = by_method.get("GET" if method == "HEAD" else method)
    if handler is None:
        allowed = ", ".join([*by_method, *(["HEAD"] if "GET" in by_method else [])])
        raise ProblemError(405, "method", f"This address takes {allowed}.", ((b"allow", allowed.encode()),))
    return handler


def _line(scope: Scope, reply: Reply, served: Served | None, seconds: float) -> str:
    """JSON escapes what could command a terminal or begin a line of its own; the query is left out with its secrets."""
    client = scope.get("client")
    return json.dumps(
        {
            "time": round(time.time(), 3),
            "client": client[0] if client else None,
            "method": scope["method"],
            "path": scope["path"][:500],
            "status": reply.status,
            "ms": round(seconds * 1000, 2),
            "model": None if served is None else served.full_name,
            "bytes": len(reply.body),
        }
    )
