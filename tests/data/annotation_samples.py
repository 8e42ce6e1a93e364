"""One small sound sample of every annotation format: the pictures that lie beside it and what is said of them.

Each tells the same: of a.jpg (96 x 72) that there is a cat at (10, 20), 30 wide and 40 high; of b.jpg that there is a
dog at (0, 0), 48 x 36. Formats are written by hand, after their documentation.
"""

from __future__ import annotations

from typing import Any

from .annotations import HEIGHT, WIDTH, coco

CAT = ("cat", 10.0, 20.0, 30.0, 40.0)
DOG = ("dog", 0.0, 0.0, 48.0, 36.0)
THINGS = {"a.jpg": CAT, "b.jpg": DOG}


def _coco() -> Any:
    return coco(
        annotations=[
            {"id": i, "image_id": i, "category_id": i, "bbox": list(thing[1:]), "area": 1.0, "iscrowd": 0}
            for i, thing in enumerate((CAT, DOG), start=1)
        ]
    )


def _create_ml() -> Any:
    return [
        {"image": name, "annotations": [{"label": label, "coordinates": _centred(*sides)}]}
        for name, (label, *sides) in THINGS.items()
    ]


def _centred(x: float, y: float, width: float, height: float) -> dict[str, float]:
    return {"x": x + width / 2, "y": y + height / 2, "width": width, "height": height}


def vertex_line(name: str, thing: tuple[str, float, float, float, float], use: str = "training") -> dict[str, Any]:
    label, x, y, width, height = thing
    corners = {"xMin": x / WIDTH, "yMin": y / HEIGHT, "xMax": (x + width) / WIDTH, "yMax": (y + height) / HEIGHT}
    return {
        "imageGcsUri": f"gs://bucket/photos/{name}",
        "boundingBoxAnnotations": [{"displayName": label, **corners}],
        "dataItemResourceLabels": {"aiplatform.googleapis.com/ml_use": use},
    }


def _azure() -> Any:
    return [
        {
            "id": name.removesuffix(".jpg"),
            "width": WIDTH,
            "height": HEIGHT,
            "originalImageUri": f"https://x.blob.core.windows.net/m-1/o-{name.removesuffix('.jpg')}?sv=2017",
            "tags": [{"tagId": f"t-{label}", "tagName": label, "created": "2024-01-01T00:00:00Z"}],
            "regions": [
                {"regionId": "r", "tagName": label, "tagId": f"t-{label}", "left": x / WIDTH, "top": y / HEIGHT,
                 "width": width / WIDTH, "height": height / HEIGHT}
            ],
        }
        for name, (label, x, y, width, height) in THINGS.items()
    ]  # fmt: skip


def rectangle(label: str, x: float, y: float, width: float, height: float) -> dict[str, Any]:
    """A Label Studio value: percent of the picture."""
    sides = {"x": 100 * x / WIDTH, "y": 100 * y / HEIGHT, "width": 100 * width / WIDTH, "height": 100 * height / HEIGHT}
    return {**sides, "rotation": 0, "rectanglelabels": [label]}


def _label_studio() -> Any:
    return [
        {
            "id": number,
            "data": {"image": f"/data/upload/1/0a1b2c3d-{name}"},
            "annotations": [
                {
                    "id": number,
                    "was_cancelled": False,
                    "updated_at": "2024-01-01T00:00:00Z",
                    "result": [
                        {"type": "rectanglelabels", "original_width": WIDTH, "original_height": HEIGHT,
                         "value": rectangle(*thing)}
                    ],
                }
            ],
        }
        for number, (name, thing) in enumerate(THINGS.items(), start=1)
    ]  # fmt: skip


def _label_studio_min() -> Any:
    return [
        {"image": f"/data/local-files/?d=photos%2F{name}", "id": number, "annotator": 1, "annotation_id": number,
         "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z", "lead_time": 1.5,
         "label": [{**rectangle(*thing), "original_width": WIDTH, "original_height": HEIGHT}]}
        for number, (name, thing) in enumerate(THINGS.items(), start=1)
    ]  # fmt: skip


def voc(name: str, label: str, x: float, y: float, width: float, height: float) -> str:
    """Pascal VOC counts from 1, and its last pixel belongs to the box."""
    return (
        f"<annotation><folder>x</folder><filename>{name}</filename>"
        f"<size><width>{WIDTH}</width><height>{HEIGHT}</height><depth>3</depth></size>"
        f"<object><name>{label}</name><difficult>0</difficult><bndbox><xmin>{x + 1:g}</xmin><ymin>{y + 1:g}</ymin>"
        f"<xmax>{x + width:g}</xmax><ymax>{y + height:g}</ymax></bndbox></object></annotation>"
    )


def _cvat() -> str:
    images = "".join(
        f'<image id="{number}" name="{name}" width="{WIDTH}" height="{HEIGHT}">'
        f'<box label="{label}" occluded="0" xtl="{x}" ytl="{y}" xbr="{x + width}" ybr="{y + height}" z_order="0"/>'
        "</image>"
        for number, (name, (label, x, y, width, height)) in enumerate(THINGS.items())
    )
    meta = "<meta><task><labels><label><name>cat</name></label></labels></task></meta>"
    return f'<?xml version="1.0" encoding="utf-8"?><annotations><version>1.1</version>{meta}{images}</annotations>'


def yolo(number: int, _label: str, x: float, y: float, width: float, height: float) -> str:
    """Class, centre and size as shares of the picture."""
    cx, cy = (x + width / 2) / WIDTH, (y + height / 2) / HEIGHT
    return f"{number} {cx:.8f} {cy:.8f} {width / WIDTH:.8f} {height / HEIGHT:.8f}\n"


# Format -> the files of the annotations by path. Files of JSON are values.
SAMPLES: dict[str, dict[str, Any]] = {
    "coco": {"instances.json": _coco()},
    "create_ml": {"annotations.json": _create_ml()},
    "azure": {"images.json": _azure()},
    "label_studio": {"export.json": _label_studio()},
    "label_studio_min": {"export.json": _label_studio_min()},
    "vertex_list": {"export.json": [vertex_line(name, thing) for name, thing in THINGS.items()]},
    "voc": {f"{name[0]}.xml": voc(name, *thing) for name, thing in THINGS.items()},
    "cvat": {"annotations.xml": _cvat()},
    "yolo": {
        "a.txt": yolo(0, *CAT),
        "b.txt": yolo(1, *DOG),
        "data.yaml": "train: .\nval: .\nnc: 2\nnames:\n  0: cat\n  1: dog\n",
    },
}
