"""Folders as people have them: litter, stray files, links, pipes, names that are no text. Nothing is lost silently."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from winnow.data import regular_files
from winnow.data.decode import UnreadablePictureError
from winnow.data.regular_files import read_file
from winnow.data.sources import folder, open_source
from winnow.data.sources.folder import FolderTree
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.errors import BadDataError
from winnow.events import Note

from .pictures import class_folders, file_of, noise

needs_unix = pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes, rights or odd names of this kind")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two classes with two pictures each."""
    return class_folders(tmp_path / "photos", {"cat": 2, "dog": 2})


def items(path: Path) -> list[Found | Refused | Note]:
    return list(open_source(path).find(ImportOptions()))


def found(path: Path) -> dict[str, str | None]:
    """Class by source."""
    return {item.source: item.label for item in items(path) if isinstance(item, Found)}


def refused(path: Path) -> dict[str, str]:
    """Code by source."""
    return {item.source: item.code for item in items(path) if isinstance(item, Refused)}


@pytest.mark.parametrize("name", [" ", "\u3000", "%20"])
def test_a_class_folder_called_nothing_one_can_see_is_refused_for_its_name(photos, name):
    (photos / name).mkdir()
    (photos / "cat" / "0.png").rename(photos / name / "0.png")
    assert refused(photos) == {f"{name}/0.png": "E_NAME"}


def test_litter_of_macs_windows_and_tools_is_left_out_silently(photos):
    before = items(photos)
    litter = [
        *("cat/.DS_Store", "cat/._0.png", "__MACOSX/cat/._1.jpg", ".Spotlight-V100/store.db", "Icon\r", ".localized"),
        *("Thumbs.db", "dog/desktop.ini", "$RECYCLE.BIN/S-1/x.jpg", "System Volume Information/x", "~$list.docx"),
        *("@eaDir/x@SynoEXIF", ".git/config", ".ipynb_checkpoints/a.ipynb", ".Trash-1000/x.png", ".nomedia"),
    ]
    for name in litter:
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(b"x")
    assert [str(item) for item in map(_source, items(photos))] == [str(item) for item in map(_source, before)]


def _source(item: Found | Refused | Note) -> str:
    return item.text if isinstance(item, Note) else item.source


def test_a_hidden_picture_is_a_picture(photos):
    (photos / "cat" / ".hidden.png").write_bytes(file_of(noise(9)))
    assert found(photos)["cat/.hidden.png"] == "cat"


def test_what_lies_beside_the_classes_is_told_apart(photos):
    (photos / "stray.jpg").write_bytes(b"x")
    (photos / "README").write_text("about")
    (photos / "old.zip").write_bytes(b"x")
    (photos / "cat" / "more.TAR.GZ").write_bytes(b"x")
    assert refused(photos) == {
        "README": "E_NOT_IMAGE",
        "cat/more.TAR.GZ": "W_NESTED_IGNORED",
        "old.zip": "W_NESTED_IGNORED",
        "stray.jpg": "E_NO_LABEL",
    }


def test_nested_folders_belong_to_their_class(photos):
    class_folders(photos / "cat" / "2024" / "may", {"": 1})
    assert found(photos)["cat/2024/may/0.png"] == "cat"


@needs_unix
def test_pipes_and_sockets_are_refused_without_waiting_for_anybody(photos):
    os.mkfifo(photos / "cat" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(photos / "dog" / "s"))
        assert refused(photos) == {"cat/pipe.png": "E_SPECIAL_FILE", "dog/s": "E_SPECIAL_FILE"}
    assert len(found(photos)) == 4


@needs_unix
def test_a_pipe_or_folder_that_a_table_names_is_refused_when_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(UnreadablePictureError, match="E_SPECIAL_FILE"):
            read_file(path)


@needs_unix
def test_the_pipe_itself_is_no_source(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadDataError, match="neither a file nor a folder"):
        open_source(tmp_path / "pipe")


@needs_unix
def test_links_that_lead_nowhere_or_to_themselves_cost_one_line(photos):
    (photos / "cat" / "gone.png").symlink_to(photos / "nothing")
    (photos / "cat" / "self.png").symlink_to(photos / "cat" / "self.png")
    (photos / "dog" / "null.png").symlink_to("/dev/null")
    assert refused(photos) == {
        "cat/gone.png": "E_MISSING",
        "cat/self.png": "E_UNREADABLE",
        "dog/null.png": "E_SPECIAL_FILE",
    }


@needs_unix
def test_links_out_of_the_folder_are_followed(photos, tmp_path):
    class_folders(tmp_path / "elsewhere", {"cow": 2})
    (photos / "cow").symlink_to(tmp_path / "elsewhere" / "cow")
    (photos / "cat" / "9.png").symlink_to(tmp_path / "elsewhere" / "cow" / "0.png")
    assert found(photos)["cow/1.png"] == "cow"
    assert found(photos)["cat/9.png"] == "cat"


@needs_unix
def test_links_in_circles_end(photos):
    (photos / "cat" / "up").symlink_to(photos)
    (photos / "cat" / "self").symlink_to(photos / "cat")
    (photos / "cat" / "above").symlink_to(photos.parent)
    assert len(found(photos)) == 4


@needs_unix
def test_links_to_folders_of_links_do_not_multiply(photos):
    # Thirty folders, each with two links to the next one: 2^30 paths for whoever follows them all.
    for i in range(30):
        level = photos.parent / f"level-{i}"
        level.mkdir()
        for side in "ab":
            (level / side).symlink_to(photos.parent / f"level-{i + 1}")
    class_folders(photos.parent / "level-30", {"": 1})
    (photos / "cat" / "start").symlink_to(photos.parent / "level-0")
    assert len(found(photos)) == 5


@needs_unix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_rights_costs_one_line(photos):
    (photos / "dog").chmod(0)
    try:
        assert refused(photos) == {"dog": "E_UNREADABLE"}
        assert len(found(photos)) == 2
    finally:
        (photos / "dog").chmod(0o700)


def test_a_folder_that_cannot_be_listed_costs_one_line(photos, monkeypatch):
    listed = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "dog":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(folder.os, "scandir", scandir)
    assert refused(photos) == {"dog": "E_UNREADABLE"}
    assert len(found(photos)) == 2


def test_folders_without_end_are_given_up(photos):
    deep = photos / "cat" / "/".join("d" * 120)
    deep.mkdir(parents=True)
    assert list(refused(photos).values()) == ["E_NAME"]


def test_more_files_than_memory_holds_are_refused(photos, monkeypatch):
    monkeypatch.setattr(folder, "MAX_FILES", 3)
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_ENTRIES"):
        items(photos)


@needs_unix
def test_bytes_that_are_no_text_are_a_name_all_the_same(photos):
    raw = os.fsencode(photos)
    try:
        Path(os.fsdecode(raw + b"/caf\xe9")).mkdir()
        Path(os.fsdecode(raw + b"/caf\xe9/\xff.png")).write_bytes(file_of(noise(7)))
    except OSError:
        pytest.skip("this filesystem takes UTF-8 only")
    [odd] = [item for item in items(photos) if isinstance(item, Found) and item.warnings]
    assert (odd.source, odd.labels, odd.warnings) == ("caf%E9/%FF.png", ("caf%E9",), ("W_NAME_NORMALISED",))
    assert odd.read() == file_of(noise(7))
    assert odd.path is None, "a path that is no text cannot be kept in a table"


def test_a_film_among_the_pictures_is_not_read(photos, monkeypatch):
    monkeypatch.setattr(regular_files, "LARGE_FILE_BYTES", 1000)
    (photos / "cat" / "film.mp4").write_bytes(b"\0\0\0 ftypisom" * 200)
    walked = FolderTree(photos)
    assert walked.picture("cat/0.png")() == walked.reader("cat/0.png")()
    with pytest.raises(UnreadablePictureError, match="E_NOT_IMAGE"):
        walked.picture("cat/film.mp4")()


def test_a_file_beyond_all_measure_is_refused(photos, monkeypatch):
    monkeypatch.setattr(regular_files, "MAX_FILE_BYTES", 100)
    with pytest.raises(UnreadablePictureError, match="E_BOMB_PIXELS"):
        FolderTree(photos).reader("cat/0.png")()


@needs_unix
def test_what_else_lies_beside_a_named_file_is_nobodys_concern(photos):
    (photos / "list.csv").write_text("path,label\ncat/0.png,tiger\n")
    os.mkfifo(photos / "pipe")
    assert found(photos / "list.csv") == {"cat/0.png": "tiger"}
    assert refused(photos / "list.csv") == {}


def test_a_workspace_inside_the_folder_is_not_taken_for_pictures(photos: Path):
    copies = photos / "ws" / "blobs" / "ab"
    copies.mkdir(parents=True)
    (copies / ("ab" * 32)).write_bytes(file_of(noise(9)))
    (photos / "ws" / "winnow.db").write_bytes(b"SQLite format 3\0")
    assert set(found(photos).values()) == {"cat", "dog"}
    assert refused(photos) == {}
