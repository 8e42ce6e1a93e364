"""Child processes that decode, as many as keep all cores busy; a picture that kills one costs its own line only."""

from __future__ import annotations

import atexit
import os
import queue
import threading
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import cache

from winnow.data.decode import UnreadablePictureError
from winnow.data.decoder.child_process import Child, HeldFile, Outcome, Pixels
from winnow.data.inputs import InputSpec
from winnow.errors import WorkspaceError
from winnow.machine import cores


class DecodingPool:
    """Asks child processes for the facts of pictures; may be used by many threads at once.

    Children start when they are first needed and wait for more work until the pool is closed.
    """

    def __init__(self, children: int) -> None:
        self._free: queue.LifoQueue[Child | None] = queue.LifoQueue()
        for _ in range(children):
            self._free.put(None)
        self._all: set[Child] = set()
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        threading.Thread(target=self._watch, name="decoder-watch", daemon=True).start()

    def close(self) -> None:
        """End all children."""
        self._is_closed.set()
        with self._lock:
            for child in self._all:
                child.kill()

    def start(self, most: int | None = None) -> None:
        """Start up to so many children (None: all) which will be needed soon: each takes a quarter of a second to wake.

        Where none can be started, whoever needs one is told.
        """
        free: list[Child | None] = []
        with suppress(queue.Empty):
            while most is None or len(free) < most:
                free.append(self._free.get_nowait())
        try:
            with suppress(WorkspaceError):
                for place, child in enumerate(free):
                    free[place] = child or self._start()
        finally:
            for child in reversed(free):
                self._free.put(child)

    def facts(self, files: Sequence[bytes]) -> list[Outcome]:
        """What each file shows, or why it is no picture; in their order.

        Raises:
            WorkspaceError: no child can be started here.
        """
        child = self._free.get()
        try:
            child = child or self._start()
            done = child.ask(files)
            if done or not files:
                return done
            # The child died: ask again one by one, and the one that kills a child alone is to blame.
            for data in files:
                child = child if child.is_alive() else self._replace(child)
                done += child.ask([data]) or [child.blame()]
            return done
        finally:
            self._give_back(child)

    @contextmanager
    def reading(self, paths: Sequence[str]) -> Generator[Reading]:
        """A child reads files (absolute paths) itself, and holds what it has read until the block ends.

        Thousands of small files are read several times faster so: in one process, each call to the system gives
        Python's lock away, and waits until another thread gives it back.

        Raises:
            WorkspaceError: no child can be started here.
        """
        child = self._free.get()
        try:
            child = child or self._start()
            yield Reading(child, child.ask_to_read(paths))
        finally:
            self._give_back(child)

    def pixels(self, data: bytes, at_least_px: int) -> Pixels:
        """(H, W, 3) upright RGB of one file, as `decode` gives it.

        Raises:
            UnreadablePictureError: the bytes give no picture.
            WorkspaceError: no child can be started here.
        """
        child = self._free.get()
        try:
            child = child or self._start()
            answer = child.ask_pixels(data, at_least_px)
            if answer is None:
                answer = child.blame()
            if isinstance(answer, UnreadablePictureError):
                raise answer
            return answer
        finally:
            self._give_back(child)

    def inputs(self, paths: Sequence[str], spec: InputSpec) -> list[Pixels | UnreadablePictureError]:
        """Files (absolute paths) as a graph wants to see them, (side, side, 3), or why one is no picture; in order.

        The child reads, decodes and resizes them, so that what comes back is small; see `reading`.

        Raises:
            WorkspaceError: no child can be started here.
        """
        child = self._free.get()
        try:
            child = child or self._start()
            done = child.ask_inputs(paths, spec)
            if done or not paths:
                return done
            # As in `facts`: the one that ends a child alone is to blame.
            for path in paths:
                child = child if child.is_alive() else self._replace(child)
                done += child.ask_inputs([path], spec) or [child.blame()]
            return done
        finally:
            self._give_back(child)

    def _give_back(self, child: Child | None) -> None:
        if child is not None and not child.is_alive():
            self._forget(child)
            child = None
        self._free.put(child)

    def _start(self) -> Child:
        child = Child()
        with self._lock:
            self._all.add(child)
        return child

    def _replace(self, dead: Child) -> Child:
        self._forget(dead)
        return self._start()

    def _forget(self, dead: Child) -> None:
        with self._lock:
            self._all.discard(dead)

    def _watch(self) -> None:
        while not self._is_closed.wait(1.0):
            with self._lock:
                children = list(self._all)
            for child in children:
                child.kill_if_late()


class Reading:
    """What a child has read.

    Attributes:
        files: the first of what it was asked for, as many as it holds at once; None: it could not read this one. None
            at all if the child ended over it.
    """

    def __init__(self, child: Child, files: list[HeldFile | None]) -> None:
        self.files = files
        self._child = child

    def tell(self, asked: Collection[int], wanted: Collection[int]) -> tuple[list[Outcome], list[bytes]] | None:
        """The facts of some files, and the bytes of some, by their places in `files`, in ascending order.

        None if the child ended over one of them, or gave other bytes than those it had read.
        """
        return self._child.ask_held(self.files, set(asked), set(wanted))


@cache
def decoding_pool() -> DecodingPool:
    """This process's pool, with one child more than cores: while a batch is handed over, its child waits."""
    pool = DecodingPool(cores() + 1)
    atexit.register(pool.close)
    return pool


# A child of a fork must not talk to its parent's children.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=decoding_pool.cache_clear)
