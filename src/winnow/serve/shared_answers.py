"""Answers that workers remember for each other: a table in memory that all of them share.

An entry has one place, which its key names; a newer one takes it over. Nobody locks anything: an entry that two wrote
at once does not fit its check, and is none.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

_HEAD = struct.Struct("<II32s")
"""A check of all that follows, which model, and the sha256 of what was asked."""
_ASIDE = 1 << 31
"""Beside the model, of an entry that holds no answer."""
_MOST_BYTES = 64 << 20


class SharedAnswers:
    """The table, from any process.

    Args:
        memory: all of its bytes; none: nothing is remembered.
        n_probs: of each model, in the workers' order.
    """

    def __init__(self, memory: memoryview, n_probs: Sequence[int]) -> None:
        self._memory = memory
        self._entry = entry_bytes(n_probs)
        self._n_probs = n_probs
        self._n = len(memory) // self._entry

    def get(self, key: bytes, place: int) -> bytes | None:
        """The probabilities that a model once answered, as bytes of float32; None: that is not known.

        Of what was put aside: no bytes.
        """
        begin = self._begin(key)
        end = begin + _HEAD.size + 4 * self._n_probs[place]
        entry = bytes(self._memory[begin:end])
        check, by, known = _HEAD.unpack_from(entry)
        if known != key or by & ~_ASIDE != place or check != zlib.crc32(entry[4:]):
            return None
        return b"" if by & _ASIDE else entry[_HEAD.size :]

    def put(self, key: bytes, place: int, probs: bytes) -> None:
        """Remember them."""
        self._write(key, place, probs)

    def put_aside(self, key: bytes, place: int) -> None:
        """Remember that it is for the front, which knows why there is no answer, or finds out."""
        self._write(key, place | _ASIDE, bytes(4 * self._n_probs[place]))

    def _write(self, key: bytes, by: int, probs: bytes) -> None:
        begin = self._begin(key)
        entry = _HEAD.pack(0, by, key) + probs
        self._memory[begin : begin + len(entry)] = zlib.crc32(entry[4:]).to_bytes(4, "little") + entry[4:]

    def _begin(self, key: bytes) -> int:
        return int.from_bytes(key[:8], "little") % self._n * self._entry


def entry_bytes(n_probs: Sequence[int]) -> int:
    """What the largest entry takes."""
    return _HEAD.size + 4 * max(n_probs, default=0)


def table_bytes(n_answers: int, n_probs: Sequence[int]) -> int:
    """What a table of so many answers takes; of many classes there are fewer."""
    each = entry_bytes(n_probs)
    return min(n_answers, _MOST_BYTES // each) * each
