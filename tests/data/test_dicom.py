"""DICOM pictures look as the scanner showed them; pydicom's own sample files are the witnesses."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path

import numpy as np
import pytest

from winnow.data import decode as decoding
from winnow.data.decode import UnreadablePictureError, decode
from winnow.errors import MissingExtraError

pydicom = pytest.importorskip("pydicom", reason="needs the extra 'dicom'")
SAMPLES = Path(pydicom.__file__).parent / "data" / "test_files"


def sample(name: str) -> bytes:
    """A file that comes with pydicom."""
    return (SAMPLES / name).read_bytes()


def test_a_scan_is_grey_and_uses_the_whole_range():
    picture = decode(sample("CT_small.dcm"))
    assert picture.pixels.shape == (128, 128, 3)
    assert (picture.pixels[..., 0] == picture.pixels[..., 2]).all()
    assert (picture.pixels.min(), picture.pixels.max()) == (0, 255)
    assert (picture.format, picture.warnings) == ("DICOM", ("W_16BIT",))


def test_the_date_of_the_scan_is_kept():
    assert decode(sample("CT_small.dcm")).taken == "1997-04-30T11:29:36"


def test_the_same_scan_in_another_packing_is_the_same_picture():
    assert np.array_equal(decode(sample("MR_small.dcm")).pixels, decode(sample("MR_small_RLE.dcm")).pixels)
    assert np.array_equal(decode(sample("MR_small.dcm")).pixels, decode(sample("MR_small_bigendian.dcm")).pixels)


def test_brighter_tissue_is_brighter_and_monochrome1_is_turned():
    dataset = pydicom.dcmread(SAMPLES / "CT_small.dcm")
    values = dataset.pixel_array.astype(float)
    shown = decode(sample("CT_small.dcm")).pixels[..., 0].astype(float)
    assert np.corrcoef(values.ravel(), shown.ravel())[0, 1] > 0.9
    dataset.PhotometricInterpretation = "MONOCHROME1"
    turned = decoding.decode(_bytes_of(dataset)).pixels[..., 0]
    assert np.array_equal(turned, 255 - shown)


def test_a_window_hides_what_lies_outside():
    dataset = pydicom.dcmread(SAMPLES / "CT_small.dcm")
    dataset.WindowCenter, dataset.WindowWidth = 40, 80  # a brain window, in Hounsfield units
    hounsfield = dataset.pixel_array * float(dataset.RescaleSlope) + float(dataset.RescaleIntercept)
    shown = decode(_bytes_of(dataset)).pixels[..., 0]
    assert (shown[hounsfield < 0] == 0).all()
    assert (shown[hounsfield > 81] == 255).all()


@pytest.mark.parametrize(("side_px", "code"), [(4, "W_TINY"), (32, "W_CONSTANT")])
def test_a_scan_with_little_to_see_says_so_as_any_picture_does(side_px, code):
    dataset = pydicom.dcmread(SAMPLES / "CT_small.dcm")
    dataset.Rows = dataset.Columns = side_px
    dataset.PixelData = bytes(2 * side_px**2)
    assert decode(_bytes_of(dataset)).warnings == ("W_16BIT", code)


def test_colours_come_through():
    picture = decode(sample("SC_rgb_rle.dcm"))
    assert np.array_equal(picture.pixels, pydicom.dcmread(SAMPLES / "SC_rgb_rle.dcm").pixel_array)


def test_of_several_frames_the_first_is_taken():
    picture = decode(sample("SC_rgb_rle_2frame.dcm"))
    assert "W_ANIMATED_FIRST_FRAME" in picture.warnings
    assert np.array_equal(picture.pixels, pydicom.dcmread(SAMPLES / "SC_rgb_rle_2frame.dcm").pixel_array[0])


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.dcm")), ids=lambda path: path.name)
def test_every_sample_gives_a_picture_or_a_sentence(path: Path):
    with contextlib.suppress(UnreadablePictureError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pixels = decode(path.read_bytes()).pixels
        assert pixels.ndim == 3
        assert pixels.dtype == np.uint8


def test_without_the_extra_the_sentence_says_how_to_get_it(monkeypatch):
    def missing(*_: object) -> None:
        raise MissingExtraError("To read DICOM pictures, install the extra 'dicom': pip install 'winnow[dicom]'.")

    monkeypatch.setattr(decoding, "read_dicom", missing)
    with pytest.raises(UnreadablePictureError, match=r"pip install 'winnow\[dicom\]'"):
        decode(sample("CT_small.dcm"))


def _bytes_of(dataset: pydicom.Dataset) -> bytes:
    buffer = pydicom.filebase.DicomBytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()
