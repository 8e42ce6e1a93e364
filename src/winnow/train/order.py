"""Which examples a step learns from: a pure function of (seed, step), so that a resume goes on with the same data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from winnow.errors import UserError
from winnow.seeds import seed_for

Indices = NDArray[np.int64]
LastBatch = Literal["drop", "wrap"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The examples of one step.

    Attributes:
        indices: (B,) which examples.
        epochs: (B,) the epoch that each belongs to, from 0: the same for all, unless a batch wraps into the next.
    """

    indices: Indices
    epochs: Indices


class Order:
    """A new order of the examples in every epoch, cut into batches of one size.

    Args:
        n_examples: how many there are.
        batch_size: examples a step, over all processes.
        last: "drop" leaves out the examples of an epoch that do not fill a batch (other ones in every epoch); "wrap"
            fills the batch with the next epoch's first examples, so that each is seen exactly once an epoch.
        rates: (N,) how often each example is drawn compared with the others; None: once an epoch each. With rates,
            an example is drawn as often as its rate's share of N says, rounded down or up at random.

    Raises:
        UserError: no example, or fewer than a batch where the last batch is dropped, or rates that are none.
    """

    def __init__(
        self,
        n_examples: int,
        batch_size: int,
        *,
        seed: int,
        last: LastBatch = "wrap",
        rates: NDArray[np.floating] | None = None,
    ) -> None:
        if n_examples < 1 or batch_size < 1:
            raise UserError(f"{n_examples} examples make no batches of {batch_size}: give at least one of each.")
        if last == "drop" and n_examples < batch_size:
            raise UserError(
                f"{n_examples} examples do not fill a batch of {batch_size}: take smaller batches or last='wrap'."
            )
        self.n_examples, self.batch_size, self.seed, self.last = n_examples, batch_size, seed, last
        self._expected = None if rates is None else _expected_draws(rates, n_examples)
        # The epoch under way and the next one, which workers that read ahead, and batches that wrap, ask for.
        self._epoch = lru_cache(maxsize=3)(self._draw_epoch)

    @property
    def steps_per_epoch(self) -> int:
        """Steps that an epoch takes; with "wrap" the last of them also shows the next epoch's first examples."""
        whole, rest = divmod(self.n_examples, self.batch_size)
        return whole + (1 if rest and self.last == "wrap" else 0)

    def at(self, step: int) -> Chosen:
        """The examples of a global step, from 0 through all epochs."""
        if self.last == "drop":
            epoch, within = divmod(step, self.steps_per_epoch)
            start = within * self.batch_size
            return Chosen(self._epoch(epoch)[start : start + self.batch_size], np.full(self.batch_size, epoch))
        # Epochs one after the other are a stream without end, cut into batches wherever that falls.
        places = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, within = np.divmod(places, self.n_examples)
        parts = [self._epoch(epoch)[within[epochs == epoch]] for epoch in np.unique(epochs).tolist()]
        return Chosen(np.concatenate(parts), epochs)

    def _draw_epoch(self, epoch: int) -> Indices:
        chance = np.random.default_rng(seed_for(self.seed, "order", str(epoch)))
        if self._expected is None:
            return chance.permutation(self.n_examples)
        drawn = _systematic(self._expected, chance)
        chance.shuffle(drawn)
        return drawn


def class_balanced_rates(labels: NDArray[np.integer], strength: float = 1.0) -> NDArray[np.float64]:
    """Rates (N,) with which every class is drawn equally often; `strength` 0.5 goes half the way (by square root).

    Source: Mahajan et al., Exploring the Limits of Weakly Supervised Pretraining, ECCV 2018 (square root).
    """
    counts = np.bincount(labels)
    return counts[labels].astype(np.float64) ** -strength


def _expected_draws(rates: NDArray[np.floating], n_examples: int) -> NDArray[np.float64]:
    rates = np.asarray(rates, dtype=np.float64)
    if rates.shape != (n_examples,) or not np.isfinite(rates).all() or (rates < 0).any() or rates.sum() <= 0:
        raise UserError(
            f"The rates of {n_examples} examples have shape {rates.shape} or hold a negative or no positive number: "
            "give one finite number of at least 0 for each, not all 0."
        )
    return rates / rates.sum() * n_examples


def _systematic(expected: NDArray[np.float64], chance: np.random.Generator) -> Indices:
    """As many draws as examples; example i floor(expected[i]) or ceil(expected[i]) times.

    One random offset and a comb of distance 1 over the cumulated rates: without the noise of independent draws.
    Source: Madow 1949, systematic sampling; Kitagawa 1996, appendix.
    """
    ends = np.cumsum(expected)
    teeth = chance.random() + np.arange(len(expected))
    # Rounding may leave the last tooth beyond the last end.
    return np.minimum(np.searchsorted(ends, teeth, side="right"), np.flatnonzero(expected)[-1])
