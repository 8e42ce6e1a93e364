"""What the first bytes of a file say it is: the formats we read, and those we know well enough to name.

Only the formats of `FORMATS` ever reach a decoder. The others are named by their signature alone, so that a
person learns "save it as PNG" instead of "not a picture", and no rarely tested decoder sees hostile bytes.
"""

from __future__ import annotations

from PIL import features

FORMATS: tuple[str, ...] = (
    "JPEG",
    "PNG",
    "WEBP",
    "BMP",
    "GIF",
    "TIFF",
    *(("AVIF",) if features.check("avif") else ()),
)

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),  # BigTIFF
    (b"MM\0+", "TIFF"),
)
_AVIF_BRANDS = (b"avif", b"avis")

_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"8BPS", "Photoshop"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"\0\0\1\0", "Windows icon"),
    (b"\0\0\2\0", "Windows cursor"),
    (b"icns", "Mac icon"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"BLP1", "BLP"),
    (b"BLP2", "BLP"),
    (b"FTC\0", "FTEX"),
    (b"FTU\0", "FTEX"),
    (b"SIMPLE  =", "FITS"),
    (b"\x01\xda", "SGI"),
    (b"\x59\xa6\x6a\x95", "Sun raster"),
    (b"/* XPM */", "XPM"),
    (b"P7 332", "XV thumbnail"),
    (b"\xd7\xcd\xc6\x9a", "Windows metafile"),
    (b"\x01\0\0\0", "Windows metafile"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"GRIB", "GRIB"),
    (b"BUFR", "BUFR"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
    (b"Image type:", "IM"),
    (b"DanM", "MSP"),
    (b"LinS", "MSP"),
    (b"\x80\xe8\0\0", "Pixar"),
    (b"\xb1\x68\xde\x3a", "DCX"),
    (b"\0\0\1\xb3", "MPEG"),
    (b"\0\0\0\0\0\0\0\4", "McIDAS"),
)
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def format_of(data: bytes) -> str | None:
    """The format (one of `FORMATS`) whose signature `data` begins with, or None."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and "AVIF" in FORMATS and _has_brand(data, _AVIF_BRANDS):
        return "AVIF"
    return next((name for prefix, name in _PREFIXES if data.startswith(prefix)), None)


def as_a_format_we_refuse(data: bytes) -> str | None:
    """The name of a picture format that is known by its signature but not read, or None."""
    if data[4:8] == b"ftyp" and _has_brand(data, _HEIF_BRANDS + _AVIF_BRANDS):
        return "HEIF"
    if _is_svg(data):
        return "SVG"
    if data[:1] == b"P" and data[1:2] in b"1234567fFy" and data[2:3].isspace():
        return "PPM"
    if data[:1] == b"\n" and data[1:2] in b"\0\2\3\5" and data[2:3] == b"\1":
        return "PCX"
    if data[4:6] in (b"\x11\xaf", b"\x12\xaf") and data[14:16] in (b"\0\0", b"\3\0"):
        return "FLI"
    if data[2048:2052] == b"PCD_":
        return "Photo CD"
    if data[-18:] == b"TRUEVISION-XFILE.\0":
        return "TGA"
    return next((name for prefix, name in _REFUSED if data.startswith(prefix)), None)


def _has_brand(data: bytes, brands: tuple[bytes, ...]) -> bool:
    """The 'ftyp' box (ISO/IEC 14496-12, 4.3): a major brand at byte 8, compatible ones from byte 16."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    named = [data[8:12], *(data[i : i + 4] for i in range(16, size, 4))]
    return any(brand in brands for brand in named)


def _is_svg(data: bytes) -> bool:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!doctype svg")) and b"<svg" in start)
