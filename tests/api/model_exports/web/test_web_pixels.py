"""The page's own decoding and resizing, in Chromium, against Winnow's: the same pixels to the last bit, or none."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.inputs import Fit, InputSpec, to_input

from .serving import PAGE, Watched, blank, files_of

# In the page: the SHA-256 of the pixels and of the model's input, or the sentence with which a file is refused.
READ = """async ([names, side, fit]) => {
    const { readPicture } = await import("/page/pictures/picture.js");
    const { toSquare } = await import("/page/pictures/resize.js");
    const { Refusal } = await import("/page/pictures/refusal.js");
    const digest = async (bytes) => {
        const found = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
        return [...found].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    };
    const found = {};
    for (const name of names) {
        const bytes = new Uint8Array(await (await fetch("/files/" + encodeURIComponent(name))).arrayBuffer());
        try {
            const { pixels, width, height } = await readPicture(bytes, side);
            const square = toSquare(pixels, width, height, side, fit);
            found[name] = [width, height, await digest(pixels), await digest(square)];
        } catch (error) {
            found[name] = error instanceof Refusal ? error.message : "CRASH: " + error.stack;
        }
    }
    return found;
}"""

# A browser that wants nobody to be known again: one bit of what a canvas gives is another one.
SPOIL = """(name) => {
    const asked = OffscreenCanvasRenderingContext2D.prototype[name];
    OffscreenCanvasRenderingContext2D.prototype[name] = function (...where) {
        const got = asked.apply(this, where);
        got.data[8] ^= 1;
        return got;
    };
}"""


@pytest.fixture
def read_in_page(look_at: Callable[..., Watched]) -> Callable[..., dict[str, Any]]:
    """Reads files by name in the page: what READ gives for each."""
    pictures: dict[str, bytes] = {}
    page = files_of(PAGE)

    def at(path: str) -> bytes | None:
        if path == "index.html":
            return blank()
        return pictures.get(path.removeprefix("files/")) if path.startswith("files/") else page(path)

    window = look_at(at)
    window.page.goto(window.origin)

    def read(files: dict[str, bytes], side: int, fit: Fit = "squash", *, spoil: str | None = None) -> dict[str, Any]:
        pictures.update(files)
        if spoil is not None:
            window.page.evaluate(SPOIL, spoil)
        return window.page.evaluate(READ, [list(files), side, fit])

    return read


def winnows(data: bytes, side: int, fit: Fit = "squash") -> list[Any] | None:
    """What READ should give; None where Winnow reads no picture."""
    try:
        pixels = decode(data, at_least_px=side).pixels
    except UnreadablePictureError:
        return None
    square = to_input(pixels, InputSpec(side, fit))
    digests = [hashlib.sha256(np.ascontiguousarray(one).tobytes()).hexdigest() for one in (pixels, square)]
    return [pixels.shape[1], pixels.shape[0], *digests]


def differing(files: dict[str, bytes], found: dict[str, Any], side: int, fit: Fit = "squash") -> list[str]:
    """Names of files that the page reads, and reads otherwise than Winnow, or fails to refuse in a sentence."""
    read = [name for name, what in found.items() if not isinstance(what, str)]
    crashed = [f"{name}: {what}" for name, what in found.items() if isinstance(what, str) and what.startswith("CRASH")]
    return crashed + [name for name in read if found[name] != winnows(files[name], side, fit)]


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def photograph(width: int, height: int, seed: int = 0) -> Image.Image:
    """Something with smooth parts, edges and noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(x / (3 + i) + i) * np.cos(y / (5 + 2 * i)) for i in range(3)]
    pixels = np.stack(waves, axis=2) + rng.normal(0, 12, (height, width, 3)) + 60 * ((x + y) % 37 < 9)[..., None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


# Every orientation and kind of colours that the corpus has; the page may not get around any by refusing it.
ACCEPTED = (
    *(f"exif-orientation/{side}_{i}.jpg" for side, some in (("Landscape", "024"), ("Portrait", "01238")) for i in some),
    *(f"generated/orient_{i}.jpg" for i in (2, 3, 4, 7, 8)),
    *(f"pillow/hopper_orientation_{i}.jpg" for i in (3, 4, 5, 7, 8)),
    *(f"generated/{name}" for name in ("mode_1.png", "mode_L.jpg", "mode_LA.png", "mode_P.png", "mode_P_trns.png")),
    *(
        f"generated/{name}"
        for name in ("gray16.png", "rgb16.png", "rgba_fully_transparent.png", "cmyk.jpg", "ycbcr.jpg")
    ),
    *(
        f"generated/{name}"
        for name in ("anim.gif", "webp_named.jpeg", "gif_named.jpg", "bmp_named.jpg", "exif_gps.jpg")
    ),
    *(f"pillow/hopper_orientation_{i}.webp" for i in (2, 3, 4, 5, 6, 8)),
    *(f"pillow/{name}" for name in ("xmp_tags_orientation.png", "exif_imagemagick_orientation.png", "hopper.gif")),
)


def test_of_the_corpus_it_reads_each_picture_as_winnow_does_or_refuses_it(
    read_in_page: Callable[..., dict[str, Any]], test_data: Path
):
    corpus = test_data / "badinput" / "images"
    kinds = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".mpo")
    small = [path for path in sorted(corpus.rglob("*")) if path.suffix in kinds and path.stat().st_size < 40_000]
    # Of the fuzzed ones, which are refused almost all, only some.
    chosen = [path for i, path in enumerate(small) if path.parent.name != "libjpeg-fuzz" or i % 10 == 0]
    names = {*ACCEPTED, *(path.relative_to(corpus).as_posix() for path in chosen)}
    files = {name: (corpus / name).read_bytes() for name in sorted(names)}
    found = read_in_page(files, 32)
    assert not differing(files, found, 32)
    assert not [(name, found[name]) for name in ACCEPTED if isinstance(found[name], str)]
    sentences = [what for what in found.values() if isinstance(what, str)]
    assert all(what.endswith(".") and len(what) < 200 for what in sentences)


def test_each_kind_of_jpeg_is_read_at_each_reduction(read_in_page: Callable[..., dict[str, Any]]):
    files: dict[str, bytes] = {}
    for i, (width, height) in enumerate([(97, 61), (61, 97), (64, 64), (200, 33)]):
        picture = photograph(width, height, i)
        for sampling in ("4:4:4", "4:2:2", "4:2:0"):
            for is_progressive in (False, True):
                name = f"{width}x{height} {sampling} {is_progressive}"
                files[name] = encoded(picture, "JPEG", subsampling=sampling, progressive=is_progressive, quality=75)
        files[f"{i} restarts"] = encoded(picture, "JPEG", restart_marker_blocks=3, quality=30)
        files[f"{i} grey"] = encoded(picture.convert("L"), "JPEG", quality=90)
        files[f"{i} inks"] = encoded(picture.convert("CMYK"), "JPEG")
        files[f"{i} plain RGB"] = encoded(picture, "JPEG", keep_rgb=True)
    for reduction in (1, 2, 4, 8):
        side = 33 // reduction
        found = read_in_page(files, side, "crop")
        assert not [what for what in found.values() if isinstance(what, str)]
        assert not differing(files, found, side, "crop")


def test_pictures_of_all_proportions_are_resized_as_pillow_does(read_in_page: Callable[..., dict[str, Any]]):
    sizes = [(1, 1), (3, 200), (200, 3), (24, 24), (48, 24), (24, 48), (100, 36), (36, 100), (23, 25), (300, 220)]
    files = {f"{width}x{height}": encoded(photograph(width, height), "PNG") for width, height in sizes}
    fits: tuple[Fit, Fit] = ("squash", "crop")
    for fit in fits:
        assert not differing(files, read_in_page(files, 24, fit), 24, fit)


def test_of_webp_files_only_what_a_browser_gives_exactly_is_read(read_in_page: Callable[..., dict[str, Any]]):
    picture = photograph(90, 50)
    turned = Image.Exif()
    turned[0x0112] = 6
    files = {
        "lossy": encoded(picture, "WEBP", quality=70),
        "lossless": encoded(picture, "WEBP", lossless=True),
        "turned": encoded(picture, "WEBP", exif=turned),
        "with a profile": encoded(picture, "WEBP", lossless=True, icc_profile=_another_profile()),
        "transparent": encoded(picture.convert("RGBA").rotate(10, expand=True), "WEBP"),
        "animated": encoded(picture, "WEBP", save_all=True, append_images=[photograph(90, 50, 1)]),
    }
    found = read_in_page(files, 24)
    assert not differing(files, found, 24)
    assert {name for name, what in found.items() if isinstance(what, str)} == {"transparent", "animated"}
    assert found["transparent"] == "WebP files with transparency are not read here: save it as PNG."


def test_no_damaged_file_gets_another_answer_than_winnows(read_in_page: Callable[..., dict[str, Any]]):
    rng = np.random.default_rng(22)
    small = photograph(37, 29)
    whole = [encoded(small, "JPEG", quality=30), encoded(small, "JPEG", progressive=True, subsampling="4:2:0")]
    whole += [encoded(small.convert("P"), "PNG"), encoded(small.convert("LA"), "PNG"), encoded(small, "GIF")]
    files: dict[str, bytes] = {}
    for i in range(200):
        data = bytearray(whole[i % len(whole)])
        for place in rng.integers(len(data) if i % 3 else 200, size=2):
            data[place] = rng.integers(256)
        files[f"{i}"] = bytes(data)
    found = read_in_page(files, 12)
    assert not differing(files, found, 12)
    assert 20 < sum(isinstance(what, str) for what in found.values()) < 190


def test_a_browser_that_changes_what_a_canvas_gives_gets_no_webp(read_in_page: Callable[..., dict[str, Any]]):
    picture = photograph(40, 30)
    files = {"webp": encoded(picture, "WEBP"), "png": encoded(picture, "PNG")}
    found = read_in_page(files, 24, spoil="getImageData")
    assert found["webp"] == "This browser gives pages changed pixels of WebP files: save the picture as JPEG or PNG."
    assert found["png"] == winnows(files["png"], 24)


def _another_profile() -> bytes:
    """A colour profile that would change every pixel if it were applied: sRGB with red and blue exchanged."""
    from PIL import ImageCms

    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.find(b"rXYZ"), profile.find(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


def test_what_is_no_picture_is_refused_with_what_to_do(read_in_page: Callable[..., dict[str, Any]]):
    picture = photograph(40, 30)
    whole = encoded(picture, "JPEG")
    files = {
        "empty": b"",
        "text": b"hello, world",
        "tiff": encoded(picture, "TIFF"),
        "cut": whole[: len(whole) // 2],
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "huge": b"\x89PNG\r\n\x1a\n" + _chunk_of_a_huge_png(),
    }
    found = read_in_page(files, 24)
    assert found == {
        "empty": "The file is empty: copy it again from where it came.",
        "text": "This is no picture that is read here: choose a JPEG, PNG, WebP, GIF or BMP file.",
        "tiff": "TIFF files are not read in this page: save the picture as JPEG or PNG.",
        "cut": "The JPEG file is damaged or was cut off: copy it again, or save it anew.",
        "svg": "Drawings (SVG) are not read in this page: save the picture as JPEG or PNG.",
        "huge": "The picture has 65535 x 65535 pixels, more than the 64 million that are read: save it smaller.",
    }, json.dumps(found, indent=1)


def _chunk_of_a_huge_png() -> bytes:
    import zlib

    body = b"IHDR" + (65535).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return (13).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
