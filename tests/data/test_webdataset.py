"""WebDataset: shards of files that belong together by their names."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from winnow.data.decode import decode
from winnow.data.sources.source import RefusedSourceError
from winnow.data.sources.webdataset import samples_of

from .finding import codes_in, found_in, items_in, refused_in
from .pictures import file_of, noise


def shard(path: Path, files: dict[str, bytes | str | object], mode: str = "w") -> Path:
    """A tar; what is no text or bytes is written as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            data = content if isinstance(content, bytes) else str(content).encode()
            if not isinstance(content, bytes | str):
                data = json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def picture(seed: int) -> bytes:
    return file_of(noise(seed))


def test_files_belong_together_up_to_the_first_dot():
    samples = list(samples_of(["a/1.jpg", "a/1.cls", "b/1.seg.png", "b/1.Jpg", "README", ".x", "c.json"]))
    assert [(sample.key, sorted(sample.files)) for sample in samples] == [
        ("a/1", ["cls", "jpg"]), ("b/1", ["jpg", "seg.png"]), ("c", ["json"]),
    ]  # fmt: skip
    assert [sample.picture for sample in samples] == ["a/1.jpg", "b/1.Jpg", None]


def test_shards_in_a_folder_are_read_in_order_with_their_split(tmp_path):
    shard(tmp_path / "train-000000.tar", {"0.png": picture(0), "0.cls": "3", "1.png": picture(1), "1.cls": "4"})
    shard(tmp_path / "train-000001.tar.gz", {"2.png": picture(2), "2.cls": "3\n"}, "w:gz")
    shard(tmp_path / "val-000000.tar", {"3.png": picture(3), "3.cls": "4"})
    found = found_in(tmp_path)
    assert [(f.source, f.label, f.split) for f in found] == [
        ("train-000000.tar/0.png", "3", "train"), ("train-000000.tar/1.png", "4", "train"),
        ("train-000001.tar.gz/2.png", "3", "train"), ("val-000000.tar/3.png", "4", "validation"),
    ]  # fmt: skip
    assert [decode(f.read()).pixels.tobytes() for f in found] == [noise(i).tobytes() for i in range(4)]


def test_splits_may_be_folders_of_shards(tmp_path):
    for i, split in enumerate(("train", "test")):
        shard(tmp_path / split / "0000.tar", {"x.png": picture(i), "x.cls": "a"})
    assert [(f.source, f.split) for f in found_in(tmp_path)] == [
        ("test/0000.tar/x.png", "test"), ("train/0000.tar/x.png", "train"),
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_one_shard_may_be_named_alone(suffix, tmp_path):
    files = {"0.png": picture(0), "0.cls": "a", "1.png": picture(1), "1.cls": "b"}
    path = shard(tmp_path / f"x.{suffix}", files, "w:gz" if suffix.endswith("gz") else "w")
    found = found_in(path)
    assert [(f.source, f.label) for f in found] == [("0.png", "a"), ("1.png", "b")]
    assert decode(found[1].read()).pixels.tobytes() == noise(1).tobytes()


def test_numbers_get_their_names_from_a_file_beside(tmp_path):
    shard(tmp_path / "0.tar", {"0.png": picture(0), "0.cls": "1", "1.png": picture(1), "1.cls": "0"})
    (tmp_path / "classes.txt").write_text("cat\ndog\n")
    assert [f.label for f in found_in(tmp_path)] == ["dog", "cat"]
    shard(tmp_path / "0.tar", {"0.png": picture(0), "0.cls": "7"})
    assert codes_in(tmp_path) == ["W_ROW_DROPPED"]


def test_a_blank_name_takes_a_number_and_minus_one_says_that_nobody_knows(tmp_path):
    (tmp_path / "classes.txt").write_text("cat\n\ndog\n")
    files = {f"{i}.cls": number for i, number in enumerate(("2", "-1", "1"))}
    shard(tmp_path / "0.tar", {**{f"{i}.png": picture(i) for i in range(3)}, **files})
    assert [f.labels for f in found_in(tmp_path)] == [("dog",), None]
    assert codes_in(tmp_path) == ["W_ROW_DROPPED"]


def test_labels_may_stand_in_json_with_more(tmp_path):
    about = [{"label": 3, "class_name": "cat", "lat": 47.5}, {"labels": ["cat", "dog"]}, {"labels": []}, {"note": "x"}]
    files = {f"{i}.json": content for i, content in enumerate(about)} | {f"{i}.png": picture(i) for i in range(4)}
    found = found_in(shard(tmp_path / "0.tar", files))
    assert [f.labels for f in found] == [("cat",), ("cat", "dog"), (), None]
    assert found[0].metadata == {"label": "3", "lat": "47.5"}
    assert found[3].metadata == {"note": "x"}


def test_texts_that_come_back_are_classes_and_others_are_captions(tmp_path):
    pictures = {f"{i}.png": picture(i) for i in range(6)}
    classes = {f"{i}.txt": "cat" if i % 2 else "dog" for i in range(6)}
    captions = {f"{i}.txt": f"a cat on chair {i}" for i in range(6)}
    numbers = {f"{i}.json": {"label": i % 2} for i in range(6)}
    assert {f.label for f in found_in(shard(tmp_path / "a" / "0.tar", pictures | classes).parent)} == {"cat", "dog"}
    assert {f.label for f in found_in(shard(tmp_path / "b" / "0.tar", pictures | captions | numbers).parent)} == {
        "0",
        "1",
    }


def test_a_tar_of_class_folders_is_no_shard(tmp_path):
    path = shard(tmp_path / "x.tar", {"cat/0.png": picture(0), "dog/1.png": picture(1)})
    assert [f.label for f in found_in(path)] == ["cat", "dog"]


def test_a_broken_shard_costs_one_line(tmp_path):
    for i in range(3):
        shard(tmp_path / f"{i}.tar", {f"{i}.png": picture(i), f"{i}.cls": "a"})
    whole = (tmp_path / "1.tar").read_bytes()
    (tmp_path / "1.tar").write_bytes(whole[:700])
    assert [f.source for f in found_in(tmp_path)] == ["0.tar/0.png", "2.tar/2.png"]
    assert [(r.source, r.code) for r in refused_in(tmp_path)] == [("1.tar", "E_ARCHIVE_CORRUPT")]


@pytest.mark.parametrize(
    ("name", "kind", "code"),
    [
        ("../0.png", b"0", "E_ARCHIVE_TRAVERSAL"),
        ("0.png", b"2", "E_ARCHIVE_LINK"),
        ("0.png", b"6", "E_ARCHIVE_SPECIAL"),
    ],
)
def test_a_hostile_shard_is_refused_whole(name, kind, code, tmp_path):
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(RefusedSourceError, match=code):
        items_in(tmp_path)


def test_many_shards_are_not_all_open_at_once(tmp_path):
    for i in range(60):
        shard(tmp_path / f"{i:03}.tar", {f"{i}.png": picture(i), f"{i}.cls": "a"})
    found = found_in(tmp_path)
    for f in found:
        f.read()
    if (descriptors := Path("/proc/self/fd")).exists():
        assert sum(str(tmp_path) in _target(descriptor) for descriptor in list(descriptors.iterdir())) <= 10
    assert decode(found[0].read()).pixels.tobytes() == noise(0).tobytes()


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:
        return ""
