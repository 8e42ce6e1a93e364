"""A program asks what is wrong with its data, and mends it; nothing is lost."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import winnow
from winnow.api.fixing import combined, fix
from winnow.data.edits import MergeClasses, MoveToSplit, Relabel, Remove, RemoveLabels, SetGroup
from winnow.errors import NotFoundError, UserError
from winnow.events import Note, tell_nobody

from .squares import RUNGS, squares, write_squares


@pytest.fixture
def sick(photos: Path, tmp_path: Path) -> Path:
    """The photos with a copy, a conflict, a blank one, a broken one and one in the wrong folder."""
    folder = tmp_path / "sick"
    shutil.copytree(photos, folder)
    plain = sorted((folder / "plain").iterdir())
    shutil.copy(plain[0], folder / "plain" / "copy.png")
    shutil.copy(plain[1], folder / "square" / "conflict.png")
    shutil.move(plain[2], folder / "square" / "wrong.png")
    Image.new("L", (8, 8), 200).save(folder / "plain" / "blank.png")
    (folder / "plain" / "broken.png").write_bytes(b"no picture")
    return folder


@pytest.fixture
def dataset(sick: Path, tmp_path: Path) -> winnow.Dataset:
    return winnow.load(sick, name="sick", workspace=tmp_path / "workspace")


def test_each_fault_is_found_with_the_picture_that_shows_it(dataset: winnow.Dataset):
    health = dataset.check()
    shown = {finding.kind: {one.source for one in finding.examples} for finding in health.findings}
    assert shown["duplicates"] == {"plain/copy.png"} or shown["duplicates"] == {"plain/000.png"}
    assert "square/conflict.png" in shown["conflicts"]
    assert shown["blank"] == {"plain/blank.png"}
    assert shown["unreadable"] == {"plain/broken.png"}
    assert "square/wrong.png" in shown["label-errors"]
    assert health.is_serious
    assert [finding.severity for finding in health.findings][:1] == ["serious"]
    assert "sick" in health.to_json()["findings"][0]["fix"][0]


def bars(n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """(n, 16, 16) noise with a bar somewhere, lying or standing, and which: as dark, large and grey the one as the
    other."""
    rng = np.random.default_rng(0)
    ids = np.arange(n) % 2
    pictures = rng.integers(0, 60, (n, 16, 16), dtype=np.uint8)
    for picture, one in zip(pictures, ids, strict=True):
        place = rng.integers(2, 12)
        (picture.T if one else picture)[place : place + 2, 2:14] += 120
    return pictures, ids


def test_a_healthy_set_has_no_serious_finding(tmp_path: Path):
    health = winnow.check(*bars())
    assert not health.is_serious
    assert health.find("duplicates") is None
    assert health.find("label-errors") is None
    assert health.find("shortcuts") is None


def test_files_are_checked_without_being_kept(sick: Path, tmp_path: Path):
    told: list[str] = []
    workspace = tmp_path / "workspace"
    health = winnow.check(
        sick, workspace=workspace, tell=lambda event: told.append(event.text) if isinstance(event, Note) else None
    )
    assert health.find("blank") is not None
    assert any("temporary" in text for text in told)
    assert not workspace.exists()
    # Its pictures can still be shown.
    page = health.save(tmp_path / "page.html").read_text()
    assert "data:image/png" in page


def test_light_that_gives_the_class_away_is_a_shortcut():
    finding = winnow.check(*squares()).find("shortcuts")
    assert finding is not None
    assert "Brightness alone" in finding.sentence


def test_a_dataset_is_checked_by_its_name(dataset: winnow.Dataset, tmp_path: Path):
    assert winnow.check("sick", workspace=tmp_path / "workspace").numbers.version == 1
    with pytest.raises(NotFoundError, match="sick"):
        winnow.check("sik", workspace=tmp_path / "workspace")


def test_a_bare_word_means_the_dataset_even_beside_files_of_that_name(
    sick: Path, dataset: winnow.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    workspace = tmp_path / "workspace"
    fix(dataset, drop=["blank"])
    assert winnow.check("sick", workspace=workspace).numbers.version == 2
    assert winnow.check("./sick", workspace=workspace).find("blank") is not None


def test_a_check_is_saved_as_a_page_or_as_numbers(dataset: winnow.Dataset, tmp_path: Path):
    health = dataset.check()
    assert json.loads(health.save(tmp_path / "h.json").read_text())["dataset"] == "sick"
    assert "What to look at in your data" in health.save(tmp_path / "h.html").read_text()
    with pytest.raises(UserError, match=r"\.html or \.json"):
        health.save(tmp_path / "h.pdf")
    with pytest.raises(UserError, match="choose another place"):
        health.save(tmp_path / "nowhere" / "h.json")


def test_a_second_look_is_taken_from_the_cache(dataset: winnow.Dataset, monkeypatch: pytest.MonkeyPatch):
    first = dataset.check()
    monkeypatch.setattr("winnow.data.health.look.look", None)
    again = dataset.check()
    assert [f.sentence for f in again.findings] == [f.sentence for f in first.findings]


def test_findings_are_mended_as_one_new_version_and_can_be_undone(dataset: winnow.Dataset, tmp_path: Path):
    workspace = tmp_path / "workspace"
    fixed = fix("sick", drop=["duplicates", "blank", "conflicts"], workspace=workspace)
    assert (fixed.before, fixed.version) == (1, 2)
    assert fixed.undo == "winnow restore sick 1"
    mended = winnow.load("sick", workspace=workspace)
    assert len(mended) == len(dataset) - 4
    left = {finding.kind for finding in mended.check().findings}
    assert not left & {"duplicates", "blank", "conflicts"}
    assert len(winnow.load("sick", version=1, workspace=workspace)) == len(dataset)


def test_undoing_a_fix_keeps_what_others_did_meanwhile(dataset: winnow.Dataset):
    dataset.move(dataset.examples()[-1].source, "validation")
    fixed = fix(dataset, drop=["blank"])
    assert (fixed.before, fixed.version, fixed.undo) == (1, 3, "winnow restore sick 2")


def test_a_dry_run_changes_nothing(dataset: winnow.Dataset):
    fixed = fix(dataset, drop=["duplicates"], dry_run=True)
    assert fixed.version is None
    assert len(fixed.edits) == 1
    assert dataset.workspace.find_version("sick").number == 1


def test_labels_are_changed_only_after_a_look(dataset: winnow.Dataset):
    asked = fix(dataset, relabel=["label-errors"])
    assert asked.version is None
    assert "--yes" in asked.asks
    (relabel,) = asked.edits
    source = relabel.pictures[0]
    fixed = fix(dataset, relabel=["label-errors"], only=[source])
    assert fixed.version == 2
    before, after = ({e.source: e.label for e in d.examples()} for d in (dataset, dataset.edit([relabel])))
    now = {e.source: e.label for e in winnow.load("sick", version=2, workspace=dataset.workspace).examples()}
    assert now == before | {source: after[source]}


def test_where_there_is_nothing_to_mend_nothing_is_made(photos: Path, tmp_path: Path):
    data = winnow.load(photos, workspace=tmp_path / "workspace")
    fixed = fix(data, drop=["duplicates"])
    assert (fixed.version, fixed.edits) == (None, ())


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({}, "Say what to mend"),
        ({"drop": ["duplicate"]}, "Did you mean duplicates"),
        ({"move": ["nonsense"]}, "With --move go leaks, group-leaks"),
    ],
)
def test_what_makes_no_sense_is_told(dataset: winnow.Dataset, wanted: dict, sentence: str):
    with pytest.raises(UserError, match=sentence):
        fix(dataset, **wanted)


def test_what_is_left_out_is_not_changed_before():
    edits = [
        Remove(["a", "b"]),
        Relabel({"a": "cat", "c": "dog"}),
        MoveToSplit(["b", "d"], "train"),
        MergeClasses(["Cat"], "cat"),
        Remove(["b", "e"]),
        MergeClasses(["Cat"], "cat"),
    ]
    assert combined(edits) == (
        Relabel({"c": "dog"}),
        MergeClasses(["Cat"], "cat"),
        MoveToSplit(["d"], "train"),
        Remove(["a", "b", "e"]),
    )
    assert combined(edits, only=["d"]) == (MergeClasses(["Cat"], "cat"), MoveToSplit(["d"], "train"))


def test_every_kind_of_edit_that_a_check_offers_is_done():
    edits = [RemoveLabels(["a", "b"], ["newt"]), RemoveLabels(["c"], ["newt"]), Remove(["b"])]
    assert combined(edits) == (RemoveLabels(["a", "c"], ["newt"]), Remove(["b"]))
    with pytest.raises(ValueError, match="no finding is mended"):
        combined([SetGroup(["a"], "burst")])


def test_of_several_labels_the_rare_one_is_taken_off_and_the_picture_stays(tmp_path: Path):
    pictures = np.random.default_rng(0).integers(0, 256, (60, 16, 16, 3), dtype=np.uint8)
    names = [["car"] if i % 2 else ["tree"] for i in range(59)] + [["car", "newt"]]
    dataset = winnow.load(pictures, names, name="street", workspace=tmp_path, tell=tell_nobody)
    fixed = fix(dataset, drop=["few-pictures"])
    assert fixed.told() == [("'newt' taken off: 1 picture", ("X[59]",))]
    after = winnow.load("street", workspace=tmp_path)
    assert after.classes == ("car", "tree")
    assert len(after) == 60


def test_planted_label_errors_of_digits_are_found(tmp_path: Path):
    """3 % of the embedded digits' labels are changed: of those ranked first, four of five are planted."""
    data = winnow.load("digits", workspace=tmp_path / "workspace")
    examples = data.examples()
    rng = np.random.default_rng(0)
    wrong = rng.choice(len(examples), round(0.03 * len(examples)), replace=False)
    planted = {examples[i].source: str((int(str(examples[i].label)) + int(rng.integers(1, 10))) % 10) for i in wrong}
    finding = data.relabel(planted).check().find("label-errors")
    assert finding is not None
    hits = np.cumsum([one.source in planted for one in finding.examples])
    enough = int(np.searchsorted(hits, 0.6 * len(planted)))
    assert enough < len(hits)
    assert hits[enough] / (enough + 1) >= 0.8


@pytest.mark.parametrize("plant", ["dark", "border", "size", "format"])
def test_a_planted_shortcut_is_found_and_named(tmp_path: Path, plant: str):
    rng = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (tmp_path / "pets" / label).mkdir(parents=True)
        for number in range(40):
            # Pictures of big coloured blocks: nothing in them tells the classes apart.
            blocks = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            image = Image.fromarray(blocks).resize((64, 64), Image.Resampling.BILINEAR)
            image.save(tmp_path / "pets" / label / f"{number}.png") if label == "dog" else _planted(
                image, plant, tmp_path / "pets" / label / f"{number}"
            )
    finding = winnow.check(tmp_path / "pets").find("shortcuts")
    assert finding is not None
    name = {"dark": "brightness", "border": "border", "size": "size", "format": "file type"}[plant]
    assert name in finding.sentence.lower()
    assert finding.interval is not None
    assert finding.interval[1] > 0.75


def _planted(image: Image.Image, plant: str, path: Path) -> None:
    match plant:
        case "dark":
            image = image.point(lambda value: int(0.5 * value))
        case "border":
            framed = Image.new("RGB", (64, 64), (0, 200, 0))
            framed.paste(image.resize((60, 60)), (2, 2))
            image = framed
        case "size":
            image = image.resize((80, 80))
        case _:
            stored = io.BytesIO()
            image.save(stored, "JPEG", quality=95)
            path.with_suffix(".jpg").write_bytes(stored.getvalue())
            return
    image.save(path.with_suffix(".png"))


def test_pictures_with_several_labels_are_checked(tmp_path: Path):
    folder = write_squares(tmp_path / "photos")
    rows = ["path,labels"]
    for file in sorted(folder.rglob("*.png")):
        labels = "square|bright" if file.parent.name == "square" else ""
        rows.append(f"{file.relative_to(folder).as_posix()},{labels}")
    (folder / "labels.csv").write_text("\n".join(rows))
    health = winnow.check(folder / "labels.csv")
    assert health.numbers.pictures == 60


def test_a_models_report_says_what_to_look_at_in_its_data(dataset: winnow.Dataset):
    model = winnow.train(dataset, rungs=RUNGS, open_test=False, tell=tell_nobody)
    told = model.report.numbers.health
    assert told is not None
    kinds = {finding.kind for finding in told.findings}
    assert {"duplicates", "conflicts", "unreadable"} <= kinds
    assert "shortcuts" not in kinds
    assert any("winnow check sick" in note for note in told.notes)
    dataset.check()  # from now on it is known how the pictures look
    again = winnow.train(dataset, rungs=RUNGS, open_test=False, seed=1, tell=tell_nobody).report
    assert again.numbers.health is not None
    assert "shortcuts" in {finding.kind for finding in again.numbers.health.findings}
    assert "What to look at in your data" in again.page.read_text(encoding="utf-8")
