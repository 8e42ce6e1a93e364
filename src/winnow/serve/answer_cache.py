"""Answers that are remembered: the same bytes to the same graph have the same answer."""

from __future__ import annotations

from collections import OrderedDict

from winnow.serve.job import Key, Outcome
from winnow.serve.questions import UnansweredError

MOST_BYTES = 64 << 20
_ENTRY_BYTES = 512  # what an entry weighs besides its arrays


class AnswerCache:
    """Remembers the answers that were used last.

    What is wrong with a question is remembered, too: a picture that ends a worker shall not end one each time it comes.
    """

    def __init__(self, most: int, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._known: OrderedDict[Key, Outcome] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Key) -> Outcome | None:
        """What is known of a question."""
        outcome = self._known.get(key)
        if outcome is not None:
            self._known.move_to_end(key)
        return outcome

    def put(self, key: Key, outcome: Outcome) -> None:
        """Remember an answer, or that the question itself is at fault; what else went wrong may go well next time."""
        if not self._most or key in self._known:
            return
        if isinstance(outcome, UnansweredError) and outcome.status >= 500:
            return
        size = _size(outcome)
        if size > self._most_bytes // 16:
            return
        self._known[key] = outcome
        self._bytes += size
        while len(self._known) > self._most or self._bytes > self._most_bytes:
            _, gone = self._known.popitem(last=False)
            self._bytes -= _size(gone)


def _size(outcome: Outcome) -> int:
    if isinstance(outcome, UnansweredError):
        return _ENTRY_BYTES
    outputs, summary = outcome
    return _ENTRY_BYTES + summary.nbytes + sum(array.nbytes for array in outputs.values())
