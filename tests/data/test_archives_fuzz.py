"""Damaged archives, by the hundred: whatever bytes come in, a sentence comes out, and never too many bytes."""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from winnow.data.sources import open_source
from winnow.data.sources.source import Found, ImportOptions
from winnow.errors import BadDataError

from .pictures import file_of, noise

PICTURES = {f"{label}/{i}.png": file_of(noise(i, 4, 4)) for i, label in enumerate(["cat", "dog"] * 2)}
_CASES = 300
_MOST_BYTES = 1 << 20


def _zip(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, data in PICTURES.items():
            target.writestr(name, data)
    return buffer.getvalue()


def _tar(mode: str, kind: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{mode}", format=kind) as target:
        for name, data in {**PICTURES, "cat/" + "long" * 40 + "ä.png": b"x"}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def _zstd() -> bytes:
    return pa.Codec("zstd").compress(_tar(""), asbytes=True)


SEEDS = {
    "stored.zip": lambda: _zip(zipfile.ZIP_STORED),
    "deflated.zip": lambda: _zip(zipfile.ZIP_DEFLATED),
    "bzip2.zip": lambda: _zip(zipfile.ZIP_BZIP2),
    "lzma.zip": lambda: _zip(zipfile.ZIP_LZMA),
    "pax.tar": lambda: _tar(""),
    "gnu.tar": lambda: _tar("", tarfile.GNU_FORMAT),
    "a.tar.gz": lambda: _tar("gz"),
    "a.tar.bz2": lambda: _tar("bz2"),
    "a.tar.xz": lambda: _tar("xz"),
    "a.tar.zst": _zstd,
}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A copy with a few bits flipped, bytes set to what parsers fear, stretches cut, doubled or inserted."""
    copy = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(copy) or 1)
        n_bytes = chance.choice([1, 2, 4, 8, 100])
        what = chance.randrange(5)
        if what == 0 and copy:
            copy[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            copy[at : at + n_bytes] = chance.choice([b"\0", b"\xff", b"\x7f", b"\x80", b"9", b"/"]) * n_bytes
        elif what == 2:
            del copy[at : at + n_bytes * chance.choice([1, 10])]
        elif what == 3:
            copy[at:at] = copy[at : at + n_bytes]
        else:
            copy[at:at] = chance.randbytes(n_bytes)
    return bytes(copy)


@pytest.mark.parametrize("name", SEEDS)
def test_damage_never_does_more_than_cost_a_line_or_the_archive(name: str, tmp_path: Path):
    chance, seed = random.Random(name), SEEDS[name]()
    path = tmp_path / name
    for _ in range(_CASES):
        path.write_bytes(mutated(seed, chance))
        try:
            items = list(open_source(path).find(ImportOptions()))
        except BadDataError:
            continue
        for item in items:
            if isinstance(item, Found):
                try:
                    assert len(item.read()) < _MOST_BYTES
                except (BadDataError, OSError):
                    continue
