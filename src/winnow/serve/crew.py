"""The workers of one line-up: started, fed in order, replaced when they die, and ended when they are done."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

from winnow.errors import UserError
from winnow.serve.counts import Counts
from winnow.serve.frames import Spent
from winnow.serve.job import Job, Outcome
from winnow.serve.lender import Lender, Seat
from winnow.serve.loan import Became, Tally
from winnow.serve.questions import UnansweredError
from winnow.serve.refusals import blame, queue_full, too_slow, worker_lost
from winnow.serve.served import Lineup, Served, values_of
from winnow.serve.worker_process import WorkerProcess

_log = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 30.0
_FIRST_PAUSE_S = 0.5
_MOST_LOST = 2
"""A question that was at this many workers when they ended is not asked again: it may be what ends them."""
_MOST_EACH = 2  # questions at one worker
_STUCK_S = 0.25
_WEIGHT = 0.05  # of the newest answer, in the mean time that an answer takes


class Crew:
    """All workers of one line-up, and the questions that wait for them.

    Args:
        lineup: every worker opens all of it.
        workers: how many.
        most_waiting: more questions are refused.
        most_waiting_bytes: the same, by what they hold in memory.
        patience_s: how long one question may be computed, by the clock, before its worker is ended.
        counts: where work is counted.
        n_cached: so many answers on lent connections are remembered.
        told: hears what was answered on lent connections; None: nothing is lent.

    Attributes:
        lender: lends connections to the workers; None: nothing is lent.
    """

    def __init__(
        self,
        lineup: Lineup,
        *,
        workers: int,
        most_waiting: int,
        most_waiting_bytes: int,
        patience_s: float,
        counts: Counts,
        n_cached: int = 0,
        told: Callable[[Served, Tally], None] | None = None,
    ) -> None:
        self._places = {share.served.key: place for place, share in enumerate(lineup)}
        self._models = [values_of(share.served) for share in lineup]
        self._n_workers = workers
        self._most_waiting = most_waiting
        self._most_waiting_bytes = most_waiting_bytes
        self._patience_s = patience_s
        self._counts = counts
        self._waiting: OrderedDict[Job, None] = OrderedDict()
        self._waiting_bytes = 0
        self._workers: list[WorkerProcess] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._watch: asyncio.Task[None] | None = None
        self._mean_s = 0.01
        self._idle_since = time.monotonic()
        self._told = told
        self.lender: Lender | None = None
        if told is not None and sys.platform == "linux":
            served = [share.served for share in lineup]
            self.lender = Lender(
                served,
                n_workers=workers,
                n_cached=n_cached,
                most_waiting=most_waiting,
                refusal=self._queue_full,
                told=self._heard,
            )

    @property
    def n_waiting(self) -> int:
        """Questions that no worker has yet."""
        return len(self._waiting)

    @property
    def waiting_bytes(self) -> int:
        """What those hold in memory."""
        return self._waiting_bytes

    @property
    def n_computing(self) -> int:
        """Questions that workers have."""
        n_lent = 0 if self.lender is None else self.lender.n_computing
        return n_lent + sum(len(worker.jobs) for worker in self._workers)

    @property
    def n_ready(self) -> int:
        """Workers that can be asked."""
        return len(self._workers)

    @property
    def process_ids(self) -> tuple[int, ...]:
        """Of the workers that can be asked."""
        return tuple(worker.process_id for worker in self._workers)

    @property
    def is_busy(self) -> bool:
        """Whether there is a question that is not answered, or a connection that is wanted back."""
        is_lent = self.lender is not None and self.lender.is_busy
        return is_lent or bool(self._waiting) or any(worker.jobs for worker in self._workers)

    @property
    def mean_s(self) -> float:
        """How long an answer takes, lately."""
        return self._mean_s

    def idle_s(self) -> float:
        """For how long there has been no question; 0 while there is one."""
        return 0.0 if self.is_busy else time.monotonic() - self._idle_since

    def holds_just(self, lineup: Lineup) -> bool:
        """Whether its workers have opened all of another line-up and nothing else: only shares differ then."""
        return {share.served.key for share in lineup} == self._places.keys()

    def place_of(self, served: Served) -> int | None:
        """Where a version stands in the workers' order; None: they do not have it."""
        return self._places.get(served.key)

    async def start(self, at_once: int) -> None:
        """Start all workers, so many at a time, and wait until they are ready.

        Raises:
            UserError: a model cannot be opened; all workers are ended again.
        """
        limit = asyncio.Semaphore(at_once)
        firsts = [asyncio.get_running_loop().create_future() for _ in range(self._n_workers)]
        self._keepers = [asyncio.create_task(self._keep_one(place, limit, first)) for place, first in enumerate(firsts)]
        self._watch = asyncio.create_task(self._look_after_slow_ones())
        try:
            await asyncio.gather(*firsts)
        except BaseException:
            await self.end()
            raise

    async def end(self) -> None:
        """End all workers now; what they have not answered is lost."""
        tasks = [task for task in (*self._keepers, self._watch) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.lender is not None:
            self.lender.recall()
        lost = [job for worker in self._workers for job in worker.jobs]
        await asyncio.gather(*(worker.end() for worker in self._workers))
        self._workers = []
        if self.lender is not None:
            for place in range(self._n_workers):
                self.lender.leave(place)
            self.lender.end()
            self.lender = None
        for job in (*lost, *self._waiting):
            self._settle(job, worker_lost())
        self._waiting.clear()
        self._waiting_bytes = 0

    def put(self, job: Job) -> None:
        """Queue a question.

        Raises:
            UnansweredError: too many are waiting (429).
        """
        if (refusal := self.full(len(job.payload))) is not None:
            raise refusal
        self._waiting[job] = None
        self._waiting_bytes += len(job.payload)
        self._hand_out()

    def full(self, n_bytes: int = 0) -> UnansweredError | None:
        """Why no question of so many bytes can be queued now; None: it can."""
        n_waiting = len(self._waiting)
        is_too_much = n_waiting and self._waiting_bytes + n_bytes > self._most_waiting_bytes
        if n_waiting < self._most_waiting and not is_too_much:
            return None
        return self._queue_full(n_waiting)

    def drop(self, job: Job) -> None:
        """Nobody waits for it any more; what a worker has already is computed all the same."""
        if job in self._waiting:
            del self._waiting[job]
            self._waiting_bytes -= len(job.payload)

    def _queue_full(self, n_waiting: int) -> UnansweredError:
        return queue_full(n_waiting, (n_waiting + self.n_computing) * self._mean_s / self._n_workers)

    def _hand_out(self) -> None:
        while self._waiting and (worker := self._next_worker()) is not None:
            job, _ = self._waiting.popitem(last=False)
            self._waiting_bytes -= len(job.payload)
            self._counts.in_queue.add(time.monotonic() - job.asked_at)
            worker.ask(job)

    def _next_worker(self) -> WorkerProcess | None:
        """Who gets the next question: a worker with none; under load one with a single question may have a second.

        With the second in its socket, a worker need not wait for us between two questions. It is given only while more
        questions wait than there are workers: so it will hardly sit behind a slow one while another worker is idle.
        """
        for worker in self._workers:
            if worker.is_there and not worker.jobs:
                return worker
        if len(self._waiting) > self._n_workers:
            for worker in self._workers:
                if worker.is_there and len(worker.jobs) < _MOST_EACH:
                    return worker
        return None

    def _answered(self, job: Job, outcome: Outcome, spent: Spent) -> None:
        """Called by a worker for each question that it has answered or refused."""
        counts = self._counts
        counts.cpu_s += spent.cpu_s
        if spent.decode_s:
            counts.decode.add(spent.decode_s)
        if spent.graph_s:
            counts.graph.add(spent.graph_s)
            self._mean_s += _WEIGHT * (spent.decode_s + spent.graph_s - self._mean_s)
        self._hand_out()  # first: the worker computes while the answer is written
        self._settle(job, outcome)

    def _settle(self, job: Job, outcome: Outcome) -> None:
        self._idle_since = time.monotonic()
        job.settle(outcome)

    async def _keep_one(self, place: int, limit: asyncio.Semaphore, first: asyncio.Future[None]) -> None:
        """Keep one worker at work: start it, wait for its end, settle what it had, start the next."""
        pause_s = _FIRST_PAUSE_S
        seat = None if self.lender is None else Seat(self.lender, place)
        while True:
            try:
                async with limit:
                    worker = await WorkerProcess.start(self._models, self._answered, seat)
            except UserError as error:
                if not first.done():
                    first.set_exception(error)
                    return
                _log.error("A worker cannot be started again: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
                continue
            pause_s = _FIRST_PAUSE_S
            self._workers.append(worker)
            if not first.done():
                first.set_result(None)
            self._hand_out()
            returncode = await worker.ended()
            self._counts.restarts += 1
            self._workers.remove(worker)
            was_at_job = not worker.lent_s()
            if self.lender is not None:
                self.lender.leave(place)
            self._settle_what_it_had(worker, returncode, was_at_job=was_at_job)

    def _settle_what_it_had(self, worker: WorkerProcess, returncode: int, *, was_at_job: bool) -> None:
        """The question that a dead worker computed is refused if the worker's end blames it; others are asked again."""
        _log.warning("A worker ended (code %d) with %d questions; it is replaced.", returncode, len(worker.jobs))
        jobs: deque[Job] = worker.jobs
        if jobs and was_at_job:
            computed = jobs.popleft()
            computed.n_lost += 1
            why = too_slow(self._patience_s) if worker.was_slow else blame(returncode, computed.n_classes is not None)
            if why is None and computed.n_lost >= _MOST_LOST:
                why = worker_lost()
            if why is None:
                jobs.appendleft(computed)
            else:
                self._settle(computed, why)
        self._ask_again(jobs)

    def _ask_again(self, jobs: Iterable[Job]) -> None:
        for job in reversed(list(jobs)):
            if job.waiters and not job.is_settled:  # else nobody wants to know any more
                self._waiting[job] = None
                self._waiting.move_to_end(job, last=False)
                self._waiting_bytes += len(job.payload)
        self._hand_out()

    def _heard(self, served: Served, tally: Tally) -> None:
        """Requests of lent connections were answered."""
        counts = self._counts
        counts.decode.join(tally.decode)
        counts.graph.join(tally.graph)
        counts.cpu_s += tally.cpu_s
        n = tally.graph.count
        if n:
            mean_s = (tally.decode.total_s + tally.graph.total_s) / n
            self._mean_s += (1 - (1 - _WEIGHT) ** n) * (mean_s - self._mean_s)
        if tally.became == Became.CACHED:
            counts.cached += tally.whole.count
        if self._told is not None:
            self._told(served, tally)

    async def _look_after_slow_ones(self) -> None:
        while True:
            await asyncio.sleep(min(_STUCK_S, self._patience_s / 4))
            if self.lender is not None:
                self.lender.look()
            for worker in self._workers:
                if worker.computes_s() > self._patience_s:
                    worker.give_up()
                elif worker.computes_s() > _STUCK_S and len(worker.jobs) == _MOST_EACH:
                    self._ask_another(worker.jobs[-1])

    def _ask_another(self, stuck: Job) -> None:
        """Ask an idle worker, too, what sits behind a slow question in another's socket; the first answer counts."""
        idle = next((worker for worker in self._workers if worker.is_there and not worker.jobs), None)
        if idle is not None and not stuck.is_asked_twice:
            stuck.is_asked_twice = True
            idle.ask(stuck)
