"""Importing: everything good comes in, everything bad costs one line, and the test split is honest."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from winnow.data.blobs import BlobStore
from winnow.data.decode import decode
from winnow.data.digits import write_digits
from winnow.data.importing import import_examples
from winnow.data.reading import Keep
from winnow.data.sources.refused import AllRefusedError
from winnow.data.splitting import SplitPlan
from winnow.errors import BadDataError, WorkspaceError
from winnow.events import Note, Progress

from .pictures import class_folders, file_of, noise


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    return Keep(BlobStore(tmp_path / "blobs"))


def test_good_files_come_in_and_bad_ones_cost_one_line_each(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 50, "dog": 45})
    bad = {"empty.jpg": b"", "text.jpg": b"hello", "cut.png": file_of(noise(1))[:100], "nul.png": bytes(99)}
    for name, data in bad.items():
        (photos / "dog" / name).write_bytes(data)
    (photos / "notes.md").write_text("about these pictures")
    imported = import_examples(photos, keep)
    assert len(imported.manifest) == 95
    assert {refused.source: refused.code for refused in imported.refused} == {
        "dog/cut.png": "E_TRUNCATED",
        "dog/empty.jpg": "E_EMPTY",
        "dog/nul.png": "E_NOT_IMAGE",
        "dog/text.jpg": "E_NOT_IMAGE",
        "notes.md": "E_NOT_IMAGE",
    }


def test_an_example_says_all_that_is_known_of_it(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    (photos / "cat" / "grey.png").write_bytes(data := file_of(noise(99, 10, 20, channels=1)))
    grey = next(e for e in import_examples(photos, keep).manifest.examples() if e.source == "cat/grey.png")
    assert (grey.label, grey.width, grey.height, grey.format) == ("cat", 20, 10, "PNG")
    assert grey.is_grey
    assert keep.blobs.read(grey.content) == data
    assert grey.bytes == len(data)


def test_the_same_picture_in_another_file_has_the_same_pixels(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    (photos / "cat" / "copy.bmp").write_bytes(file_of(noise(1), "BMP"))
    by_name = {e.source: e for e in import_examples(photos, keep).manifest.examples()}
    assert by_name["cat/copy.bmp"].pixels == by_name["cat/0.png"].pixels
    assert by_name["cat/copy.bmp"].content != by_name["cat/0.png"].content


def test_the_same_folder_gives_the_same_rows_every_time(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 60, "dog": 40})
    first, second = (import_examples(photos, keep, plan=SplitPlan(seed=3)).manifest for _ in range(2))
    assert first.digest() == second.digest()
    assert import_examples(photos, keep, plan=SplitPlan(seed=4)).manifest.digest() != first.digest()


def test_nothing_is_written_into_the_users_folder(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 5, "dog": 5})
    before = {path: path.stat().st_mtime_ns for path in [photos, *photos.rglob("*")]}
    import_examples(photos, keep)
    assert {path: path.stat().st_mtime_ns for path in [photos, *photos.rglob("*")]} == before


def test_a_test_split_of_every_class_is_put_aside(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 60, "dog": 40})
    imported = import_examples(photos, keep)
    assert imported.manifest.counts() == {"cat": {"train": 48, "test": 12}, "dog": {"train": 32, "test": 8}}
    assert set(imported.manifest.column("split_by")) == {"winnow"}
    assert "20 of 100 pictures were put aside" in str(imported.notes[0])


def test_copies_of_a_picture_never_lie_on_both_sides(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 40, "dog": 40})
    for i in range(40):
        shutil.copy(photos / "cat" / f"{i}.png", photos / "cat" / f"copy of {i}.png")
    split_of: dict[str, set[str]] = {}
    for example in import_examples(photos, keep).manifest.examples():
        split_of.setdefault(example.pixels, set()).add(example.split)
    assert all(len(splits) == 1 for splits in split_of.values())


def test_groups_never_lie_on_both_sides(keep):
    pandas = pytest.importorskip("pandas")
    X = [file_of(noise(i)) for i in range(80)]
    frame = pandas.DataFrame({"image": X, "label": ["a", "b"] * 40, "patient": [i // 8 for i in range(80)]})
    examples = import_examples(frame, keep).manifest.examples()
    tested = {e.group for e in examples if e.split == "test"}
    assert tested
    assert tested.isdisjoint(e.group for e in examples if e.split == "train")


def test_the_users_own_split_is_kept(tmp_path, keep):
    photos = class_folders(
        tmp_path / "photos", {"train/cat": 30, "train/dog": 30, "Test/cat": 5, "Test/dog": 5, "val/dog": 4}
    )
    manifest = import_examples(photos, keep).manifest
    assert manifest.counts() == {"cat": {"train": 30, "test": 5}, "dog": {"train": 30, "test": 5, "validation": 4}}
    assert set(manifest.column("split_by")) == {"user"}


def test_where_the_user_gave_no_test_it_is_drawn_from_the_training_part(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"train/cat": 30, "train/dog": 30, "val/cat": 5, "val/dog": 5})
    counts = import_examples(photos, keep).manifest.counts()
    assert counts["cat"] == {"train": 24, "test": 6, "validation": 5}


def test_test_pictures_are_left_out_of_the_training_part(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"train/cat": 5, "train/dog": 5, "test/cat": 3, "test/dog": 3})
    shutil.copy(photos / "test/cat/0.png", photos / "train/cat/leak.png")
    imported = import_examples(photos, keep)
    assert "train/cat/leak.png" not in imported.manifest.column("source")
    assert "train/cat/leak.png" in str(imported.notes[0])
    assert "left out" in str(imported.notes[0])


@pytest.mark.parametrize("counts", [{"cat": 20, "dog": 20}, {"cat": 100, "dog": 4}])
def test_too_few_pictures_for_a_test_split_are_all_used_and_told(counts, tmp_path, keep):
    imported = import_examples(class_folders(tmp_path / "photos", counts), keep)
    assert set(imported.manifest.column("split")) == {"train"}
    assert any("No test split" in note.text for note in imported.notes)


def test_a_picture_under_two_labels_is_told(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 5, "dog": 5})
    shutil.copy(photos / "cat/0.png", photos / "dog/same.png")
    assert "different labels" in import_examples(photos, keep).notes[0].text


def test_pictures_without_a_label_are_kept_but_told(keep):
    X = [noise(i) for i in range(5)]
    imported = import_examples((X, ["a", "b", None, "a", "b"]), keep)
    assert imported.manifest.column("labels") == [["a"], ["b"], None, ["a"], ["b"]]
    assert any("1 pictures have no label" in note.text for note in imported.notes)


def test_who_listens_hears_progress_and_notes(tmp_path, keep):
    heard = []
    imported = import_examples(class_folders(tmp_path / "photos", {"cat": 20, "dog": 20}), keep, tell=heard.append)
    assert heard[-2] == Progress("reading pictures", 40, 40)
    assert [event for event in heard if isinstance(event, Note)] == list(imported.notes)


def test_the_manifest_tells_where_it_comes_from(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    provenance = import_examples(photos, keep, plan=SplitPlan(seed=5)).manifest.provenance
    assert provenance["source"] == str(photos)
    assert provenance["options"]["seed"] == 5
    assert provenance["created"].startswith("20")


@pytest.mark.parametrize(
    ("counts", "code", "says"),
    [
        ({"cat": 5}, "W_ONE_CLASS", "of one class ('cat'): training needs at least two"),
        ({"cat": 1, "dog": 1}, "W_FEW_IMAGES", "two classes with two pictures each"),
        ({"cat": 9, "dog": 1}, "W_FEW_IMAGES", "two classes with two pictures each"),
    ],
)
def test_too_little_to_learn_from_comes_in_and_is_told(counts, code, says, tmp_path, keep):
    imported = import_examples(class_folders(tmp_path / "photos", counts), keep)
    assert len(imported.manifest) == sum(counts.values())
    assert any(note.code == code and says in note.text for note in imported.notes)


def test_pictures_without_any_folder_come_in_to_be_labelled_later(tmp_path, keep):
    (tmp_path / "1.png").write_bytes(file_of(noise(1)))
    imported = import_examples(tmp_path, keep)
    assert imported.manifest.column("labels") == [None]
    assert next(note.code for note in imported.notes) == "W_UNLABELLED"


def test_nothing_at_all_says_what_is_needed(tmp_path, keep):
    with pytest.raises(BadDataError, match="holds no pictures"):
        import_examples(tmp_path, keep)


def test_a_folder_of_broken_files_names_the_first(tmp_path, keep):
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "1.jpg").write_bytes(b"")
    with pytest.raises(AllRefusedError, match=r"The one file.*cat/1\.jpg.*empty"):
        import_examples(tmp_path / "photos", keep)
    (tmp_path / "photos" / "cat" / "2.jpg").write_bytes(b"no picture")
    with pytest.raises(AllRefusedError, match=r"None of the 2 files.*cat/1\.jpg.*empty") as caught:
        import_examples(tmp_path / "photos", keep)
    assert caught.value.code == "E_EMPTY"
    assert [(line.source, line.code) for line in caught.value.refused] == [
        ("cat/1.jpg", "E_EMPTY"),
        ("cat/2.jpg", "E_NOT_IMAGE"),
    ]


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission_costs_one_line(tmp_path, keep):
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    (photos / "cat" / "0.png").chmod(0)
    assert [r.code for r in import_examples(photos, keep).refused] == ["E_UNREADABLE"]


def test_a_workspace_that_cannot_be_written_stops_with_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    with pytest.raises(WorkspaceError, match="choose another workspace"):
        import_examples(photos, Keep(BlobStore(tmp_path / "file" / "blobs")))


def test_the_embedded_digits_come_in_pixel_for_pixel(tmp_path, keep):
    imported = import_examples(write_digits(tmp_path / "digits"), keep)
    assert len(imported.manifest) == 1797
    assert imported.manifest.classes == tuple("0123456789")
    first = next(e for e in imported.manifest.examples() if e.source == "0/0000.png")
    grey = decode(keep.blobs.read(first.content)).pixels[..., 0]
    assert np.abs(grey / 255 * 16 - load_digits().images[0]).max() < 0.04


def test_two_thousand_photographs_come_in(test_data, keep):
    imported = import_examples(test_data / "clouds" / "train", keep)
    assert len(imported.manifest) == 2031
    assert len(imported.manifest.classes) == 11
