"""What the codes of an import say of pictures that came in all the same: one line for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

NOTICED: dict[str, str] = {
    "W_GPS": "with the place where it was taken (GPS in EXIF): think of privacy before sharing",
    "W_TRAILING_DATA": "with other data after the picture, perhaps another file",
    "W_EXT_MISMATCH": "of another format than the name says",
    "W_CONSTANT": "of one colour only, as from a camera that failed",
    "W_TINY": "of less than 8 pixels in width or height",
    "W_SIZE_MISMATCH": "of another size than the annotation says: check that they belong together",
    "W_BAD_METADATA": "with damaged or huge metadata, which was ignored",
    "W_BOX_DROPPED": "with a box that is none (no area, or outside), which was left out",
    "W_BOX_CLIPPED": "with a box that reached beyond the picture and was cut",
    "W_BOX_DUP": "with the same box twice; it was kept once",
    "W_BOX_SUSPICIOUS": "with boxes that may be corners instead of sizes: look at a few",
    "W_SEG_DROPPED": "with outlines, of which only the boxes were kept",
    "W_DUP": "named twice; the annotations were joined",
    "W_URL_IGNORED": "with a URL beside the file; the file was taken",
    "W_TYPE_COERCED": "with numbers written as text, or text as numbers, which were understood",
    "W_NAME_NORMALISED": "with invisible or impossible signs in a name, which were cleaned or written as in a URL",
    "W_NAME_COLLISION": "with a name that another one has; both were kept",
    "W_TIME_UNKNOWN": "with a time that was not understood",
    "W_SPLIT_UNKNOWN": "with a split that is none of train, validation and test; it counts as not given",
    "W_ANIMATED_FIRST_FRAME": "of several frames; the first was taken",
    "W_EXIF_ROTATED": "turned upright as its EXIF says",
    "W_ALPHA": "with transparency, shown on white",
    "W_CMYK": "in the colours of print (CMYK), converted",
    "W_16BIT": "of 16 bits, of which 8 were kept",
    "W_FLOAT_SCALED": "of floating-point numbers, scaled to 0..255",
    "W_MODE_CONVERTED": "with a palette or another colour mode, converted",
}
"""By code: what is said of "3 pictures ..."; what a person should look at first, routine conversions last."""


def noticed(all_warnings: Iterable[Iterable[str]]) -> list[tuple[str, int, str]]:
    """(code, number of pictures, what is said of them) for the warnings of all pictures, most important first.

    >>> noticed([("W_ALPHA", "W_GPS"), ("W_ALPHA",)])[1]
    ('W_ALPHA', 2, 'with transparency, shown on white')
    """
    counts = Counter(code for warnings in all_warnings for code in set(warnings))
    order = {code: place for place, code in enumerate(NOTICED)}
    ordered = sorted(counts, key=lambda code: (order.get(code, -1), code))
    return [(code, counts[code], NOTICED.get(code, "with something odd about the annotation")) for code in ordered]
