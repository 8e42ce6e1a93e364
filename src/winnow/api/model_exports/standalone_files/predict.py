"""Answer for pictures: python predict.py PICTURE_OR_FOLDER... prints a line of JSON a picture.

Needs onnxruntime, Pillow and numpy, and the files model.onnx and winnow.json beside this one. Formats, turning upright,
transparency and resizing are those of Winnow, which made the model, so that the answers are the same.
"""

import json
import os
import signal
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read by onnxruntime when it is imported
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image, features

HERE = Path(__file__).resolve().parent
FACTS = json.loads((HERE / "winnow.json").read_text(encoding="utf-8"))
CLASSES, THRESHOLDS = FACTS["classes"], FACTS.get("thresholds")
SIDE, FIT = FACTS["input"]["side_px"], FACTS["input"]["fit"]
SESSION = onnxruntime.InferenceSession(str(HERE / "model.onnx"), providers=["CPUExecutionProvider"])
FORMATS = ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", *(["AVIF"] if features.check("avif") else [])]
MOST_PIXELS = 64 * 1024 * 1024
TURNS = ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
UPRIGHT = dict(enumerate(TURNS, start=2))  # EXIF orientation to what turns it upright; 1 is upright already
warnings.filterwarnings("ignore", module=r"PIL(\.|$)")


def predict(file: Path) -> dict[str, Any]:
    """What the model answers for a picture file, as a dictionary; raises if it cannot be read."""
    probs = np.asarray(SESSION.run(None, {SESSION.get_inputs()[0].name: read(file)[None]})[0])[0]
    answers: dict[str, float] = {CLASSES[place]: float(probs[place]) for place in np.argsort(-probs, kind="stable")}
    if THRESHOLDS is None:
        labels = [next(iter(answers))]
    else:  # any number of classes: all that reach their threshold
        enough = dict(zip(CLASSES, THRESHOLDS, strict=True))
        labels = [name for name, prob in answers.items() if prob >= enough[name]]
    label, prob = (labels[0], answers[labels[0]]) if len(labels) == 1 else (None, None)
    return {"label": label, "labels": labels, "prob": prob, "probs": answers}


def read(file: Path) -> NDArray[np.uint8]:
    """A picture as the model sees it: (SIDE, SIDE, 3) RGB, 0 to 255."""
    with Image.open(file, formats=FORMATS) as image:
        if image.width * image.height > MOST_PIXELS:
            raise ValueError(f"{image.width} x {image.height} pixels are too many")
        if image.format in ("JPEG", "MPO"):
            image.draft(None, (SIDE, SIDE))  # decoded at the scale that is just enough
        packed = image.tile[0][3] if image.format == "PNG" and image.tile else None
        image.load()
        scale_transparent_colour(image, packed)
        try:
            turn = UPRIGHT.get(image.getexif().get(0x0112, 1))
        except Exception:  # damaged metadata costs nothing but itself
            turn = None
        upright = image.transpose(Image.Transpose[turn]) if turn else image
        return fit(rgb(upright, getattr(image, "tag_v2", {})))


def scale_transparent_colour(image: Image.Image, packed: Any) -> None:
    """Pillow gives the pixels of a PNG in 8 bits, but the one colour that is transparent in those of the file."""
    colour = image.info.get("transparency")
    if packed in ("L;2", "L;4") and isinstance(colour, int):
        most = {"L;2": 3, "L;4": 15}[packed]
        image.info["transparency"] = (colour & most) * 255 // most
    elif packed == "RGB;16B" and isinstance(colour, tuple):
        image.info["transparency"] = tuple(part >> 8 for part in colour)


def rgb(image: Image.Image, tiff_tags: Mapping[int, Any]) -> NDArray[np.uint8]:
    """(H, W, 3) of an image in any mode: transparency on white, 16 bits as value / 257, colour profiles not applied."""
    if image.mode == "F" or image.mode.startswith("I"):
        values = np.asarray(image)
        if values.dtype == np.int32 and tiff_tags.get(258) == (32,) and tiff_tags.get(339, (1,)) == (1,):
            values = values.view(np.uint32)  # Pillow has no mode for integers of 32 bits without a sign
        pixels = eight_bits(values)
        if tiff_tags.get(262) == 0:  # the least value is white
            pixels = 255 - pixels
        if isinstance(transparent := image.info.get("transparency"), int):
            pixels[values == transparent] = 255
    elif image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        pixels = np.asarray(white)
    else:
        mode = "L" if image.mode in ("1", "L") else "RGB"
        pixels = np.asarray(image.convert(mode))
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def eight_bits(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Integers and floats as 0 to 255; those without a fixed range are stretched from the smallest to the largest."""
    if values.dtype == np.uint16:
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = finite.min(), finite.max()
    if values.dtype.kind in "iu" and low >= 0 and high <= 65535:
        finite = finite / 257
    elif low >= 0 and high <= 1:
        finite = finite * 255
    elif low < high and (low < 0 or high > 255):
        finite = (finite - low) * (255 / (high - low))
    return np.rint(finite.clip(0, 255)).astype(np.uint8)


def fit(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resized to the model's square: squashed into it, or its middle cropped."""
    height, width = pixels.shape[:2]
    if (height, width) == (SIDE, SIDE):
        return pixels
    edge = min(height, width)
    left, top = ((width - edge) / 2, (height - edge) / 2) if FIT == "crop" else (0, 0)
    box = (left, top, left + edge, top + edge) if FIT == "crop" else (0, 0, width, height)
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=box))


if __name__ == "__main__":
    if hasattr(signal, "SIGPIPE"):  # end without a word when the reader, such as head, has seen enough
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    given = [Path(word) for word in sys.argv[1:]] or sys.exit(__doc__)
    for path in given:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            try:
                answer = {"source": str(file), **predict(file), "error": None}
            except Exception as error:  # one bad picture costs its own line
                nothing: dict[str, Any] = {"label": None, "labels": [], "prob": None, "probs": {}}
                answer = {"source": str(file), **nothing, "error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)
