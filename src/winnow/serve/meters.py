"""What the door counts; what the engine counts is in `counts`. Nobody's name or picture is in it."""

from __future__ import annotations

from collections import Counter

from winnow.serve.counts import Histogram
from winnow.serve.loan import Became, Tally
from winnow.serve.refusals import QUEUE_FULL


class Meters:
    """Counts of this process since it started; the event loop alone writes them."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        """Requests for predictions by model, version and status; the first two are empty where none was chosen."""
        self.questions: Counter[tuple[str, str, str]] = Counter()
        """Pictures and sets of tensors by model, version and what came of them: "answered", "cached", or why not."""
        self.whole = Histogram()
        """From a request's headers to its answer."""

    def saw_request(self, model: str, version: str, status: int, seconds: float) -> None:
        """Count a request that was answered, well or not."""
        self.requests[model, version, status] += 1
        self.whole.add(seconds)

    def saw_requests(self, model: str, version: str, tally: Tally) -> None:
        """Count requests for one picture each that were answered, or refused, in the same way."""
        outcome, status = _SAID[tally.became]
        self.questions[model, version, outcome] += tally.whole.count
        self.requests[model, version, status] += tally.whole.count
        self.whole.join(tally.whole)


_SAID = {Became.ANSWERED: ("answered", 200), Became.CACHED: ("cached", 200), Became.REFUSED: (QUEUE_FULL, 429)}
