"""A small picture for a page, from an upright one."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE_PX = 96
_SMALL_PX = 48


def thumbnail(pixels: NDArray[np.uint8], side_px: int = SIDE_PX) -> bytes:
    """An encoded picture whose longer side is at most `side_px`; smaller pictures keep their size.

    Tiny pictures (digits of 8 x 8) are stored as PNG: they cost few bytes and JPEG would smear them.

    Args:
        pixels: (H, W, 3) upright sRGB.
        side_px: the longest side allowed.

    Returns:
        JPEG bytes (WebP would be a third smaller, but is not built into every Pillow), or PNG for tiny ones.
    """
    picture = Image.fromarray(pixels)
    picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS, reducing_gap=2.0)
    stored = BytesIO()
    if max(picture.size) <= _SMALL_PX:
        picture.save(stored, "PNG", optimize=True)
    else:
        picture.save(stored, "JPEG", quality=80, optimize=True)
    return stored.getvalue()


def data_uri(encoded: bytes) -> str | None:
    """The picture as a ``data:`` address, or None if these bytes are no picture that every browser shows."""
    kind = _kind(encoded)
    return None if kind is None else f"data:image/{kind};base64,{b64encode(encoded).decode('ascii')}"


def _kind(encoded: bytes) -> str | None:
    for start, kind in ((b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF8", "gif")):
        if encoded.startswith(start):
            return kind
    return "webp" if encoded[:4] == b"RIFF" and encoded[8:12] == b"WEBP" else None
