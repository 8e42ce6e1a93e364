"""Every kind of source: the same two classes found in each, and clear words where there is nothing."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from winnow.data.decode import decode
from winnow.data.sources import IN_MEMORY, LAYOUTS, open_source
from winnow.data.sources.source import RefusedSourceError
from winnow.errors import BadDataError, NotFoundError

from .finding import found_in, items_in
from .pictures import class_folders, noise

PIXELS = [noise(i) for i in range(4)]
LABELS = ["cat", "dog", "cat", "dog"]


def _files(folder: Path) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i}.png" for i in range(4)]
    for path, pixels in zip(paths, PIXELS, strict=True):
        Image.fromarray(pixels).save(path)
    return paths


def _as_folder(root: Path) -> Path:
    for path, label in zip(_files(root / "files"), LABELS, strict=True):
        (root / "photos" / label).mkdir(parents=True, exist_ok=True)
        path.rename(root / "photos" / label / path.name)
    return root / "photos"


def _as_zip(root: Path) -> Path:
    folder = _as_folder(root)
    with zipfile.ZipFile(root / "photos.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*.png")):
            archive.write(path, path.relative_to(root))
    return root / "photos.zip"


def _as_csv(root: Path) -> Path:
    rows = [f"{path.name},{label}" for path, label in zip(_files(root), LABELS, strict=True)]
    (root / "list.csv").write_text("\n".join(["Filename,Label", *rows]))
    return root / "list.csv"


def _as_pandas(root: Path) -> pd.DataFrame:
    return pd.DataFrame({"path": _files(root), "label": LABELS})


def _as_arrow(root: Path) -> pa.Table:
    return pa.table({"image": [str(path) for path in _files(root)], "class": LABELS})


def _as_parquet(root: Path) -> Path:
    pq.write_table(
        pa.table({"image": [path.read_bytes() for path in _files(root)], "label": LABELS}), root / "t.parquet"
    )
    return root / "t.parquet"


def _as_json_lines(root: Path) -> Path:
    records = [{"img": path.name, "class": label} for path, label in zip(_files(root), LABELS, strict=True)]
    (root / "list.jsonl").write_text("\n".join(map(json.dumps, records)))
    return root / "list.jsonl"


def _as_json_list(root: Path) -> Path:
    records = [{"filepath": path.name, "category": label} for path, label in zip(_files(root), LABELS, strict=True)]
    (root / "list.json").write_text(json.dumps(records))
    return root / "list.json"


def _as_excel(root: Path) -> Path:
    book = openpyxl.Workbook()
    for row in [("Image", "Species"), *((path.name, label) for path, label in zip(_files(root), LABELS, strict=True))]:
        book.active.append(row)
    book.save(root / "list.xlsx")
    return root / "list.xlsx"


def _as_table_folder(root: Path) -> Path:
    rows = [f"{i},{label}" for i, label in enumerate(LABELS)]
    _files(root / "set" / "images")
    (root / "set" / "train.csv").write_text("\n".join(["id,breed", *rows]))
    return root / "set"


def _as_zipped_table_folder(root: Path) -> Path:
    _as_table_folder(root)
    with zipfile.ZipFile(root / "set.zip", "w") as archive:
        for path in sorted((root / "set").rglob("*.*")):
            archive.write(path, path.relative_to(root))
    return root / "set.zip"


def _as_image_folder(root: Path) -> Path:
    records = [{"file_name": path.name, "label": label} for path, label in zip(_files(root), LABELS, strict=True)]
    (root / "metadata.jsonl").write_text("\n".join(map(json.dumps, records)))
    return root


def _as_parquet_folder(root: Path) -> Path:
    names = {"info": {"features": {"label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}}}
    structs = [{"bytes": path.read_bytes(), "path": path.name} for path in _files(root / "files")]
    numbers = [("cat", "dog").index(label) for label in LABELS]
    (root / "set" / "data").mkdir(parents=True)
    for part in range(2):
        table = pa.table({"image": structs[2 * part : 2 * part + 2], "label": numbers[2 * part : 2 * part + 2]})
        table = table.replace_schema_metadata({"huggingface": json.dumps(names)})
        pq.write_table(table, root / "set" / "data" / f"train-0000{part}-of-00002.parquet")
    return root / "set"


def _as_shards(root: Path, suffix: str = "tar", mode: str = "w") -> Path:
    paths = _files(root / "files")
    (root / "set").mkdir()
    for shard in range(2):
        with tarfile.open(root / "set" / f"part-00000{shard}.{suffix}", mode) as tar:
            for i in range(2 * shard, 2 * shard + 2):
                tar.add(paths[i], f"{i:06}.png")
                member = tarfile.TarInfo(f"{i:06}.cls")
                member.size = 3
                tar.addfile(member, io.BytesIO(LABELS[i].encode()))
    return root / "set"


def _as_npz(root: Path) -> Path:
    np.savez(root / "data.npz", X=np.stack(PIXELS), y=np.array(LABELS))
    return root / "data.npz"


SHAPES = {
    "folder": _as_folder,
    "zip": _as_zip,
    "csv": _as_csv,
    "parquet": _as_parquet,
    "pandas": _as_pandas,
    "arrow": _as_arrow,
    "JSON lines": _as_json_lines,
    "JSON list": _as_json_list,
    "excel": _as_excel,
    "folder with table": _as_table_folder,
    "zip with table": _as_zipped_table_folder,
    "image folder": _as_image_folder,
    "parquet folder": _as_parquet_folder,
    "shards": _as_shards,
    "packed shards": lambda root: _as_shards(root, "tar.gz", "w:gz"),
    "npz": _as_npz,
    "arrays": lambda _: (np.stack(PIXELS), np.array(LABELS)),
    "floats": lambda _: (np.stack(PIXELS) / 255, LABELS),
    "list of images": lambda _: ([Image.fromarray(p) for p in PIXELS], LABELS),
    "list of paths": lambda root: (_files(root), LABELS),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_source_gives_the_same_pictures_with_their_labels(shape, tmp_path):
    found = found_in(SHAPES[shape](tmp_path))
    shown = sorted((f.label, decode(f.read()).pixels.tobytes()) for f in found)
    assert shown == sorted((label, pixels.tobytes()) for label, pixels in zip(LABELS, PIXELS, strict=True))
    assert all(not Path(f.source).is_absolute() or shape in ("pandas", "arrow") for f in found)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_source_is_found_in_the_same_order_every_time(shape, tmp_path):
    source = SHAPES[shape](tmp_path)
    assert [f.source for f in found_in(source)] == [f.source for f in found_in(source)]


def test_every_kind_has_a_name_a_user_understands():
    assert all(len(kind.name) > 10 for kind in (*LAYOUTS, *IN_MEMORY))


def test_a_mistyped_path_names_its_neighbour(tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(NotFoundError, match="Did you mean photos"):
        open_source(str(tmp_path / "fotos"))
    with pytest.raises(NotFoundError, match="Did you mean photos"):
        open_source(tmp_path / "phots" / "deeper" / "still")


@pytest.mark.parametrize("source", [42, None, {"a": 1}])
def test_a_stranger_learns_what_can_be_imported(source):
    with pytest.raises(BadDataError, match="a zip of such a folder"):
        open_source(source)


def test_a_file_of_another_kind_learns_what_can_be_imported(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BadDataError, match="cannot be imported"):
        open_source(tmp_path / "notes.txt")


def test_links_that_go_in_circles_are_walked_once(tmp_path):
    class_folders(tmp_path, {"cat": 2, "dog": 2})
    try:
        (tmp_path / "cat" / "loop").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    assert len(found_in(tmp_path)) == 4


# Zips


def _zip(path: Path, *names: str, data: bytes = b"x") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name) if data == b"x" else name, data)
    return path


@pytest.mark.parametrize("name", ["../evil.txt", "cat/../../evil", "/etc/passwd", "C:evil", "..\\evil", "\\\\host\\x"])
def test_a_zip_that_points_outside_is_refused_whole(name, tmp_path):
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_TRAVERSAL"):
        items_in(_zip(tmp_path / "a.zip", "cat/1.png", name))


def test_a_zip_bomb_is_refused_before_it_is_opened(tmp_path):
    path = _zip(tmp_path / "a.zip", "cat/1.png", data=bytes(110 << 20))
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_BOMB"):
        items_in(path)


def test_a_zip_with_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("cat/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_LINK"):
        items_in(tmp_path / "a.zip")


@pytest.mark.parametrize(("data", "code"), [(b"", "E_EMPTY"), (b"PK no zip", "E_ARCHIVE_CORRUPT")])
def test_what_is_no_zip_says_so(data, code, tmp_path):
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(RefusedSourceError, match=code):
        items_in(tmp_path / "a.zip")


def test_names_in_utf8_without_the_flag_are_read_right(tmp_path):
    path = _zip(tmp_path / "a.zip", "kXXtze/1.png", "dog/1.png")
    path.write_bytes(path.read_bytes().replace(b"kXXtze", "kätze".encode()))
    assert {f.label for f in found_in(path)} == {"kätze", "dog"}


def test_the_corpus_of_broken_zips_raises_nothing_but_sentences(test_data):
    for path in sorted((test_data / "badinput" / "archives").glob("*.zip")):
        with contextlib.suppress(BadDataError):
            for found in found_in(path)[:50]:
                with contextlib.suppress(BadDataError):
                    found.read()


# Arrays


@pytest.mark.parametrize(
    ("X", "y", "advice"),
    [
        (np.zeros((3, 64)), [0, 1, 0], "reshape"),
        (np.zeros((3, 8, 8)), [0, 1], "one label a picture"),
        (np.zeros((2, 8, 8)), np.array([[0.2, 0.8], [0.6, 0.4]]), "argmax"),
        (np.full((2, 8, 8), 16.0), [0, 1], "Divide"),
        (np.zeros((2, 3, 8, 8)), [0, 1], "transpose"),
    ],
)
def test_arrays_that_are_no_pictures_are_refused_once_with_advice(X, y, advice):
    with pytest.raises(BadDataError, match=advice):
        items_in((X, y))


def test_the_scale_is_that_of_the_whole_array_so_dark_pictures_stay_dark():
    X = np.stack([np.full((8, 8), 1.0), np.full((8, 8), 255.0)])
    dark = decode(found_in((X, [0, 1]))[0].read())
    assert (dark.pixels == 1).all()


def test_an_npz_with_its_own_split_keeps_it(tmp_path):
    pictures = np.zeros((2, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", x_train=pictures, y_train=[0, 1], x_test=pictures, y_test=[1, 0])
    assert [(f.split, f.label) for f in found_in(tmp_path / "a.npz")] == [
        ("train", "0"), ("train", "1"), ("test", "1"), ("test", "0"),
    ]  # fmt: skip


def test_an_npz_of_objects_is_never_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.array([{}, {}], dtype=object), y=[0, 1])
    with pytest.raises(BadDataError, match="without objects"):
        items_in(tmp_path / "a.npz")


# IDX


def _idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def test_idx_pairs_are_read_with_the_users_split(tmp_path):
    pictures = np.arange(4 * 9, dtype=np.uint8).reshape(4, 3, 3)
    for prefix, part in (("t10k", pictures[3:]), ("train", pictures[:3])):
        (tmp_path / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(_idx(part)))
        (tmp_path / f"{prefix}-labels-idx1-ubyte").write_bytes(_idx(np.arange(len(part), dtype=np.uint8)))
    found = found_in(tmp_path)
    assert [(f.split, f.label) for f in found] == [("train", "0"), ("train", "1"), ("train", "2"), ("test", "0")]
    assert np.array_equal(decode(found[1].read()).pixels[..., 0], pictures[1])


def test_mnist_is_read(test_data):
    found = found_in(test_data / "mnist" / "t10k-images-idx3-ubyte.gz")
    assert len(found) == 10_000
    assert [f.label for f in found[:5]] == ["7", "2", "1", "0", "4"]


@pytest.mark.parametrize("damage", ["cut", "garbled", "alone"])
def test_broken_idx_files_say_what_to_do(damage, tmp_path):
    images = _idx(np.zeros((2, 3, 3), np.uint8))
    if damage != "alone":
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(_idx(np.zeros(2, np.uint8)))
    broken = {"cut": images[:-1], "garbled": b"\1" + images, "alone": images}[damage]
    (tmp_path / "train-images-idx3-ubyte").write_bytes(broken)
    with pytest.raises(BadDataError, match=r"download|both needed"):
        items_in(tmp_path)
