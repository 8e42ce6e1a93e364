"""From pixels of any size to a network's square input; together with `decode` the only way there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from winnow.data.decode import decode
from winnow.errors import UserError

Fit = Literal["squash", "crop"]


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a graph wants to see: a square of `side_px`, the picture squashed into it or its middle cropped.

    Attributes:
        fit: "squash" keeps all of the picture and lets its proportions go; "crop" keeps the proportions and
            loses the ends of the longer side.
    """

    side_px: int
    fit: Fit = "squash"

    def __post_init__(self) -> None:
        if not 1 <= self.side_px <= 4096 or self.fit not in ("squash", "crop"):
            raise UserError(
                f"An input of {self.side_px} px, fit '{self.fit}', is not possible: "
                "take 1 to 4096 px and 'squash' or 'crop'."
            )

    @property
    def key(self) -> str:
        """The name under which inputs of this kind are cached, such as "squash-192"."""
        return f"{self.fit}-{self.side_px}"

    def to_json(self) -> dict[str, Any]:
        """As plain values, for a model's JSON."""
        return {"side_px": self.side_px, "fit": self.fit}

    @classmethod
    def from_key(cls, key: str) -> InputSpec:
        """Back from `key`.

        Raises:
            UserError: it is no such name.

        >>> InputSpec.from_key("squash-192")
        InputSpec(side_px=192, fit='squash')
        """
        fit, _, side = key.partition("-")
        if fit not in ("squash", "crop") or not side.isdigit():
            raise UserError(f"'{key}' names no kind of input; expected a name such as squash-192.")
        return cls(int(side), fit)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> InputSpec:
        """Back from `to_json`."""
        return cls(side_px=int(values["side_px"]), fit=values.get("fit", "squash"))


def preprocessing(spec: InputSpec) -> dict[str, Any]:
    """What `read_input` does, in words for whoever has the graph alone and must do the same."""
    fits = {
        "squash": "the whole picture resized to the square, its proportions are lost",
        "crop": "the middle square as large as the shorter side, resized",
    }
    return {
        "layout": "NHWC",
        "dtype": "uint8",
        "colour": "RGB, 0..255, not normalised: the graph does that itself",
        "side_px": spec.side_px,
        "fit": spec.fit,
        "resize": f"{fits[spec.fit]}; Pillow's BILINEAR, which antialiases; none if it has that size already",
        "decode": "the first frame; turned upright by EXIF; transparency over white; grey, palette and CMYK to RGB as "
        "Pillow does, colour profiles ignored; 16 bits / 257; a JPEG at 1/2, 1/4 or 1/8 of its size (Pillow's draft) "
        "while both sides keep side_px",
    }


def read_input(data: bytes, spec: InputSpec) -> NDArray[np.uint8]:
    """A picture file as (side, side, 3) RGB. Large JPEGs are decoded at the scale that is just enough.

    Raises:
        UnreadablePictureError: the bytes give no picture.
    """
    return to_input(decode(data, at_least_px=spec.side_px).pixels, spec)


def to_input(pixels: NDArray[np.uint8], spec: InputSpec) -> NDArray[np.uint8]:
    """(H, W, 3) RGB resized to (side, side, 3), antialiased bilinear; untouched when it already has the size.

    Pillow's filter grows its support with the reduction (each output pixel weighs all input pixels it
    covers), as the pipelines do that backbones were trained with.
    """
    side = spec.side_px
    height, width = pixels.shape[:2]
    if (height, width) == (side, side):
        return pixels
    box = (0.0, 0.0, float(width), float(height))
    if spec.fit == "crop":
        edge = min(height, width)
        left, top = (width - edge) / 2, (height - edge) / 2
        box = (left, top, left + edge, top + edge)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR, box=box))
