"""Drawing the same examples again and again: the bootstrap that every interval and comparison shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

# Elements of one chunk of weights: 4 MiB of float64, so that a pass over it stays in the processor's cache.
_CHUNK_ELEMENTS = 1 << 19
_CHUNK_LEAST_DRAWS = 32
# 64 MiB: 2,000 draws of 4,000 examples.
_KEPT_ELEMENTS = 1 << 23


@dataclass(frozen=True, slots=True)
class Resamples:
    """How often each example is drawn in each of many draws with replacement.

    Examples of one cluster (a patient, a burst, copies of one picture) are drawn together, since they are not
    independent; a cluster drawn twice brings all its examples twice. Two candidates judged by the same
    `Resamples` are compared draw by draw.
    """

    clusters: NDArray[np.int64]
    """(N,) cluster ids in 0..n_clusters-1."""
    draws: int
    seed: int
    _kept: list[NDArray[np.float64]] = field(default_factory=list[NDArray[np.float64]], compare=False, repr=False)
    """The chunks, where they are few: a climb asks for them once a rung."""

    @property
    def n(self) -> int:
        """Examples."""
        return len(self.clusters)

    @property
    def n_clusters(self) -> int:
        """Independent things that are drawn."""
        return int(self.clusters.max()) + 1

    @property
    def is_clustered(self) -> bool:
        """Whether some examples are drawn together."""
        return self.n_clusters < self.n

    @property
    def weights(self) -> NDArray[np.float64]:
        """(draws, N) how often each example is drawn: 8 bytes each, so prefer `chunks` where N is large."""
        return np.concatenate(list(self.chunks()))

    def chunks(self) -> Iterator[NDArray[np.float64]]:
        """The weights, some draws at a time: (B, N) each, draws of one example side by side in memory.

        The bits depend on the seed, the clusters and the number of draws before, not on the size of a chunk.
        """
        if self.n * self.draws > _KEPT_ELEMENTS:
            yield from self._fresh_chunks()
            return
        if not self._kept:
            self._kept.extend(self._fresh_chunks())
        yield from self._kept

    def _fresh_chunks(self) -> Iterator[NDArray[np.float64]]:
        rng = np.random.default_rng(self.seed)
        size = self.n_clusters
        width = max(_CHUNK_ELEMENTS // max(self.n, 1), _CHUNK_LEAST_DRAWS)
        for start in range(0, self.draws, width):
            B = min(width, self.draws - start)
            drawn = rng.integers(0, size, size=(B, size))
            drawn *= B
            drawn += np.arange(B)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=size * B).reshape(size, B).astype(np.float64)
            yield (counts[self.clusters] if self.is_clustered else counts).T


def make_resamples(clusters: NDArray[np.integer] | Sequence[int], *, draws: int = 2000, seed: int = 0) -> Resamples:
    """Prepare `draws` bootstrap draws of examples.

    Args:
        clusters: (N,) which examples belong together: any ids; all different means all independent.
        draws: how many times the whole set is drawn again.
        seed: the same seed gives the same draws on every machine.

    Raises:
        ValueError: there is no example.

    Source: Efron, Bootstrap Methods: Another Look at the Jackknife, Annals of Statistics 1979; for clusters
    Davison and Hinkley, Bootstrap Methods and Their Application, 1997, section 3.8.
    """
    ids = np.asarray(clusters)
    if ids.size == 0:
        raise ValueError("There is nothing to draw from: at least one example is needed.")
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    # Ids by first appearance: the draws do not depend on what the clusters happen to be called.
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return Resamples(rank[inverse.reshape(-1)], draws, seed)
