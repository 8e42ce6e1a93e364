"""May pictures be mirrored without becoming something else?"""

from __future__ import annotations

from collections.abc import Sequence

_SIDES = ("left", "right")


def may_be_mirrored(classes: Sequence[str], *, is_grey: bool) -> bool:
    """Whether left and right may be exchanged in pictures of these classes.

    Not where a class is a single letter or digit, or names a side ("left-hand"); nor where no picture has colours:
    writing, signs and X-rays are grey, and most photographs are not. A network that is never shown mirror images
    loses little; one that is taught that b is d loses much.
    """
    names = [name.casefold() for name in classes]
    has_sign = any(len(name) == 1 or name.isdigit() for name in names)
    has_side = any(side in name for side in _SIDES for name in names)
    return not (is_grey or has_sign or has_side)
