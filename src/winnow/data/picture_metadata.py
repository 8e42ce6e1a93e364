"""What a picture file says beside its pixels: which way is up, when it was taken, and what is odd or too personal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# EXIF 2.32, section 4.6
_ORIENTATION, _DATE_TIME, _EXIF_IFD, _GPS_IFD = 0x0112, 0x0132, 0x8769, 0x8825
_DATE_TIME_ORIGINAL = 0x9003
_EXIF_KEYS = {"exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif", "Raw profile type xmp"}
_GPS_POSITION = {2, 4}  # latitude, longitude

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING = {
    Image.Transpose.TRANSPOSE,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
}
_ICC_HEADER_BYTES = 128  # ICC.1:2022, section 7.2: the signature "acsp" stands at byte 36


@dataclass(frozen=True, slots=True)
class Metadata:
    """What was read.

    Attributes:
        transpose: what makes the picture upright; None: it is.
        taken: ISO 8601 without a zone, or None.
        warnings: W_EXIF_ROTATED, W_BAD_METADATA, W_GPS.
    """

    transpose: Image.Transpose | None
    taken: str | None
    warnings: tuple[str, ...]

    def turned_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height made upright."""
        return (height, width) if self.transpose in _LYING else (width, height)

    def turned(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3) pixels made upright."""
        match self.transpose:
            case Image.Transpose.FLIP_LEFT_RIGHT:
                turned = pixels[:, ::-1]
            case Image.Transpose.ROTATE_180:
                turned = pixels[::-1, ::-1]
            case Image.Transpose.FLIP_TOP_BOTTOM:
                turned = pixels[::-1]
            case Image.Transpose.TRANSPOSE:
                turned = pixels.swapaxes(0, 1)
            case Image.Transpose.ROTATE_270:
                turned = np.rot90(pixels, 3)
            case Image.Transpose.TRANSVERSE:
                turned = np.rot90(pixels, 2).swapaxes(0, 1)
            case Image.Transpose.ROTATE_90:
                turned = np.rot90(pixels, 1)
            case _:
                return pixels
        return np.ascontiguousarray(turned)


def read_metadata(image: Image.Image) -> Metadata:
    """The metadata of an open image; damage in it costs a warning, never the picture."""
    warnings: list[str] = []
    transpose: Image.Transpose | None = None
    taken: str | None = None
    try:
        exif = image.getexif() if _may_have_exif(image) else None
        if exif:
            orientation = exif.get(_ORIENTATION, 1)
            transpose = _UPRIGHT.get(orientation)
            if transpose is not None:
                warnings.append("W_EXIF_ROTATED")
            inner: dict[int, Any] = exif.get_ifd(_EXIF_IFD) if _EXIF_IFD in exif else {}
            if orientation not in (*_UPRIGHT, 0, 1, None) or _EXIF_IFD in inner:  # the second: it holds itself
                warnings.append("W_BAD_METADATA")
            taken = _moment(inner.get(_DATE_TIME_ORIGINAL)) or _moment(exif.get(_DATE_TIME))
            if _GPS_IFD in exif and exif.get_ifd(_GPS_IFD).keys() >= _GPS_POSITION:
                warnings.append("W_GPS")
    # Metadata may be anything at all, and Pillow's readers answer with anything; the picture itself is still good.
    except Exception:
        warnings.append("W_BAD_METADATA")
    if not _is_sound_profile(image.info.get("icc_profile")) or (image.format == "JPEG" and "mp" in image.info):
        warnings.append("W_BAD_METADATA")  # the second: several pictures were promised, but their index is damaged
    return Metadata(transpose, taken, tuple(dict.fromkeys(warnings)))


def _may_have_exif(image: Image.Image) -> bool:
    # Looking for it costs as much as decoding a digit does, and most small pictures have none.
    return image.format not in ("PNG", "JPEG") or not _EXIF_KEYS.isdisjoint(image.info)


def _moment(value: Any) -> str | None:
    """ "2026:11:21 10:00:00" as ISO 8601; None for anything else, as cameras without a clock write it."""
    try:
        return datetime.strptime(str(value).strip("\0 "), "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return None


def _is_sound_profile(profile: Any) -> bool:
    is_profile = isinstance(profile, bytes) and len(profile) >= _ICC_HEADER_BYTES
    return not is_profile or profile[36:40] == b"acsp"
