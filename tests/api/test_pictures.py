"""What may be handed to `predict`, and what each bad picture costs."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from winnow.api.model import Model
from winnow.api.pictures import pictures_of
from winnow.errors import BadDataError, NotFoundError, UserError

from .squares import squares


def names(what: object) -> list[str]:
    return [Path(given.source).name for given in pictures_of(what)]


def test_one_path_is_one_picture(photos: Path) -> None:
    assert names(photos / "plain" / "000.png") == ["000.png"]
    assert names(str(photos / "plain" / "000.png")) == ["000.png"]


def test_a_folder_is_walked_in_the_order_of_names(photos: Path) -> None:
    found = names(photos)
    assert len(found) == 60
    assert found[:2] == ["000.png", "002.png"]


def test_hidden_files_of_a_folder_are_left_alone(tmp_path: Path, photos: Path) -> None:
    data = (photos / "plain" / "000.png").read_bytes()
    for name in ("seen.png", ".hidden.png", ".cache/thumb.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert names(tmp_path) == ["seen.png"]


@pytest.mark.skipif(os.name == "nt", reason="links take rights on Windows")
def test_links_that_lead_nowhere_or_to_folders_are_left_alone(tmp_path: Path, photos: Path) -> None:
    (tmp_path / "seen.png").symlink_to(photos / "plain" / "000.png")
    (tmp_path / "itself.png").symlink_to(tmp_path / "itself.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "gone.png")
    (tmp_path / "folder.png").symlink_to(photos)
    assert names(tmp_path) == ["seen.png"]


def test_a_pattern_is_sorted(photos: Path) -> None:
    assert names(str(photos / "square" / "00*.png")) == ["001.png", "003.png", "005.png", "007.png", "009.png"]
    assert len(names(str(photos / "**" / "*.png"))) == 60


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path, photos: Path) -> None:
    odd = tmp_path / "photo[1].png"
    odd.write_bytes((photos / "plain" / "000.png").read_bytes())
    assert names(str(odd)) == ["photo[1].png"]


def test_bytes_images_and_arrays_are_numbered_where_they_are_in_a_list(photos: Path) -> None:
    data = (photos / "plain" / "000.png").read_bytes()
    given = [data, Image.open(io.BytesIO(data)), np.zeros((8, 8), np.uint8), photos / "square" / "001.png"]
    assert names(given) == ["bytes 0", "picture 1", "array 2", "001.png"]


def test_an_array_of_paths_is_a_list_of_paths(photos: Path) -> None:
    assert names(np.array([str(photos / "plain" / "000.png"), str(photos / "square" / "001.png")])) == [
        "000.png",
        "001.png",
    ]


def test_every_way_in_gives_the_same_answer(trained: Model, photos: Path) -> None:
    pixels, _ = squares()
    path = photos / "square" / "001.png"
    ways = [
        path,
        path.read_bytes(),
        Image.open(path),
        pixels[1],
        pixels[1] / 255,
        np.repeat(pixels[1, ..., None], 3, 2),
    ]
    answers = trained.predict_proba(ways)
    assert (answers == answers[0]).all()


def test_a_stack_has_one_answer_a_picture_whatever_its_channels(trained: Model) -> None:
    pixels, _ = squares(10)
    flat = trained.predict_proba(pixels)
    assert flat.shape == (10, 2)
    for channels in (1, 3):
        assert (trained.predict_proba(np.repeat(pixels[..., None], channels, axis=3)) == flat).all()


def test_a_dark_picture_stays_dark_among_bright_ones() -> None:
    stack = np.stack([np.full((8, 8), 1.0), np.full((8, 8), 255.0)])
    dark, bright = pictures_of(stack)
    assert dark.pixels(8).max() == 1
    assert bright.pixels(8).min() == 255


def test_an_unreadable_picture_costs_only_its_own_answer(trained: Model, photos: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes((photos / "plain" / "000.png").read_bytes()[:40])
    good, bad, another = trained.predict([photos / "plain" / "000.png", broken, photos / "square" / "001.png"])
    assert (good.label, another.label) == ("plain", "square")
    assert (bad.label, bad.prob, bad.probs) == (None, None, {})
    assert bad.error


def test_probabilities_of_an_unreadable_picture_are_refused_by_name(trained: Model, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"broken\.png"):
        trained.predict_proba(tmp_path / "broken.png")


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "sky.jpg").touch()
    with pytest.raises(NotFoundError, match=r"There is no file .*skye\.jpg\. Did you mean sky\.jpg\?"):
        pictures_of(tmp_path / "skye.jpg")


@pytest.mark.parametrize("text", ["~nobody-of-that-name/photos", "a" * 5000, "a\0b"])
def test_what_can_be_no_path_names_no_file(text: str) -> None:
    with pytest.raises(NotFoundError, match="There is no file"):
        pictures_of(text)


def test_a_folder_without_pictures_says_what_is_read(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"holds no picture .*JPEG"):
        pictures_of(tmp_path)


def test_a_pattern_that_matches_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="No file matches"):
        pictures_of(str(tmp_path / "*.png"))


@pytest.mark.parametrize("what", [3, None, np.zeros(5), np.zeros((2, 2, 2, 2, 2))])
def test_what_is_no_picture_is_refused_with_what_is(what: object) -> None:
    with pytest.raises(UserError, match="is no picture: give"):
        pictures_of(what)


def test_standardised_numbers_are_refused() -> None:
    with pytest.raises(BadDataError, match="negative"):
        pictures_of(np.full((2, 8, 8), -1.0))


def test_no_pictures_have_no_answers(trained: Model) -> None:
    assert trained.predict([]) == []
    assert trained.predict_proba([]).shape == (0, 2)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes of this kind")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(BadDataError, match="pipe"):
        pictures_of(tmp_path / "pipe.png")[0].pixels(8)
