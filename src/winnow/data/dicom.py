"""DICOM, the format of medical scanners: one picture as its window shows it. Needs the extra `dicom`.

Grey values pass through the modality's own scale (CT: Hounsfield units) and then through the first window (VOI LUT)
that the file names, so that a person sees what the scanner showed; without a window they go from the smallest to the
largest value. MONOCHROME1 (white is low) is turned. Of several frames the first is taken. Who the patient is, is never
read.

Source: DICOM PS3.3, sections C.7.6.3.1.2, C.11.1 and C.11.2.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from winnow.errors import need

MOST_FILE_BYTES = 512 << 20


@dataclass(frozen=True, slots=True)
class DicomPicture:
    """What was read: (H, W, 3) RGB, the codes of what was done, and when it was taken (ISO 8601) or None."""

    pixels: NDArray[np.uint8]
    warnings: tuple[str, ...]
    taken: str | None


def is_dicom(data: bytes) -> bool:
    """Does a file begin as PS3.10, section 7.1 says?"""
    return data[128:132] == b"DICM"


def read_dicom(data: bytes, most_pixels: int) -> DicomPicture:
    """The picture of a DICOM file.

    Args:
        data: the whole file.
        most_pixels: a larger one raises MemoryError before anything is decoded.

    Raises:
        MissingExtraError: pydicom is not installed.
        MemoryError: it is too large.
        Exception: pydicom answers damaged files with almost anything.
    """
    pydicom = need("pydicom", extra="dicom", to="read DICOM pictures")
    pixels = need("pydicom.pixels", extra="dicom", to="read DICOM pictures")
    dataset = pydicom.dcmread(io.BytesIO(data))
    if int(dataset.Rows) * int(dataset.Columns) > most_pixels:
        raise MemoryError(f"{dataset.Rows} x {dataset.Columns} pixels")
    warnings: list[str] = []
    is_one = int(dataset.get("NumberOfFrames", 1) or 1) == 1
    if not is_one:
        warnings.append("W_ANIMATED_FIRST_FRAME")
    values = pixels.pixel_array(dataset, index=0)
    kind = str(dataset.PhotometricInterpretation)
    if kind == "PALETTE COLOR":
        values = pixels.apply_color_lut(values, dataset)
        warnings.append("W_MODE_CONVERTED")
    if values.ndim == 2:
        grey, codes = _grey(values, dataset, pixels)
        return DicomPicture(np.repeat(grey[:, :, None], 3, axis=2), (*warnings, *codes), _taken(dataset))
    if values.dtype != np.uint8:
        bits = int(dataset.get("BitsStored", 16)) if kind != "PALETTE COLOR" else 16
        values = np.rint(values.astype(np.float64) * (255 / (2**bits - 1))).clip(0, 255).astype(np.uint8)
        warnings.append("W_16BIT")
    return DicomPicture(np.ascontiguousarray(values[..., :3]), tuple(warnings), _taken(dataset))


def _grey(values: NDArray[Any], dataset: Any, pixels: Any) -> tuple[NDArray[np.uint8], list[str]]:
    has_window = "WindowCenter" in dataset or "VOILUTSequence" in dataset
    shown = pixels.apply_modality_lut(values, dataset)
    if has_window:
        shown = pixels.apply_voi_lut(shown, dataset, index=0)
    shown = np.asarray(shown, dtype=np.float64)
    low, high = float(shown.min()), float(shown.max())
    if values.dtype == np.uint8 and not has_window:
        low, high = 0.0, 255.0
    grey = np.rint((shown - low) * (255 / (high - low if high > low else 1.0))).clip(0, 255).astype(np.uint8)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    return grey, [] if values.dtype == np.uint8 else ["W_16BIT"]


def _taken(dataset: Any) -> str | None:
    """Acquisition's or study's date and time, "20261121" and "100000.5"."""
    for kind in ("Acquisition", "Study"):
        day, clock = str(dataset.get(f"{kind}Date", "")), str(dataset.get(f"{kind}Time", "")).partition(".")[0]
        if len(day) == 8 and day.isdigit():
            clock = clock if len(clock) == 6 and clock.isdigit() else "000000"
            return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"
    return None
