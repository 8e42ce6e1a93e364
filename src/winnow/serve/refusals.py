"""Why a question gets no answer: the codes, and the HTTP status that fits each."""

from __future__ import annotations

import signal

from winnow.serve.questions import UnansweredError

BAD_TENSORS = "bad-tensors"
QUEUE_FULL = "queue-full"
DRAINING = "draining"
WORKER_LOST = "worker-lost"
TOO_LATE = "too-late"
NOT_SERVED = "not-served"
FAILED = "failed"
BUSY = (429, 503, 504)
"""The statuses of what has nothing to do with the question: coming again may help."""
BUSY_CODES = frozenset((QUEUE_FULL, DRAINING, WORKER_LOST, TOO_LATE))
"""The same as codes, of one picture among several."""

_SHORTEST_PAUSE_S = 0.1
_STATUS = {
    "E_EMPTY": 400,
    "E_BOMB_PIXELS": 413,
    "E_BOMB_METADATA": 413,
    "E_NOT_IMAGE": 415,
    "E_UNSUPPORTED_FORMAT": 415,
}
_CRASHES = frozenset(getattr(signal, name, None) for name in ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"))
_CPU_LIMIT = getattr(signal, "SIGPROF", None)


def status_of(code: str) -> int:
    """The HTTP status that fits what is wrong with a question's content."""
    return _STATUS.get(code, 422)


def queue_full(n_waiting: int, work_s: float) -> UnansweredError:
    """Too many wait already; `work_s`: in which they will have been answered."""
    retry_after_s = max(work_s, _SHORTEST_PAUSE_S)
    return UnansweredError(
        429,
        QUEUE_FULL,
        f"{n_waiting} questions are waiting already; ask again in {retry_after_s:.1f} s.",
        retry_after_s,
    )


def draining() -> UnansweredError:
    """The server is being stopped."""
    return UnansweredError(503, DRAINING, "The server is being stopped; ask again in a moment.", 2.0)


def too_late() -> UnansweredError:
    """Nobody wants the answer any more."""
    return UnansweredError(504, TOO_LATE, "There was no answer in the time that was allowed; allow more, or ask later.")


def too_slow(patience_s: float) -> UnansweredError:
    """A worker was ended because it did not come back."""
    return UnansweredError(
        504, TOO_LATE, f"No answer was found in {patience_s:g} s, so it was given up; ask for something smaller."
    )


def worker_lost() -> UnansweredError:
    """Workers ended while they had the question, and nothing says that it was the question's fault."""
    return UnansweredError(
        503, WORKER_LOST, "The workers that had this question ended without an answer; ask again.", 1.0
    )


def failed() -> UnansweredError:
    """A bug of ours."""
    return UnansweredError(500, FAILED, "The server failed on this question; its log says why.")


def not_served(full_name: str) -> UnansweredError:
    """A version that was taken down before the question came in."""
    return UnansweredError(404, NOT_SERVED, f"{full_name} is no longer served here.")


def blame(returncode: int, is_picture: bool) -> UnansweredError | None:
    """Why the question that a worker ended on is refused; None where its end says nothing about the question.

    Args:
        returncode: of the worker's process; negative: the signal that ended it.
        is_picture: it was asked about a picture, not about tensors.
    """
    code, thing = ("E_CORRUPT", "decoder") if is_picture else (BAD_TENSORS, "graph")
    if -returncode == _CPU_LIMIT:
        sentence = "Decoding it takes longer than 5 seconds: save the picture anew, or smaller."
        return UnansweredError(status_of("E_TIMEOUT"), "E_TIMEOUT", sentence)
    if -returncode in _CRASHES:
        return UnansweredError(status_of(code), code, f"The {thing} crashed on it: make it anew with another program.")
    return None
