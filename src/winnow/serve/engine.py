"""The engine behind the door: a bounded queue, one single-threaded worker process a core, and swaps without a gap."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import sys
import time
from collections.abc import Callable
from functools import partial

from winnow.errors import ConflictError, UserError
from winnow.machine import cores
from winnow.serve.answer_cache import AnswerCache
from winnow.serve.counts import Counts
from winnow.serve.crew import Crew
from winnow.serve.deadlines import Deadlines
from winnow.serve.job import Job, Key, Outcome, Told, Waiter
from winnow.serve.lender import Lender
from winnow.serve.limits import LIMITS
from winnow.serve.loan import Tally
from winnow.serve.payloads import payload_of
from winnow.serve.questions import Answer, Question, UnansweredError
from winnow.serve.refusals import draining, not_served, too_late
from winnow.serve.served import Lineup, Served

_log = logging.getLogger(__name__)

MOST_WAITING_BYTES = 256 << 20
PATIENCE_S = 30.0
_LINGER_S = 1.0
"""How long workers of an earlier line-up stay without a question: a request may ask for several pictures in turn."""
_LOOK_S = 0.02
_QUICK_S = 0.25
_SOON_S = 2.5
"""Connections are lent while an answer takes less than the one, and the last of a full queue less than the other."""


class Engine:
    """Answers questions with the models of a line-up, in worker processes.

    Args:
        lineup: what is served.
        workers: how many processes; None: one a core.
        most_waiting: so many questions may wait for a worker; more are refused.
        most_cached: so many answers are remembered; 0: none, and a question asked twice at a time is computed twice.
        patience_s: how long one question may be computed, by the clock, before its worker is ended.
    """

    def __init__(
        self,
        lineup: Lineup,
        *,
        workers: int | None = None,
        most_waiting: int = LIMITS.queue,
        most_cached: int = LIMITS.cache,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._lineup = lineup
        self._n_workers = workers or cores()
        self._most_waiting = most_waiting
        self._patience_s = patience_s
        self._most_cached = most_cached
        self._serial = itertools.count()
        self._cache = AnswerCache(most_cached)
        self._counts = Counts()
        self._told: Callable[[Served, Tally], None] | None = None
        self._crew: Crew | None = None
        self._earlier: list[Crew] = []
        self._retiring: set[asyncio.Task[None]] = set()
        self._asked: dict[Key, Job] = {}
        self._deadlines = Deadlines(self._give_up)
        self._swapping = asyncio.Lock()
        self._is_draining = False

    @property
    def lineup(self) -> Lineup:
        """What new questions are answered with."""
        return self._lineup

    @property
    def is_ready(self) -> bool:
        """Whether a question asked now would be answered: a worker is there and the engine is not being stopped."""
        return self._crew is not None and self._crew.n_ready > 0 and not self._is_draining

    @property
    def is_draining(self) -> bool:
        """Whether new questions are refused for good."""
        return self._is_draining

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the workers that answer new questions."""
        return () if self._crew is None else self._crew.process_ids

    @property
    def lender(self) -> Lender | None:
        """By which a connection of the usual kind can be lent to the workers at the moment; None: it cannot.

        Only while answers are quick: nobody looks at the clock of each client there.
        """
        crew = self._crew
        if crew is None or self._is_draining:
            return None
        queued_s = self._most_waiting * crew.mean_s / self._n_workers
        return crew.lender if crew.mean_s < _QUICK_S and queued_s < _SOON_S else None

    @property
    def counts(self) -> Counts:
        """What was done so far and what is being done; the same object each time, brought up to date."""
        crews = self._crews
        self._counts.waiting = sum(crew.n_waiting for crew in crews)
        self._counts.waiting_bytes = sum(crew.waiting_bytes for crew in crews)
        self._counts.computing = sum(crew.n_computing for crew in crews)
        self._counts.workers = 0 if self._crew is None else self._crew.n_ready
        return self._counts

    def recall(self) -> None:
        """Have all connections back that are lent: who is asked, or may ask, has changed, or will."""
        for crew in self._crews:
            if crew.lender is not None:
                crew.lender.recall()

    async def start(self, told: Callable[[Served, Tally], None] | None = None) -> None:
        """Start the workers; returns when all are ready.

        Args:
            told: hears what workers answered on connections that were lent to them; None: nothing is lent.

        Raises:
            UserError: a model cannot be opened, or this system has no such workers; nothing runs then.
        """
        if sys.platform == "win32":
            raise UserError("Winnow serves on Linux and macOS only; on Windows, use the Windows Subsystem for Linux.")
        self._told = told
        crew = self._new_crew(self._lineup)
        await crew.start(at_once=self._n_workers)
        self._crew = crew

    async def ask(self, question: Question) -> Answer:
        """The answer to a question; cancelling this drops the work that was not begun.

        Raises:
            UnansweredError: 429 queue-full; 503 draining or worker-lost; 504 too-late; 404 not-served, the version was
                taken down; 4xx with a picture's code, or 422 bad-tensors.
        """
        answered: asyncio.Future[Answer | UnansweredError] = asyncio.get_running_loop().create_future()
        known = self.put(question, partial(_set, answered))
        if isinstance(known, Answer):
            return known
        try:
            found = await answered
        finally:
            self.leave(known)
        if isinstance(found, UnansweredError):
            raise found
        return found

    def put(self, question: Question, told: Told) -> Answer | Waiter:
        """Ask without waiting: what is known already comes back at once.

        Args:
            told: called once, later, with the answer or why there is none, unless its waiter leaves before.

        Raises:
            UnansweredError: it is known at once that there is no answer; as for `ask`.
        """
        if self._is_draining:
            raise draining()
        served = question.served
        payload = payload_of(question)
        key = self._key(payload, served)
        outcome = self._cache.get(key)
        if outcome is not None:
            self._counts.cached += 1
            if isinstance(outcome, UnansweredError):
                raise outcome.again()
            return Answer(served, *outcome, is_cached=True)
        job = self._asked.get(key)
        if question.deadline <= time.monotonic():
            raise too_late()
        if job is None:
            job = self._put(served, payload, key)
        waiter = Waiter(served, job, question.deadline, told)
        job.waiters.append(waiter)
        self._deadlines.watch(waiter)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """It wants to know no more; work that nobody wants and that was not begun is dropped."""
        self._deadlines.forget(waiter)
        job = waiter.job
        if waiter in job.waiters:
            job.waiters.remove(waiter)
        if not job.waiters and not job.is_settled:
            self._forget(job)
            for crew in self._crews:
                crew.drop(job)

    def full(self) -> UnansweredError | None:
        """Why a question asked now would be refused whatever it is; None: it may come."""
        return None if self._crew is None else self._crew.full()

    async def swap(self, lineup: Lineup) -> None:
        """Serve another line-up: its workers are started first, then new questions go to them; the old finish theirs.

        Raises:
            UserError: one of its models cannot be opened; nothing has changed.
            ConflictError: the engine is not running, or is being stopped.
        """
        async with self._swapping:
            old = self._require_running()
            if not old.holds_just(lineup):
                new = self._new_crew(lineup)
                # A quarter of the cores at a time, so that the old workers go on answering meanwhile.
                await new.start(at_once=max(1, self._n_workers // 4))
                if self._is_draining:
                    await new.end()
                self._require_running()
                self._crew = new
                self._earlier.append(old)
                retiring = asyncio.create_task(self._retire(old))
                self._retiring.add(retiring)
                retiring.add_done_callback(self._retiring.discard)
            self._lineup = lineup
            self.recall()
            self._counts.swaps += 1

    async def drain(self, grace_s: float) -> None:
        """Refuse new questions, finish the accepted ones, and end all workers.

        Args:
            grace_s: what is not answered by then is lost (503).
        """
        self._is_draining = True
        self.recall()
        give_up = time.monotonic() + grace_s
        while any(crew.is_busy for crew in self._crews) and time.monotonic() < give_up:
            await asyncio.sleep(_LOOK_S)
        async with self._swapping:
            for task in self._retiring:
                task.cancel()
            await asyncio.gather(*(crew.end() for crew in self._crews))

    @property
    def _crews(self) -> list[Crew]:
        return self._earlier if self._crew is None else [*self._earlier, self._crew]

    def _new_crew(self, lineup: Lineup) -> Crew:
        return Crew(
            lineup,
            workers=self._n_workers,
            most_waiting=self._most_waiting,
            most_waiting_bytes=MOST_WAITING_BYTES,
            patience_s=self._patience_s,
            counts=self._counts,
            n_cached=self._most_cached,
            told=self._told,
        )

    def _require_running(self) -> Crew:
        if self._crew is None or self._is_draining:
            raise ConflictError("The server is not running, or is being stopped; what it serves cannot be changed.")
        return self._crew

    async def _retire(self, crew: Crew) -> None:
        while crew.idle_s() < _LINGER_S:
            await asyncio.sleep(_LOOK_S)
        self._earlier.remove(crew)
        await crew.end()

    def _key(self, payload: bytes, served: Served) -> Key:
        """What makes two questions the same; where nothing is remembered, each is its own and no bytes are hashed."""
        if self._most_cached:
            return hashlib.sha256(payload).digest(), served.digest
        return next(self._serial).to_bytes(8, "big"), served.digest

    def _put(self, served: Served, payload: bytes, key: Key) -> Job:
        """Queue a question at workers that hold its model, the newest first."""
        for crew in reversed(self._crews):
            place = crew.place_of(served)
            if place is None:
                continue
            job = Job(payload, place, len(served.classes) if served.kind == "pictures" else None, key, self._settled)
            self._asked[key] = job
            try:
                crew.put(job)
            except UnansweredError:
                self._forget(job)
                raise
            return job
        raise not_served(served.full_name)

    def _settled(self, job: Job, outcome: Outcome) -> None:
        """Remember an outcome and tell all who wait for it."""
        self._forget(job)
        self._cache.put(job.key, outcome)
        waiters, job.waiters = job.waiters, []
        for waiter in waiters:
            self._deadlines.forget(waiter)
            _tell(waiter, outcome)

    def _forget(self, job: Job) -> None:
        if self._asked.get(job.key) is job:
            del self._asked[job.key]

    def _give_up(self, waiter: Waiter) -> None:
        self.leave(waiter)
        _tell(waiter, too_late())


def _tell(waiter: Waiter, outcome: Outcome) -> None:
    try:
        waiter.tell(outcome)
    except Exception:  # a bug of who asked is neither the worker's nor the other waiters' affair
        _log.exception("An answer could not be handed over.")


def _set(answered: asyncio.Future[Answer | UnansweredError], found: Answer | UnansweredError) -> None:
    if not answered.done():  # who asked may have been cancelled a moment ago
        answered.set_result(found)
