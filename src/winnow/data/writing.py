"""What an import keeps, written beside the reading: many batches at once, on a thread of its own."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

from winnow.data.batch import Keep, New
from winnow.data.freed_memory import give_back

_WRITE_AT_ONCE = 8192
"""Small files that go to the disk in one transaction: each touches its own page of an index, whatever it holds."""
_WRITE_BYTES = 32 << 20
"""But no more than this of their bytes wait for it."""


class Writer:
    """Writes small copies, places and facts; leaving its block waits until nothing is being written any more."""

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self._new = New()
        self._n_bytes = self._n_taken = 0
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write")
        self._written: Future[None] | None = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def take(self, batch: New) -> None:
        """Write it sooner or later; raises WorkspaceError if what came before could not be written."""
        self._new.copies += batch.copies
        self._new.places += batch.places
        self._new.facts |= batch.facts
        self._n_bytes += sum([len(data) for _, data in batch.copies])
        self._n_taken += len(batch.copies) + len(batch.places)
        n_new = max(len(self._new.copies), len(self._new.places), len(self._new.facts))
        if n_new >= _WRITE_AT_ONCE or self._n_bytes >= _WRITE_BYTES:
            if self._written is not None:
                self._written.result()  # one at a time: what waits to be written lies in memory
            self._written = self._pool.submit(self._write, self._rest())

    def finish(self, *, waits_for_disk: bool) -> Future[None]:
        """Write the rest meanwhile, and wait until the disk holds all of it: so that it survives a power cut.

        The result raises WorkspaceError if anything could not be written.
        """
        return self._pool.submit(self._finish, self._written, [self._rest()], waits_for_disk)

    def _rest(self) -> New:
        rest, self._new, self._n_bytes = self._new, New(), 0
        return rest

    def _finish(self, before: Future[None] | None, rest: list[New], waits_for_disk: bool) -> None:
        if before is not None:
            before.result()
        self._write(rest.pop())
        give_back(self._n_taken)
        if waits_for_disk:
            self.keep.blobs.flush()

    def _write(self, new: New) -> None:
        # The copies first: facts without a copy would be no harm, but are of no use either.
        if new.copies:
            self.keep.blobs.put_many(new.copies)
        if new.places and self.keep.in_place is not None:
            self.keep.blobs.refer(self.keep.in_place, new.places)
        if new.facts and self.keep.facts is not None:
            self.keep.facts.put(new.facts)
