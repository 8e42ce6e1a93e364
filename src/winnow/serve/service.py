"""What all routes share: the engine, the limits, the counts, and how a question is asked."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.types import Scope

from winnow.serve.bodies import Intake
from winnow.serve.drift import Drift
from winnow.serve.loan import Tally
from winnow.serve.meters import Meters
from winnow.serve.problem import ProblemError
from winnow.serve.questions import Answer, Question, Tensors, UnansweredError
from winnow.serve.served import Lineup, Served

if TYPE_CHECKING:
    from winnow.serve.engine import Engine

TOGETHER = 8
"""Pictures of one request that wait in the queue at once, so that a large request leaves room for others."""
GONE = "winnow.gone"
"""The extension of a request's scope by which `serve.protocol` lets a task be cancelled when the client leaves."""
_ANY = bytes(8)
"""Where there is one version, it matters to nobody which question comes to it."""
_TIMEOUT = b"winnow-timeout-ms"


@dataclass(slots=True)
class Service:
    """One server.

    Attributes:
        engine: answers.
        open_version: a version of the workspace by its full name, such as "clouds@2".
        intake: reads bodies within limits.
        most_items: pictures in one request.
        timeout_s: after which nobody waits for an answer any more; a request may ask for less.
        allows_urls: pictures may be named by their address.
        drifts: what each version sees against what it learned from, by the graph's digest.
        is_stopping: SIGTERM has come; what was accepted is still answered.
    """

    engine: Engine
    open_version: Callable[[str], Served]
    intake: Intake
    most_items: int = 64
    timeout_s: float = 10.0
    allows_urls: bool = False
    drifts: dict[str, Drift] = field(default_factory=dict)
    meters: Meters = field(default_factory=Meters)
    is_stopping: bool = False
    swapping: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_ready(self) -> bool:
        """Whether questions should be sent here."""
        return self.engine.is_ready and not self.is_stopping

    async def start(self) -> None:
        """Start the engine; returns when it can answer.

        Raises:
            UserError: a model cannot be opened.
        """
        await self._watch_drift(self.engine.lineup)
        await self.engine.start(self._count_lent)

    async def swap(self, lineup: Lineup) -> None:
        """Serve another line-up from now on; what was asked before is answered as it was.

        Raises:
            UserError: one of its models cannot be opened; nothing has changed.
        """
        await self._watch_drift(lineup)
        await self.engine.swap(lineup)
        served = {one.served.digest for one in lineup}
        self.drifts = {digest: drift for digest, drift in self.drifts.items() if digest in served}

    async def _watch_drift(self, lineup: Lineup) -> None:
        for one in lineup:
            if one.served.digest not in self.drifts:
                self.drifts[one.served.digest] = await asyncio.to_thread(Drift, one.served)

    def choose(self, scope: Scope, name: str | None, version: str | None, parts: Sequence[bytes]) -> Served:
        """Who answers a request; the same request goes to the same version as long as the shares stay.

        Raises:
            NotFoundError: there is no such model or version.
        """
        lineup = self.engine.lineup
        if (served := self.choose_by_head(scope, name, version)) is not None:
            return served
        hashed = hashlib.sha256()
        for part in parts:
            hashed.update(part)
        served = scope["served"] = lineup.choose(name, version, hashed.digest())
        return served

    def choose_by_head(self, scope: Scope, name: str | None, version: str | None) -> Served | None:
        """Who answers a request, whatever is in its body; None: that depends on it.

        Raises:
            NotFoundError: there is no such model or version.
        """
        lineup = self.engine.lineup
        if version is None and len(lineup.versions(lineup.names[0] if name is None else name)) > 1:
            return None
        served = scope["served"] = lineup.choose(name, version, _ANY)
        return served

    def timeout_of(self, headers: dict[bytes, bytes]) -> float:
        """How long the client waits, in seconds.

        Raises:
            ProblemError: its header makes no sense.
        """
        wished = headers.get(_TIMEOUT)
        if wished is None:
            return self.timeout_s
        if not wished.isdigit() or len(wished) > 9 or int(wished) == 0:
            raise ProblemError(422, "bad-timeout", "The header 'Winnow-Timeout-Ms' must be milliseconds, such as 500.")
        return min(self.timeout_s, int(wished) / 1000)

    def deadline(self, headers: dict[bytes, bytes]) -> float:
        """Until when the client waits, on the clock of `time.monotonic`; raises as `timeout_of`."""
        return time.monotonic() + self.timeout_of(headers)

    async def ask(self, served: Served, what: bytes | Tensors, deadline: float) -> Answer:
        """One answer, counted.

        Raises:
            UnansweredError: there is none.
        """
        try:
            answer = await self.engine.ask(Question(served, what, deadline))
        except UnansweredError as error:
            self.count(served, error)
            raise
        self.count(served, answer)
        return answer

    def count(self, served: Served | None, found: Answer | UnansweredError) -> None:
        """Count what came of a question; `served`: None where it was refused before anybody was chosen to answer it."""
        place = ("", "") if served is None else (served.name, served.version)
        if isinstance(found, UnansweredError):
            self.meters.questions[*place, found.code] += 1
            return
        self.meters.questions[*place, "cached" if found.is_cached else "answered"] += 1
        if (drift := self.drifts.get(found.served.digest)) is not None:
            drift.saw(found)

    def _count_lent(self, served: Served, tally: Tally) -> None:
        """Count requests that a worker answered on lent connections."""
        self.meters.saw_requests(served.name, served.version, tally)
        if (drift := self.drifts.get(served.digest)) is not None:
            for summary, probs in tally.samples:
                drift.saw(Answer(served, {"probabilities": probs}, summary))


class LeavesWithClient:
    """Cancels this task when the client of a request goes away, so that nobody works for nobody."""

    def __init__(self, scope: Scope) -> None:
        self._connection = scope.get("extensions", {}).get(GONE)

    def __enter__(self) -> None:
        if self._connection is not None and (task := asyncio.current_task()) is not None:
            self._connection.when_gone = task.cancel

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.when_gone = None
