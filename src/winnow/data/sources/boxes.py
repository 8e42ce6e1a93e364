"""What annotations say of one picture, and its boxes checked against the picture's real size.

Boxes leave here as `Box`: pixels of the upright picture, inside it, of some size, each once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from winnow.data.manifest import Box
from winnow.data.sources.pictures_of import Size
from winnow.data.sources.source import label_text

# Pascal VOC counts from 1, others from 0, and tools round: a pixel over the edge is nobody's mistake.
_EDGE_PX = 1.0
_MAX_DIGITS = 40


@dataclass(slots=True)
class _RawBox:
    """As the file states it: in pixels or in shares of the picture."""

    label: str
    x: float
    y: float
    width: float
    height: float
    is_crowd: bool


@dataclass(slots=True)
class Marks:
    """What annotations say of one picture, gathered mark by mark.

    Attributes:
        stated: the width and height in pixels that the file states, or None.
        whole: what a side of the picture counts as in the boxes' unit: 1 for shares, 100 for percent, None for pixels.
        labels: the classes in the order in which they were said, without repeats; None: nothing was said yet.
        codes: what was mended, in order.
        refusal: the code and reason why the picture is left out although it is there, or None.
    """

    stated: tuple[float, float] | None = None
    whole: float | None = None
    labels: dict[str, None] | None = None
    codes: dict[str, None] = field(default_factory=dict[str, None])
    refusal: tuple[str, str] | None = None
    _boxes: list[_RawBox] = field(default_factory=list[_RawBox])

    @property
    def needs_size(self) -> bool:
        """Is there anything that the picture's real size decides?"""
        return bool(self._boxes) or self.stated is not None

    def looked_at(self) -> None:
        """Somebody looked at the picture, whether or not any class applies."""
        if self.labels is None:
            self.labels = {}

    def label(self, name: str) -> None:
        """The picture shows `name`."""
        self.looked_at()
        assert self.labels is not None
        self.labels[name] = None

    def named(self, value: object) -> str | None:
        """The picture shows the class that `value` names; None, and it is left out, if no class can be called so."""
        name = class_named(value)
        if name is None:
            self.refusal = ("E_NAME", "A class of it has no name: name it in the annotation.")
            return None
        if not isinstance(value, str):
            self.warn("W_TYPE_COERCED")
        self.label(name)
        return name

    def warn(self, code: str) -> None:
        """`code` is among the picture's warnings."""
        self.codes[code] = None

    def box(self, label: str, corner_and_size: Sequence[object], *, is_crowd: bool = False) -> None:
        """There is a `label` at (x, y) of its left top corner, with (width, height); any values, checked here."""
        numbers = self.numbers(corner_and_size)
        if numbers is not None:
            x, y, width, height = numbers
            self._boxes.append(_RawBox(label, x, y, width, height, is_crowd))

    def corners(self, label: str, corners: Sequence[object]) -> None:
        """There is a `label` between (left, top) and (right, bottom)."""
        numbers = self.numbers(corners)
        if numbers is not None:
            left, top, right, bottom = numbers
            self._boxes.append(_RawBox(label, left, top, right - left, bottom - top, is_crowd=False))

    def centred(self, label: str, centre_and_size: Sequence[object]) -> None:
        """There is a `label` around its centre (x, y), with (width, height)."""
        numbers = self.numbers(centre_and_size)
        if numbers is not None:
            x, y, width, height = numbers
            self._boxes.append(_RawBox(label, x - width / 2, y - height / 2, width, height, is_crowd=False))

    def around(self, label: str, points: Sequence[Sequence[object]]) -> None:
        """There is a `label` somewhere around these points."""
        xs, ys = ([number(point[axis]) if len(point) == 2 else None for point in points] for axis in (0, 1))
        whole_xs, whole_ys = ([value for value in values if value is not None] for values in (xs, ys))
        if not points or len(whole_xs) + len(whole_ys) < 2 * len(points):
            self.warn("W_BOX_DROPPED")
        else:
            self.corners(label, (min(whole_xs), min(whole_ys), max(whole_xs), max(whole_ys)))

    def numbers(self, values: Sequence[object]) -> tuple[float, float, float, float] | None:
        """Four finite numbers out of what may be text; otherwise None, and a box is missing."""
        numbers = [number(value) for value in values]
        if len(numbers) != 4 or any(n is None for n in numbers):
            self.warn("W_BOX_DROPPED")
            return None
        if any(isinstance(value, str) for value in values):
            self.warn("W_TYPE_COERCED")
        a, b, c, d = (n for n in numbers if n is not None)
        return a, b, c, d

    def boxes(self, real: Size | None) -> tuple[Box, ...]:
        """The boxes in pixels of the upright picture; what had to be mended is among `codes` afterwards.

        Args:
            real: what the picture file says of itself. None: it cannot be read; then the stated size is believed.
        """
        width, height = self._frame(real)
        found: dict[tuple[object, ...], Box] = {}
        for raw in self._boxes:
            box = self._checked(self._in_pixels(raw, width, height, real), width, height)
            if box is None:
                continue
            key = (box.label, box.x, box.y, box.width, box.height)
            if key in found:
                self.warn("W_BOX_DUP")
            found.setdefault(key, box)
        return tuple(found.values())

    def _frame(self, real: Size | None) -> tuple[float, float]:
        """The upright picture's width and height; infinite where nobody knows."""
        if real is None:
            return self.stated or (math.inf, math.inf)
        upright, stored = (real.width, real.height), (real.height, real.width)
        if self.stated is not None and self.stated != upright and not (real.turned in _TURNS and self.stated == stored):
            self.warn("W_SIZE_MISMATCH")
        return upright

    def _in_pixels(self, raw: _RawBox, width: float, height: float, real: Size | None) -> _RawBox:
        if self.whole is not None:
            across, down = width / self.whole, height / self.whole
            x, y = raw.x * across, raw.y * down
            return _RawBox(raw.label, x, y, raw.width * across, raw.height * down, raw.is_crowd)
        # A size stated sideways was read without minding the EXIF orientation, and so were the boxes.
        if real is not None and real.turned in _TURNS and self.stated == (real.height, real.width) != real[:2]:
            return _turned(raw, real)
        return raw

    def _checked(self, raw: _RawBox, width: float, height: float) -> Box | None:
        left, top = max(raw.x, 0.0), max(raw.y, 0.0)
        right, bottom = min(raw.x + raw.width, width), min(raw.y + raw.height, height)
        values = (raw.width, raw.height, right, bottom)
        if not all(map(math.isfinite, values)) or min(raw.width, raw.height, right - left, bottom - top) <= 0:
            self.warn("W_BOX_DROPPED")
            return None
        over = max(left - raw.x, top - raw.y, raw.x + raw.width - right, raw.y + raw.height - bottom)
        if over > _EDGE_PX:
            self.warn("W_BOX_CLIPPED")
        # A whole box within the first pixel: most likely shares of the picture, taken for pixels.
        if self.whole is None and max(right, bottom, raw.width, raw.height) <= 1 < min(width, height):
            self.warn("W_BOX_SUSPICIOUS")
        if over <= 0:  # as stated, to the last bit: left + width - left may differ
            return Box(raw.label, raw.x, raw.y, raw.width, raw.height, raw.is_crowd)
        return Box(raw.label, left, top, right - left, bottom - top, raw.is_crowd)


_TURNS = (5, 6, 7, 8)  # EXIF 2.32, section 4.6.4: the orientations that lie on their side


def _turned(raw: _RawBox, real: Size) -> _RawBox:
    """A box in the pixels as they are stored, in those of the upright picture (whose size is `real`)."""
    x = raw.y if real.turned in (5, 8) else real.width - (raw.y + raw.height)
    y = raw.x if real.turned in (5, 6) else real.height - (raw.x + raw.width)
    return _RawBox(raw.label, x, y, raw.height, raw.width, raw.is_crowd)


def rotated_corners(
    left: float, top: float, width: float, height: float, degrees: float, *, about: tuple[float, float]
) -> list[tuple[float, float]]:
    """The corners of a rectangle that was turned clockwise about a point (y grows downwards)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = ((left, top), (left + width, top), (left + width, top + height), (left, top + height))
    offsets = ((x - about[0], y - about[1]) for x, y in corners)
    return [(about[0] + x * cos - y * sin, about[1] + x * sin + y * cos) for x, y in offsets]


def number(value: object) -> float | None:
    """A finite number, also out of text; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and (len(value) > _MAX_DIGITS or "_" in value):  # to Python, 1_0 is ten
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def stated_size(width: object, height: object) -> tuple[float, float] | None:
    """The size a file states, or None where it states none that a picture can have (tools that do not know write 0)."""
    across, down = number(width), number(height)
    return (across, down) if across is not None and down is not None and min(across, down) > 0 else None


def class_named(value: object) -> str | None:
    """The name of a class as text (a number is one, too); None if it is empty or neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    return label_text(value)
