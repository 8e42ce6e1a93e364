"""Two models on the same pictures: could the one that is right more often merely be the luckier one?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PairedAnswers:
    """How often both, one, or neither of two models was right on the same pictures."""

    both: int
    only_a: int
    only_b: int
    neither: int

    @property
    def n(self) -> int:
        """Pictures."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def p_value(self) -> float:
        """How often luck alone would share out the pictures that only one got right at least as unevenly as this, if
        both models were equally good; in (0, 1].

        The exact test: each such picture falls to either model like a coin. Pictures that both or neither got right
        say nothing about which is better.

        Source: McNemar, Note on the Sampling Error of the Difference between Correlated Proportions or Percentages,
        Psychometrika 1947; exact as in Edwards 1948, two-sided by doubling the smaller tail.

        >>> PairedAnswers(both=50, only_a=1, only_b=9, neither=0).p_value
        0.021484375
        """
        tosses, fewer = self.only_a + self.only_b, min(self.only_a, self.only_b)
        # Whole numbers, divided once at the end: exact for any number of pictures.
        ways, tail = 1, 0
        for k in range(fewer + 1):
            tail += ways
            ways = ways * (tosses - k) // (k + 1)
        return min(1.0, 2 * tail / 2**tosses)


def paired_answers(is_right_a: NDArray[np.bool_], is_right_b: NDArray[np.bool_]) -> PairedAnswers:
    """Count them.

    Args:
        is_right_a: (N,) whether the first model was right.
        is_right_b: (N,) whether the second one was, on the same pictures in the same order.
    """
    return PairedAnswers(
        both=int((is_right_a & is_right_b).sum()),
        only_a=int((is_right_a & ~is_right_b).sum()),
        only_b=int((~is_right_a & is_right_b).sum()),
        neither=int((~is_right_a & ~is_right_b).sum()),
    )
