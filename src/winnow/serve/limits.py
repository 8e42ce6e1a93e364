"""How much a server takes on: numbers that are checked before anything starts."""

from __future__ import annotations

from dataclasses import dataclass

from winnow.errors import UserError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server takes on, and for how long.

    Attributes:
        workers: processes that answer; None: one a core.
        queue: so many questions may wait; more are refused with 429.
        timeout_s: after which nobody waits for an answer.
        max_body_mb: the largest body, in MB (2^20 bytes).
        max_batch: pictures in one request.
        cache: so many answers are remembered; 0: none.
        grace_s: how long stopping may take.

    Raises:
        UserError: one of them makes no sense.
    """

    workers: int | None = None
    queue: int = 64
    timeout_s: float = 10.0
    max_body_mb: float = 32.0
    max_batch: int = 64
    cache: int = 4096
    grace_s: float = 30.0

    def __post_init__(self) -> None:
        body_mb = self.max_body_mb
        for is_fit, sentence in (
            (self.workers is None or 1 <= self.workers <= 1024, f"{self.workers} workers make no sense: 1 to 1024 do."),
            (1 <= self.queue <= 1 << 20, f"A queue of {self.queue} makes no sense: it is 1 or longer."),
            (0 < self.timeout_s <= 3600, f"A timeout of {self.timeout_s:g} s makes no sense: up to 3600 s do."),
            (0 < body_mb <= 2048, f"A limit of {body_mb:g} MB a body makes no sense: up to 2048 MB do."),
            (1 <= self.max_batch <= 10000, f"Batches of {self.max_batch} make no sense: 1 to 10,000 pictures do."),
            (self.cache >= 0, f"A cache of {self.cache} makes no sense: it is 0 or larger."),
            (0 <= self.grace_s <= 3600, f"A grace of {self.grace_s:g} s makes no sense: up to 3600 s do."),
        ):
            if not is_fit:
                raise UserError(sentence)

    @property
    def max_body_bytes(self) -> int:
        """The largest body, in bytes."""
        return int(self.max_body_mb * 2**20)


LIMITS = Limits()
"""Unless somebody wishes others."""
