"""The one function from bytes to pixels: the same file gives the same tensor in every part of Winnow.

What it decides, once for all:

- **Formats**: those of `FORMATS` and no others, recognised by their first bytes (never by the file's name).
- **Upright**: the EXIF (or XMP) orientation is applied, so pixels are as a person sees the picture.
- **First frame** of an animation or of a file with several pages.
- **Transparency** is shown on white, as on a page; what hides under fully transparent pixels is not seen.
- **Grey** is repeated in three channels; palettes are looked up; CMYK, YCbCr and Lab are converted by Pillow.
- **16 bits**: value / 257, for every picture alike (stretched one by one, two exposures would look the same).
- **32-bit integers and floats**: see `_eight_bits`. 16-bit colour keeps its upper 8 bits, as Pillow reads it.
- **DICOM** (with the extra `dicom`) as its window shows it: see `winnow.data.dicom`.
- **Colour profiles are not applied**: numbers are read as sRGB, as in the pictures backbones learned from.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from winnow.data.dicom import is_dicom, read_dicom
from winnow.data.file_ends import check_end, has_damaged_png_header, lacks_rows, lacks_tiles
from winnow.data.picture_metadata import Metadata, read_metadata
from winnow.data.plain_files import read_plain
from winnow.data.quiet import quiet_pillow
from winnow.data.signatures import FORMATS, format_of, named_without_decoder
from winnow.errors import BadDataError, MissingExtraError

# 64 Mi pixels: Pillow holds 4 bytes a pixel and the array 3, so the worst case stays below 512 MB.
MAX_PIXELS = 64 * 1024 * 1024
# 28 Mi: Pillow hands WebP to an animation's decoder, which holds 12 bytes a pixel beside Pillow's own 4.
_MAX_WEBP_PIXELS = 28 * 1024 * 1024
# Below this many pixels on the shorter side there is hardly a picture (the PngSuite's tiny ones are smaller).
TINY_PX = 8
# A smaller picture of one colour is an icon or a dot, not a camera that failed.
_CONSTANT_PX = 16
# Pictures above this are turned into RGB in bands, so that a large one does not lie in memory four times over.
_WHOLE_PIXELS = 4 * 1024 * 1024
_BAND_ROWS = 256

# TIFF revision 6.0, sections 8 and 19.
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO, _UNSIGNED = 0, (1,)
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


class UnreadablePictureError(BadDataError):
    """These bytes are no picture that Winnow reads.

    Attributes:
        code: E_EMPTY, E_NOT_IMAGE, E_UNSUPPORTED_FORMAT, E_TRUNCATED, E_CORRUPT, E_BOMB_PIXELS,
            E_BOMB_METADATA; E_TIMEOUT from a decoding child.
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
        full_size: width and height of the upright picture as the file holds it; `pixels` may be decoded smaller.
        warnings: what was done to it: W_ALPHA, W_16BIT, W_FLOAT_SCALED, W_CMYK, W_MODE_CONVERTED,
            W_EXIF_ROTATED, W_ANIMATED_FIRST_FRAME; and what is odd about it: W_BAD_METADATA, W_GPS,
            W_TRAILING_DATA, W_TINY, W_CONSTANT.
        taken: when the camera says it was taken, ISO 8601 without a zone, or None.
    """

    pixels: NDArray[np.uint8]
    format: str
    full_size: tuple[int, int]
    warnings: tuple[str, ...] = ()
    taken: str | None = None


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
    if is_dicom(data):
        return _dicom(data)
    if (plain := read_plain(data, at_least_px)) is not None:
        return _plain(*plain)
    kind = format_of(data)
    if kind is None:
        raise _not_ours(data)
    if kind == "BMP" and int.from_bytes(data[18:22], "little", signed=True) < 0:  # Pillow reads it without its sign
        raise UnreadablePictureError("E_CORRUPT", "The picture's width is negative: copy it again or save it anew.")
    try:
        with quiet_pillow(), Image.open(io.BytesIO(data), formats=(kind,)) as image:
            _refuse_bombs(*image.size, _MAX_WEBP_PIXELS if kind == "WEBP" else MAX_PIXELS)
            return _picture(image, data, kind, at_least_px)
    except UnreadablePictureError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        raise _unidentified(data, kind) from error
    except MemoryError as error:
        raise UnreadablePictureError(
            "E_BOMB_PIXELS", "Decoding it takes more memory than a picture may (512 MB): save it smaller."
        ) from error
    # Pillow's decoders answer hostile bytes with almost any exception (OSError, SyntaxError, ValueError,
    # struct.error, KeyError, OverflowError, MemoryError, RecursionError ...): all mean "damaged".
    except Exception as error:
        raise _damaged(kind, error) from error


def _dicom(data: bytes) -> Picture:
    try:
        with quiet_pillow():
            picture = read_dicom(data, MAX_PIXELS)
    except MissingExtraError as error:
        raise UnreadablePictureError("E_UNSUPPORTED_FORMAT", str(error)) from error
    except MemoryError as error:
        raise _too_many_pixels() from error
    except Exception as error:  # pydicom, too, answers damaged files with almost anything
        if "missing dependencies" in str(error):
            raise UnreadablePictureError(
                "E_UNSUPPORTED_FORMAT",
                "It is DICOM packed in a way that is not read here: save it uncompressed (dcmdjpeg, gdcmconv --raw).",
            ) from error
        raise _damaged("DICOM", error) from error
    height, width = picture.pixels.shape[:2]
    odd = _oddness(picture.pixels)
    picture.pixels.flags.writeable = False
    warnings = picture.warnings if odd is None else (*picture.warnings, odd)
    return Picture(picture.pixels, "DICOM", (width, height), warnings, picture.taken)


def _plain(pixels: NDArray[np.uint8], kind: str) -> Picture:
    height, width = pixels.shape[:2]
    odd = _oddness(pixels)
    pixels.flags.writeable = False
    return Picture(pixels, kind, (width, height), () if odd is None else (odd,))


def rgb_of(image: Image.Image) -> tuple[NDArray[np.uint8], list[str]]:
    """The (H, W, 3) upright pixels of an open Pillow image, and the codes of what was done to get there."""
    image.load()
    metadata = read_metadata(image)
    pixels, warnings = _upright_rgb(image, metadata)
    return pixels, [*warnings, *metadata.warnings]


def _picture(image: Image.Image, data: bytes, kind: str, at_least_px: int | None) -> Picture:
    warnings: list[str] = []
    if kind != "JPEG" and getattr(image, "is_animated", False):
        warnings.append("W_ANIMATED_FIRST_FRAME")
        image.seek(0)
    elif image.format == "MPO" and getattr(image, "n_frames", 1) > 1:
        warnings.append("W_ANIMATED_FIRST_FRAME")
    stored_size = image.size
    if at_least_px is not None and kind == "JPEG":
        image.draft(None, (at_least_px, at_least_px))
    name = image.format or kind
    image.load()
    metadata = read_metadata(image)
    has_more = name == "JPEG" and "mp" in image.info  # further pictures, whose index is damaged: see `read_metadata`
    if not has_more and (end := check_end(data, name)) is not None:
        code, is_picture = end
        if not is_picture:
            raise UnreadablePictureError(code, f"The {kind} file is damaged inside: copy it again or save it anew.")
        warnings.append(code)
    if kind == "PNG" and _may_lack_rows(image) and lacks_rows(data):
        raise UnreadablePictureError("E_CORRUPT", "The PNG file lacks its lower part: copy it again or save it anew.")
    if kind == "TIFF" and lacks_tiles(_tags(image)):
        raise UnreadablePictureError("E_CORRUPT", "The TIFF file lacks a part: copy it again or save it anew.")
    if kind == "PNG":
        _scale_transparent_colour(image, depth=data[24])
    pixels, done = _upright_rgb(image, metadata)
    found = (*warnings, *done, *metadata.warnings)
    height, width = pixels.shape[:2]
    if kind == "JPEG":  # the only ones that may have been decoded smaller than they are
        width, height = metadata.turned_size(*stored_size)
    return Picture(pixels, name, (width, height), tuple(dict.fromkeys(found)), metadata.taken)


def _may_lack_rows(image: Image.Image) -> bool:
    # Looking takes as long as unpacking does. Rows that were not there are black; of interlaced ones, every other.
    last_row = image.crop((0, image.height - 1, image.width, image.height)).tobytes()
    return bool(image.info.get("interlace")) or not last_row.strip(b"\0")


def _scale_transparent_colour(image: Image.Image, depth: int) -> None:
    """Pillow gives the pixels of a PNG in 8 bits, but the one colour that is transparent in those of the file."""
    colour = image.info.get("transparency")
    if image.mode == "L" and isinstance(colour, int) and depth < 8:
        most = (1 << depth) - 1
        image.info["transparency"] = (colour & most) * 255 // most
    elif image.mode == "RGB" and isinstance(colour, tuple) and depth == 16:
        image.info["transparency"] = tuple(part >> 8 for part in cast("tuple[int, ...]", colour))


def _refuse_bombs(width: int, height: int, most_pixels: int) -> None:
    if width * height > most_pixels:
        raise _too_many_pixels(f"{width} x {height} pixels", most_pixels)


def _upright_rgb(image: Image.Image, metadata: Metadata) -> tuple[NDArray[np.uint8], list[str]]:
    """(H, W, 3) read-only pixels, and the codes of what was done to get them."""
    conversion = _conversion(image)
    done = [] if conversion is None else [conversion]
    if image.width * image.height <= _WHOLE_PIXELS:
        if metadata.transpose is not None:
            pixels = _rgb(image.transpose(metadata.transpose), image)
        else:
            pixels = _rgb(image, image)
    else:
        pixels = np.empty((image.height, image.width, 3), dtype=np.uint8)
        for top in range(0, image.height, _BAND_ROWS):
            bottom = min(top + _BAND_ROWS, image.height)
            pixels[top:bottom] = _rgb(image.crop((0, top, image.width, bottom)), image)
        image.close()  # its memory is needed for the turned copy
        pixels = metadata.turned(pixels)
    if (odd := _oddness(pixels)) is not None:
        done.append(odd)
    pixels.flags.writeable = False
    return pixels, done


def _oddness(pixels: NDArray[np.uint8]) -> str | None:
    """The code of what is odd about upright pixels."""
    least_px = min(pixels.shape[:2])
    if least_px < TINY_PX:
        return "W_TINY"
    return "W_CONSTANT" if least_px >= _CONSTANT_PX and _is_constant(pixels) else None


def _is_constant(pixels: NDArray[np.uint8]) -> bool:
    # The corners and the middle tell of most pictures that they are not.
    height, width = pixels.shape[:2]
    if any(pixels.item(y, x, 1) != pixels.item(0, 0, 1) for y, x in ((0, -1), (-1, 0), (-1, -1), (height // 2, -1))):
        return False
    # Of small pictures, bytes are compared in a fifth of the time that arrays take.
    row = pixels[height // 2].tobytes()
    return row == pixels[0, 0].tobytes() * width and bool((pixels == pixels[0, 0]).all())


def _conversion(image: Image.Image) -> str | None:
    """The code of what `_rgb` does to pictures of this mode."""
    if image.mode == "F":
        return "W_FLOAT_SCALED"
    if image.mode.startswith("I"):
        return "W_16BIT"
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return "W_ALPHA"
    if image.mode == "CMYK":
        return "W_CMYK"
    return None if image.mode in ("RGB", "L") else "W_MODE_CONVERTED"


def _rgb(part: Image.Image, whole: Image.Image) -> NDArray[np.uint8]:
    """(H, W, 3) of a band of a picture; numbers without a fixed range are scaled by the whole picture's."""
    conversion = _conversion(whole)
    if conversion in ("W_FLOAT_SCALED", "W_16BIT"):
        values = _values(part, whole)
        pixels = _eight_bits(values, *((0, 0) if values.dtype == np.uint16 else _range(whole)))
        if _tags(whole).get(_PHOTOMETRIC) == _WHITE_IS_ZERO:  # which Pillow minds up to 8 bits only
            pixels = 255 - pixels
        if isinstance(transparent := whole.info.get("transparency"), int):  # a PNG's
            pixels[values == transparent] = 255
    elif conversion == "W_ALPHA":
        pixels = np.asarray(_on_white(part))
    elif part.mode in ("RGB", "L"):
        pixels = np.asarray(part)
    else:
        pixels = np.asarray(part.convert("L" if part.mode == "1" else "RGB"))
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def _on_white(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=image.getchannel("A"))
    return white


def _values(part: Image.Image, whole: Image.Image) -> NDArray[np.generic]:
    """(H, W) integers or floats of a band of a picture, as its file means them."""
    values, tags = np.asarray(part), _tags(whole)
    # Pillow has no mode for integers of 32 bits without a sign, which those of a TIFF are if it does not say otherwise.
    is_unsigned = tags.get(_BITS) == (32,) and tags.get(_SAMPLE_FORMAT, _UNSIGNED) == _UNSIGNED
    return values.view(np.uint32) if is_unsigned and values.dtype == np.int32 else values


def _tags(image: Image.Image) -> Mapping[int, Any]:
    """A TIFF's, by number; of other files none."""
    return getattr(image, "tag_v2", {})


def _range(image: Image.Image) -> tuple[float, float]:
    """The smallest and the largest number of a picture of integers or floats; what is not a number counts as 0."""
    low, high = np.inf, -np.inf
    for top in range(0, image.height, _BAND_ROWS):
        values = _values(image.crop((0, top, image.width, min(top + _BAND_ROWS, image.height))), image)
        least, most = float(values.min()), float(values.max())
        if not np.isfinite([least, most]).all():
            finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
            least, most = float(finite.min()), float(finite.max())
        low, high = min(low, least), max(high, most)
    return low, high


def _eight_bits(values: NDArray[np.generic], low: float, high: float) -> NDArray[np.uint8]:
    """(H, W) integers or floats, of a picture whose numbers lie in low..high, as 0..255.

    Integers: up to 65535, value / 257. Floats: up to 1, value x 255; up to 255, as they are. What fits
    neither is stretched from its smallest to its largest value. What is not a number is black.
    """
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    if np.issubdtype(values.dtype, np.integer) and low >= 0 and high <= 65535:
        finite = finite / 257
    elif low >= 0 and high <= 1:
        finite = finite * 255
    elif low < high and (low < 0 or high > 255):
        finite = (finite - low) * (255 / (high - low))
    return np.rint(finite.clip(0, 255)).astype(np.uint8)


def _not_ours(data: bytes) -> UnreadablePictureError:
    """Why bytes of none of our formats are refused. Pillow looks at their header, so that a format has a name."""
    accepted = ", ".join(FORMATS)
    if data[12:16] == b"IHDR":  # a PNG whose signature was mangled, mostly by a transfer in text mode
        return UnreadablePictureError(
            "E_CORRUPT", "The PNG file is damaged at its start: copy it again (in binary mode)."
        )
    refused = named_without_decoder(data)
    is_readable = refused == "SVG"
    if refused is None:
        try:
            with quiet_pillow(), Image.open(io.BytesIO(data)) as image:
                refused, is_readable = image.format_description or image.format, True
        except Image.DecompressionBombError:
            return _too_many_pixels()
        # The headers of rare formats are read by rarely tested code: anything may be raised.
        except Exception:
            refused = None
    if refused is not None:
        code = "E_UNSUPPORTED_FORMAT" if is_readable else "E_NOT_IMAGE"
        return UnreadablePictureError(code, f"{refused} pictures are not read: save it as one of {accepted}.")
    return UnreadablePictureError(
        "E_NOT_IMAGE",
        f"This is no picture of a known format: Winnow reads {accepted}. Remove or replace the file.",
    )


def _unidentified(data: bytes, kind: str) -> UnreadablePictureError:
    """Why Pillow does not know a file that begins as one of our formats."""
    if kind == "PNG" and has_damaged_png_header(data):
        return UnreadablePictureError("E_CORRUPT", "The PNG file's header is damaged: copy it again or save it anew.")
    return UnreadablePictureError(
        "E_NOT_IMAGE", f"It begins as {kind} but is no readable picture: copy it again or save it anew."
    )


def _too_many_pixels(claimed: str = "far too many pixels", most_pixels: int = MAX_PIXELS) -> UnreadablePictureError:
    return UnreadablePictureError(
        "E_BOMB_PIXELS",
        f"The picture claims {claimed}; Winnow reads up to {most_pixels // 2**20} megapixels. Save it smaller.",
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
