"""The embedded example: 1,797 real handwritten digits, as a folder of class folders of PNGs.

Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, as
scikit-learn ships it: 8 x 8 pixels, 0 (paper) to 16 (ink).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from winnow.data.pixels import encode_png
from winnow.data.whole_files import disk_errors, write_whole

_INK = 16


def write_digits(folder: Path) -> Path:
    """Write `folder`/0/0000.png to `folder`/9/1796.png (numbered as in scikit-learn) and give the folder.

    Raises:
        WorkspaceError: no space, no permission.
    """
    from sklearn.datasets import load_digits  # a second that whoever imports their own pictures need not wait

    images, targets = load_digits(return_X_y=True)
    grey = np.rint(images.reshape(-1, 8, 8, 1) * (255 / _INK)).astype(np.uint8)
    with disk_errors("write", folder):
        for digit in range(10):
            (folder / str(digit)).mkdir(parents=True, exist_ok=True)
        for i, (picture, digit) in enumerate(zip(grey, targets.tolist(), strict=True)):
            pixels = np.repeat(picture, 3, axis=2)
            write_whole(folder / str(digit) / f"{i:04}.png", encode_png(pixels), is_durable=False)
    return folder
