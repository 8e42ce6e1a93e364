"""Pictures that are numbers already: arrays and Pillow images in, (H, W, 3) uint8 out, and back to a file.

The rule for numbers, applied to a whole array at once (so that a dark picture among others stays dark):

- bool: False is black, True is white.
- uint8: as it is.
- uint16: value / 257.
- other integers and floats: 0..1 is multiplied by 255 (floats only), 0..255 is taken as it is. Anything else
  is refused: negative values, values above 255, and a largest value of 1..32, which is no picture of either
  kind (scikit-learn's digits are 0..16: divide by 16).
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from winnow.data.decode import UnreadablePictureError, rgb_of
from winnow.data.quiet import quiet_pillow
from winnow.errors import BadDataError

# A largest value up to here cannot be 0..255: such a picture would be black to the eye.
_SUSPICIOUS = 32


def pixels_from_array(array: Any) -> NDArray[np.uint8]:
    """One picture as (H, W, 3) RGB.

    Args:
        array: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) numbers as in the module's rule, or a Pillow image
            (which goes through the same steps as a decoded file).

    Raises:
        BadDataError: the shape or the values are not a picture's.
    """
    if isinstance(array, Image.Image):
        return _pixels_of_image(array)
    return three_channels(as_uint8(np.asarray(array)))


def scale_of(values: NDArray[Any]) -> float:
    """What numbers of any shape are multiplied by to become 0..255, by the module's rule.

    Raises:
        BadDataError: the values are no brightnesses.
    """
    if values.dtype == np.bool_:
        return 255.0
    if values.dtype == np.uint16:
        return 1 / 257
    if values.dtype == np.uint8 or values.size == 0:
        return 1.0
    if values.dtype.kind not in "iuf":
        raise BadDataError(f"Pictures of dtype {values.dtype} are not read: give uint8 (0 to 255) or float (0 to 1).")
    low, high = float(values.min()), float(values.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise BadDataError("The pictures hold NaN or infinite values: replace them, for example with 0.")
    if low < 0:
        raise BadDataError(
            f"The pictures hold negative values (from {low:g}): undo their standardisation, or scale to 0..1."
        )
    if values.dtype.kind == "f" and high <= 1:
        return 255.0
    if high > 255 or 1 < high <= _SUSPICIOUS:
        raise BadDataError(
            f"The pictures hold values from {low:g} to {high:g}; expected 0 to 1 (float) or 0 to 255. "
            f"Divide them by their largest possible value, here perhaps {high:g}."
        )
    return 1.0


def as_uint8(values: NDArray[Any], scale: float | None = None) -> NDArray[np.uint8]:
    """Numbers of any shape as 0..255; `scale` is that of a larger array they are a part of.

    Raises:
        BadDataError: the values are no brightnesses.
    """
    if values.dtype == np.uint8:
        return values
    factor = scale_of(values) if scale is None else scale
    return np.rint(values.astype(np.float64) * factor).astype(np.uint8)


def three_channels(values: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W), (H, W, 1), (H, W, 3) or (H, W, 4) as (H, W, 3); a fourth channel is alpha, shown on white.

    Raises:
        BadDataError: another shape, or no pixels.
    """
    shape = values.shape
    if values.ndim == 2:
        values = values[:, :, None]
    if values.ndim != 3 or values.shape[2] not in (1, 3, 4) or 0 in values.shape:
        channels_first = len(shape) == 3 and shape[0] in (1, 3, 4)
        advice = "move the channels last: X.transpose(0, 2, 3, 1)" if channels_first else "reshape the array"
        raise BadDataError(
            f"A picture of shape {shape} cannot be read: expected (height, width) or "
            f"(height, width, 1, 3 or 4 channels); {advice}."
        )
    if values.shape[2] == 1:
        return np.repeat(values, 3, axis=2)
    if values.shape[2] == 4:
        alpha = values[:, :, 3:].astype(np.uint32)
        on_white = values[:, :, :3] * alpha + 255 * (255 - alpha)
        return ((on_white + 127) // 255).astype(np.uint8)
    return values


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) RGB as a PNG that decodes to exactly these pixels; grey pictures take one channel.

    Written here because MNIST has 70,000 of them: 46 us for 28 x 28 where Pillow takes 137. Each row is
    stored as its difference to the row above (filter 2) and packed at zlib's fastest level.

    Source: PNG specification, third edition, sections 5, 7 and 9.
    """
    is_grey = bool((pixels[..., :1] == pixels[..., 1:]).all())
    values = pixels[..., 0] if is_grey else pixels.reshape(pixels.shape[0], -1)
    height, width = pixels.shape[:2]
    rows = np.empty((height, values.shape[1] + 1), dtype=np.uint8)
    rows[:, 0] = 2
    rows[0, 1:] = values[0]
    np.subtract(values[1:], values[:-1], out=rows[1:, 1:])  # modulo 256, as the filter wants
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if is_grey else 2, 0, 0, 0)
    parts = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows.tobytes(), 1)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _pixels_of_image(image: Image.Image) -> NDArray[np.uint8]:
    try:
        with quiet_pillow():
            return rgb_of(image)[0]
    # An image that was opened lazily is decoded only now, and may fail in as many ways as a file.
    except Exception as error:
        raise UnreadablePictureError(
            "E_CORRUPT", f"The Pillow image cannot be read ({error}): open or make it again."
        ) from error
