"""The one function from bytes to pixels: the same file gives the same tensor in every part of Winnow.

What it decides, once for all:

- **Formats**: those of `FORMATS` and no others, recognised by their first bytes (never by the file's name).
- **Upright**: the EXIF (or XMP) orientation is applied, so pixels are as a person sees the picture.
- **First frame** of an animation or of a file with several pages.
- **Transparency** is shown on white, as on a page; what hides under fully transparent pixels is not seen.
- **Grey** is repeated in three channels; palettes are looked up; CMYK, YCbCr and Lab are converted by Pillow.
- **16 bits**: value / 257, for every picture alike (stretched one by one, two exposures would look the same).
- **32-bit integers and floats**: see `_eight_bits`.
- **Colour profiles are not applied**: numbers are read as sRGB, as in the pictures backbones learned from.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from winnow.data.quiet import quiet_pillow
from winnow.data.signatures import FORMATS, as_a_format_we_refuse, format_of
from winnow.errors import BadDataError

# 64 Mi pixels: Pillow holds 4 bytes a pixel and the array 3, so the worst case stays below 512 MB.
MAX_PIXELS = 64 * 1024 * 1024
# Below this many pixels on the shorter side there is hardly a picture (the PngSuite's tiny ones are smaller).
TINY_PX = 8

_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")
_ORIENTATION = 0x0112  # EXIF 2.32, section 4.6.4
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class UnreadablePictureError(BadDataError):
    """These bytes are no picture that Winnow reads.

    Attributes:
        code: E_EMPTY, E_NOT_IMAGE, E_UNSUPPORTED_FORMAT, E_TRUNCATED, E_CORRUPT, E_BOMB_PIXELS,
            E_BOMB_METADATA.
        reason: what is wrong and what to do, in one sentence.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        pixels: (H, W, 3) upright RGB, 0..255; read-only.
        format: the file's format as Pillow names it ("JPEG", "PNG", ...).
        warnings: what was done to it: W_ALPHA, W_16BIT, W_FLOAT_SCALED, W_CMYK, W_MODE_CONVERTED,
            W_EXIF_ROTATED, W_ANIMATED_FIRST_FRAME, W_BAD_METADATA, W_TINY.
    """

    pixels: NDArray[np.uint8]
    format: str
    warnings: tuple[str, ...] = ()


def decode(data: bytes, *, at_least_px: int | None = None) -> Picture:
    """The upright RGB pixels of a picture file.

    Args:
        data: the whole file.
        at_least_px: a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size (inside the inverse DCT, several
            times faster) as long as its shorter side keeps this many pixels. The answer depends on the bytes
            and this number only. None: full size.

    Raises:
        UnreadablePictureError: for any bytes that give no picture; nothing else is ever raised.
    """
    if not data:
        raise UnreadablePictureError("E_EMPTY", "The file is empty (0 bytes): copy it again from where it came.")
    kind = format_of(data)
    if kind is None:
        raise _not_ours(data)
    try:
        with quiet_pillow(), Image.open(io.BytesIO(data), formats=(kind,)) as image:
            _refuse_bombs(*image.size)
            return _picture(image, data, kind, at_least_px)
    except UnreadablePictureError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    # Pillow's decoders answer hostile bytes with almost any exception (OSError, SyntaxError, ValueError,
    # struct.error, KeyError, OverflowError, MemoryError, RecursionError ...): all mean "damaged".
    except Exception as error:
        raise _damaged(kind, error) from error


def rgb_of(image: Image.Image) -> tuple[NDArray[np.uint8], list[str]]:
    """The (H, W, 3) upright pixels of an open Pillow image, and the codes of what was done to get there."""
    image.load()
    warnings: list[str] = []
    orientation = _orientation(image, warnings)
    pixels = _three_channels(image, warnings, orientation)
    if min(pixels.shape[:2]) < TINY_PX:
        warnings.append("W_TINY")
    return pixels, warnings


def _picture(image: Image.Image, data: bytes, kind: str, at_least_px: int | None) -> Picture:
    warnings: list[str] = []
    if kind != "JPEG" and getattr(image, "is_animated", False):
        warnings.append("W_ANIMATED_FIRST_FRAME")
        image.seek(0)
    elif image.format == "MPO" and getattr(image, "n_frames", 1) > 1:
        warnings.append("W_ANIMATED_FIRST_FRAME")
    if _is_16_bit(image, data, kind):
        warnings.append("W_16BIT")
    if at_least_px is not None and kind == "JPEG":
        image.draft(None, (at_least_px, at_least_px))
    pixels, done = rgb_of(image)
    warnings += [code for code in done if code not in warnings]
    return Picture(pixels, image.format or kind, tuple(warnings))


def _refuse_bombs(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(width, height)


def _is_16_bit(image: Image.Image, data: bytes, kind: str) -> bool:
    # Pillow halves the depth of 16-bit colour on its own and does not say so: look into the header.
    if kind == "PNG":
        return len(data) > 24 and data[24] == 16  # IHDR's bit depth
    if kind == "TIFF" and image.mode != "F":
        depths = getattr(image, "tag_v2", {}).get(258, (8,))  # BitsPerSample
        return max(depths) in (16, 32) if isinstance(depths, tuple) else depths in (16, 32)
    return False


def _orientation(image: Image.Image, warnings: list[str]) -> Image.Transpose | None:
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # metadata may be anything at all; the picture itself is still good
        warnings.append("W_BAD_METADATA")
        return None
    if value in _UPRIGHT:
        warnings.append("W_EXIF_ROTATED")
        return _UPRIGHT[value]
    if value not in (0, 1, None):
        warnings.append("W_BAD_METADATA")
    return None


def _three_channels(image: Image.Image, warnings: list[str], orientation: Image.Transpose | None) -> NDArray[np.uint8]:
    has_alpha = image.mode in _WITH_ALPHA or "transparency" in image.info
    if image.mode.startswith("I") or image.mode == "F":
        code = "W_FLOAT_SCALED" if image.mode == "F" else "W_16BIT"
        if code not in warnings:
            warnings.append(code)
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    elif has_alpha:
        warnings.append("W_ALPHA")
        image = _on_white(image)
    elif image.mode == "CMYK":
        warnings.append("W_CMYK")
        image = image.convert("RGB")
    elif image.mode not in ("RGB", "L"):
        warnings.append("W_MODE_CONVERTED")
        image = image.convert("L" if image.mode == "1" else "RGB")
    if orientation is not None:
        image = image.transpose(orientation)
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    pixels.flags.writeable = False
    return pixels


def _on_white(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.getchannel("A"))
    return white


def _eight_bits(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """(H, W) integers or floats as 0..255.

    Integers: up to 65535, value / 257. Floats: up to 1, value x 255; up to 255, as they are. What fits
    neither is stretched from its smallest to its largest value. What is not a number is black.
    """
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    if np.issubdtype(values.dtype, np.integer) and low >= 0 and high <= 65535:
        finite = finite / 257
    elif low >= 0 and high <= 1:
        finite = finite * 255
    elif low < high and (low < 0 or high > 255):
        finite = (finite - low) * (255 / (high - low))
    return np.rint(finite.clip(0, 255)).astype(np.uint8)


def _not_ours(data: bytes) -> UnreadablePictureError:
    refused = as_a_format_we_refuse(data)
    accepted = ", ".join(FORMATS)
    if b"IHDR" in data[8:20]:  # a PNG whose signature was mangled, mostly by a transfer in text mode
        return UnreadablePictureError(
            "E_CORRUPT", "The PNG file is damaged at its start: copy it again (in binary mode)."
        )
    if refused:
        return UnreadablePictureError(
            "E_UNSUPPORTED_FORMAT", f"{refused} pictures are not read: save it as one of {accepted}."
        )
    return UnreadablePictureError(
        "E_NOT_IMAGE",
        f"This is no picture of a known format: Winnow reads {accepted}. Remove or replace the file.",
    )


def _too_many_pixels(width: int | None = None, height: int | None = None) -> UnreadablePictureError:
    size = f"{width} x {height} pixels" if width else "far too many pixels"
    return UnreadablePictureError(
        "E_BOMB_PIXELS",
        f"The picture claims {size}; Winnow reads up to {MAX_PIXELS // 2**20} megapixels. Save it smaller.",
    )


def _damaged(kind: str, error: Exception) -> UnreadablePictureError:
    text = str(error).lower()
    if "max_text" in text:  # Pillow's limit on what compressed metadata may unfold to
        return UnreadablePictureError(
            "E_BOMB_METADATA", f"The {kind} file carries huge metadata: save the picture anew without it."
        )
    if any(sign in text for sign in ("truncated", "unexpected end", "not enough", "broken data stream")):
        return UnreadablePictureError("E_TRUNCATED", f"The {kind} file ends too early: copy or download it again.")
    return UnreadablePictureError("E_CORRUPT", f"The {kind} file is damaged inside: copy it again or save it anew.")
