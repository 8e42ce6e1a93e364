"""What the first bytes of a file say it is: the formats we read, and common ones that nothing here can read.

Only the formats of `FORMATS` ever reach a decoder of pixels.
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

_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


def format_of(data: bytes) -> str | None:
    """The format (one of `FORMATS`) whose signature `data` begins with, or None."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and "AVIF" in FORMATS and _has_brand(data, _AVIF_BRANDS):
        return "AVIF"
    return next((name for prefix, name in _PREFIXES if data.startswith(prefix)), None)


def named_without_decoder(data: bytes) -> str | None:
    """The name of a common picture format that Pillow knows nothing of, or None."""
    if data[4:8] == b"ftyp" and _has_brand(data, _HEIF_BRANDS + _AVIF_BRANDS):
        return "HEIF"
    if data.startswith((b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")):
        return "JPEG XL"
    return "SVG" if _is_svg(data) else None


def _has_brand(data: bytes, brands: tuple[bytes, ...]) -> bool:
    """The 'ftyp' box (ISO/IEC 14496-12, 4.3): a major brand at byte 8, compatible ones from byte 16."""
    size = min(int.from_bytes(data[:4], "big"), 256)
    named = [data[8:12], *(data[i : i + 4] for i in range(16, size, 4))]
    return any(brand in brands for brand in named)


def _is_svg(data: bytes) -> bool:
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in start)
