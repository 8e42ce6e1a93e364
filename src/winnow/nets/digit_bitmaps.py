"""The ten digits as bitmaps of 7 x 12: the fixed codes of LeNet-5's output units.

Drawn after Figure 3 of LeCun et al. 1998 (stylised characters of printable ASCII). Digits that look alike have codes
that lie near each other, which is what the paper wanted of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from winnow.seeds import seed_for

HEIGHT, WIDTH = 12, 7

_DRAWN = """
..###..|...#...|.#####.|.#####.|.....#.|#######|..####.|#######|.#####.|.####..
.#...#.|..##...|#.....#|#.....#|....##.|#......|.#.....|......#|#.....#|#....#.
#.....#|.###...|......#|......#|...#.#.|#......|#......|......#|#.....#|#.....#
#.....#|...#...|......#|......#|..#..#.|#......|#......|.....#.|#.....#|#.....#
#.....#|...#...|.....#.|.....#.|.#...#.|#####..|#.###..|.....#.|.#...#.|#.....#
#.....#|...#...|....#..|..###..|#....#.|.....#.|##...#.|....#..|..###..|.#...##
#.....#|...#...|...#...|.....#.|#######|......#|#.....#|....#..|.#...#.|..###.#
#.....#|...#...|..#....|......#|.....#.|......#|#.....#|...#...|#.....#|......#
#.....#|...#...|.#.....|......#|.....#.|......#|#.....#|...#...|#.....#|......#
.#...#.|...#...|#......|#.....#|.....#.|#.....#|.#...#.|..#....|#.....#|.....#.
..###..|.#####.|#######|.#####.|.....#.|.#####.|..###..|..#....|.#####.|.####..
.......|.......|.......|.......|.......|.......|.......|.......|.......|.......
"""


def digit_bitmaps() -> NDArray[np.int8]:
    """The digits 0 to 9 as (10, 12, 7) of +1 (ink) and -1."""
    rows = [line.split("|") for line in _DRAWN.split()]
    signs = [[[1 if sign == "#" else -1 for sign in row[digit]] for row in rows] for digit in range(10)]
    return np.array(signs, dtype=np.int8)


def class_codes(n_classes: int) -> NDArray[np.int8]:
    """One code of 84 signs a class, (n_classes, 84): the drawn digits for ten classes, else signs by a fixed seed."""
    if n_classes == 10:
        return digit_bitmaps().reshape(10, -1)
    signs = np.random.default_rng(seed_for(0, "class codes")).integers(0, 2, (n_classes, HEIGHT * WIDTH), np.int8)
    return 2 * signs - 1
