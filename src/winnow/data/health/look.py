"""What a picture looks like in a few numbers: light, colour, focus, information, border, compression."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from winnow.data.cache import ArrayCache
from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.quiet import quiet_pillow
from winnow.data.signatures import format_of
from winnow.events import Tell, tell_nobody
from winnow.machine import cores

COLUMNS = (
    "brightness",
    "brightness_p1",
    "brightness_p5",
    "brightness_p95",
    "brightness_p99",
    "clipped",
    "red",
    "green",
    "blue",
    "saturation",
    "entropy",
    "sharpness",
    "border_red",
    "border_green",
    "border_blue",
    "border_spread",
    "border_step",
    "jpeg_quality",
    "camera",
    "has_gps",
    "has_owner",
)
"""
brightness, with its 1st to 99th percentile
    perceived, in [0, 1].
clipped
    share of pixels with a channel at its largest value, in [0, 1]: light that the camera, or an edit, cut off.
red, green, blue
    means in [0, 1].
saturation
    mean of (largest - smallest channel), in [0, 1].
entropy
    bits of the histogram of colour levels, 0 (one colour) to about 9.6; of grey levels to 8.
sharpness
    standard deviation of the Laplacian of the grey picture at 128 px, over that of its grey levels: a blurred
    picture has tones, but no edges between them.
border_red, border_green, border_blue, border_spread
    mean colour and standard deviation of the outermost ring, in [0, 1].
border_step
    how far the ring is from the ring inside it (mean absolute difference), in [0, 1].
jpeg_quality
    1 to 100, from the quantisation table; 0 where there is none.
camera
    a number that stands for maker and model; 0 where nothing is said.
has_gps, has_owner
    1 where the file says where it was taken; whose camera it was.

Source: brightness and entropy as in cleanvision 0.3.6 (`image_property.py`); its blurriness counts the picture's frame
as edges and misses two blurred photographs of five (radius 4 at 192 px), hence Pech-Pacheco et al., Diatom
Autofocusing in Brightfield Microscopy, ICPR 2000, relative to contrast.
"""

# A row of another version is computed again.
_VERSION = 1
_SIDE_PX = 192
_FOCUS_PX = 128
# Grey levels of contrast below which noise would pass for edges.
_LEAST_CONTRAST = 3.0
_RING_SHARE = 1 / 64
# The squares of 0..255, weighed as the eye does.
_LIGHT = np.outer([0.241, 0.691, 0.068], np.arange(256.0) ** 2).astype(np.float32)
# One below the largest value: JPEG rounds.
_CLIPPED = 254
# EXIF 2.32, section 4.6: maker, model, artist; owner's name and serial numbers lie in the inner directory.
_MAKER, _MODEL, _ARTIST, _EXIF_IFD = 0x010F, 0x0110, 0x013B, 0x8769
_OWNERS = {0xA430, 0xA431, 0xA435}

Column = NDArray[np.float64]


@dataclass(frozen=True)
class Looks:
    """The looks of many pictures: (N, len(COLUMNS)) numbers; a picture that cannot be decoded (any more) is NaN."""

    rows: NDArray[np.float64]

    def __getitem__(self, name: str) -> Column:
        return self.rows[:, COLUMNS.index(name)]

    def __len__(self) -> int:
        return len(self.rows)


def looks(contents: Sequence[str], read: Callable[[str], bytes], cache_folder: Path, tell: Tell = tell_nobody) -> Looks:
    """How pictures look, by content hash; computed on all cores, and kept.

    Args:
        contents: (N,) content hashes.
        read: gives a picture's file by its content hash.
        cache_folder: the workspace's folder of caches.
        tell: hears progress.
    """

    def one(place: int) -> Column:
        return look(read(contents[place]))

    def compute(places: list[int]) -> Column:
        with ThreadPoolExecutor(cores(), thread_name_prefix="looks") as pool:
            return np.stack(list(pool.map(one, places)))

    if not len(contents):
        return no_looks(0)
    return Looks(_cache(cache_folder).fetch(contents, compute, chunk=256, tell=tell, what="looking at pictures"))


def looks_at_hand(contents: Sequence[str], cache_folder: Path) -> Looks | None:
    """How these pictures look if all of them were looked at before; None otherwise."""
    rows, found = _cache(cache_folder).get(contents)
    return Looks(rows) if len(contents) and found.all() else None


def no_looks(n: int) -> Looks:
    """The looks of pictures that nobody looked at: NaN."""
    return Looks(np.full((n, len(COLUMNS)), np.nan))


def _cache(folder: Path) -> ArrayCache:
    return ArrayCache(folder / "looks" / f"v{_VERSION}")


def look(data: bytes) -> Column:
    """One picture file as a row of `COLUMNS`; NaN where the bytes give no picture."""
    try:
        picture = decode(data, at_least_px=_SIDE_PX)
    except UnreadablePictureError:
        return no_looks(1).rows[0]
    image = Image.fromarray(np.ascontiguousarray(picture.pixels))
    if max(image.size) > _SIDE_PX:
        image.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BOX)
    pixels = np.asarray(image)
    values = {**_light(pixels), **_focus(image), **_border(pixels), **_file_facts(data)}
    values["entropy"] = (image.convert("L") if values["saturation"] == 0 else image).entropy()
    values["has_gps"] = float("W_GPS" in picture.warnings)
    return np.array([values[name] for name in COLUMNS])


def _light(pixels: NDArray[np.uint8]) -> dict[str, float]:
    # Channel by channel: NumPy is ten times slower along an axis of length 3.
    red, green, blue = (np.ascontiguousarray(pixels[..., channel]) for channel in range(3))
    perceived = np.sqrt(_LIGHT[0][red] + _LIGHT[1][green] + _LIGHT[2][blue])
    counts = np.bincount(np.rint(perceived).astype(np.uint8).ravel(), minlength=256)
    shares = np.cumsum(counts) / perceived.size
    found = {f"brightness_p{p}": int(np.searchsorted(shares, p / 100)) / 255 for p in (1, 5, 95, 99)}
    largest = np.maximum(np.maximum(red, green), blue)
    found["clipped"] = float((largest >= _CLIPPED).mean())
    widest = largest - np.minimum(np.minimum(red, green), blue)
    means = {"brightness": perceived, "red": red, "green": green, "blue": blue, "saturation": widest}
    return found | {name: float(values.mean()) / 255 for name, values in means.items()}


def _focus(image: Image.Image) -> dict[str, float]:
    small = image.convert("L")
    if max(small.size) > _FOCUS_PX:
        small.thumbnail((_FOCUS_PX, _FOCUS_PX), Image.Resampling.BOX)
    grey = np.asarray(small).astype(np.float32)
    if min(grey.shape) < 3:
        return {"sharpness": np.nan}
    inside = grey[1:-1, 1:-1]
    edges = 4 * inside - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return {"sharpness": float(edges.std() / (grey.std() + _LEAST_CONTRAST))}


def _border(pixels: NDArray[np.uint8]) -> dict[str, float]:
    wide = max(1, round(min(pixels.shape[:2]) * _RING_SHARE))
    ring = _ring(pixels, 0, wide)
    inside = _ring(pixels, wide, wide)
    red, green, blue = ring.mean(axis=0).tolist()
    step = float(np.abs(ring.mean(axis=0) - inside.mean(axis=0)).mean()) if len(inside) else 0.0
    spread = float(ring.std(axis=0).mean())
    return {
        "border_red": red,
        "border_green": green,
        "border_blue": blue,
        "border_spread": spread,
        "border_step": step,
    }


def _ring(pixels: NDArray[np.uint8], start: int, wide: int) -> NDArray[np.float32]:
    """(n, 3) the pixels of a ring `wide` pixels wide, `start` pixels away from the edge, in [0, 1]."""
    height, width = pixels.shape[:2]
    inner = pixels[start : height - start, start : width - start]
    sides = (inner[:wide], inner[-wide:], inner[wide:-wide, :wide], inner[wide:-wide, -wide:])
    return np.concatenate([side.reshape(-1, 3) for side in sides]).astype(np.float32) * np.float32(1 / 255)


def _file_facts(data: bytes) -> dict[str, float]:
    """What the file's head says: compression and whose camera it was."""
    facts = {"jpeg_quality": 0.0, "camera": 0.0, "has_owner": 0.0}
    kind = format_of(data)
    # Heads may be anything at all, and Pillow answers damage with any exception; such a file just says nothing.
    try:
        with quiet_pillow(), Image.open(io.BytesIO(data), formats=None if kind is None else (kind,)) as image:
            tables: dict[int, list[int]] = getattr(image, "quantization", None) or {}
            if tables:
                facts["jpeg_quality"] = jpeg_quality(tables[min(tables)])
            exif = image.getexif()
            if exif:
                maker = f"{exif.get(_MAKER, '')} {exif.get(_MODEL, '')}".strip("\0 ")
                facts["camera"] = float(zlib.crc32(maker.encode())) if maker else 0.0
                inner = exif.get_ifd(_EXIF_IFD)
                facts["has_owner"] = float(bool(exif.get(_ARTIST)) or not _OWNERS.isdisjoint(inner))
    except Exception:
        return facts
    return facts


# The Independent JPEG Group's luminance table at quality 50 (ITU-T T.81, table K.1) sums to this.
_SUM_AT_50 = 3688


def jpeg_quality(table: Sequence[int]) -> float:
    """The quality setting, 1 to 100, with which libjpeg makes a luminance table of this sum; between two, in between.

    >>> round(jpeg_quality([_SUM_AT_50 / 64] * 64))
    50
    """
    scale = 100 * sum(table) / _SUM_AT_50
    return float(np.clip(100 - scale / 2 if scale <= 100 else 5000 / scale, 1, 100))
