"""Archives are read in place like folders, whatever their packing; hostile ones are refused whole, with a code."""

from __future__ import annotations

import gzip
import io
import lzma
import random
import shutil
import stat
import struct
import tarfile
import threading
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from winnow.data import regular_files
from winnow.data.decode import UnreadablePictureError
from winnow.data.sources import archive, open_source, tarred
from winnow.data.sources.containers import archive_at
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.errors import BadDataError
from winnow.events import Note

from .pictures import file_of, noise

FILES = {f"photos/{label}/{i}.png": file_of(noise(i)) for i, label in enumerate(["cat", "dog", "cat", "dog"])}


def items(path: Path) -> list[Found | Refused | Note]:
    """All that a source yields."""
    return list(open_source(path).find(ImportOptions()))


def contents(path: Path) -> dict[str, bytes]:
    """What lies in an archive, by name."""
    opened = archive_at(path)
    assert opened is not None
    return {name: opened.reader(name)() for name in opened.paths}


def codes(path: Path) -> list[str]:
    """The codes of what is refused or remarked."""
    return [item.code for item in items(path) if not isinstance(item, Found)]


def zip_of(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as target:
        for name, data in files.items():
            target.writestr(zipfile.ZipInfo(name), data, method)
    return path


def tar_of(path: Path, files: dict[str, bytes], *members: tarfile.TarInfo, pax: bool = True) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT) as target:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
        for member in members:
            target.addfile(member)
    return path


def packed(path: Path, kind: str) -> Path:
    """The same file packed as a whole."""
    data = path.read_bytes()
    path = path.with_name(f"{path.name}.{kind}")
    if kind in ("zstd", "lz4"):
        with pa.CompressedOutputStream(str(path), kind) as stream:
            stream.write(data)
    else:
        import bz2

        pack: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}
        path.write_bytes(pack[kind](data))
    return path


# Reading


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_gives_what_went_in(method, tmp_path):
    assert contents(zip_of(tmp_path / "a.zip", FILES, method)) == FILES


def _zip_by_hand(data: bytes, packed: bytes, method: int, name: bytes = b"cat/a.txt") -> bytes:
    shared = struct.pack("<5H3L2H", 20, 0, method, 0, 0, zlib.crc32(data), len(packed), len(data), len(name), 0)
    local = b"PK\3\4" + shared + name + packed
    central = b"PK\1\2\x14\0" + shared + struct.pack("<3H2L", 0, 0, 0, 0, 0) + name
    return local + central + b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, len(central), len(local), 0)


@pytest.mark.parametrize(
    ("method", "pack"),
    [(93, lambda data: pa.Codec("zstd").compress(data, asbytes=True)), (95, lzma.compress)],
    ids=["zstd", "xz"],
)
def test_a_zip_of_a_new_method_is_read(method, pack, tmp_path):
    data = bytes(range(256)) * 50
    (tmp_path / "a.zip").write_bytes(_zip_by_hand(data, pack(data), method))
    assert contents(tmp_path / "a.zip") == {"cat/a.txt": data}


def test_a_method_nobody_knows_costs_its_own_line(tmp_path):
    (tmp_path / "a.zip").write_bytes(_zip_by_hand(b"data", b"data", 9))
    with pytest.raises(UnreadablePictureError, match="E_ARCHIVE_UNSUPPORTED"):
        contents(tmp_path / "a.zip")


@pytest.mark.parametrize("kind", ["plain", "gz", "bz2", "xz", "zstd", "lz4"])
@pytest.mark.parametrize("pax", [True, False], ids=["pax", "gnu"])
def test_a_tar_gives_what_went_in(kind, pax, tmp_path):
    files = FILES | {f"photos/cat/{'x' * 150}/ä.png": b"1", "photos/dog/" + "y" * 120: b""}
    path = tar_of(tmp_path / "a.tar", files, pax=pax)
    path = path if kind == "plain" else packed(path, kind)
    assert contents(path) == files


def test_an_archive_is_known_by_its_content_not_its_name(tmp_path):
    zip_of(tmp_path / "a.bin", FILES)
    packed(tar_of(tmp_path / "b", FILES), "xz").rename(tmp_path / "b.backup")
    shutil.copy(tmp_path / "b.backup", tmp_path / "c.zip")
    for name in ("a.bin", "b.backup", "c.zip"):
        assert [item.labels for item in items(tmp_path / name) if isinstance(item, Found)] == [("cat",)] * 2 + [
            ("dog",)
        ] * 2


def test_packed_files_of_several_parts_are_read_to_the_end(tmp_path):
    data = tar_of(tmp_path / "a.tar", FILES).read_bytes()
    half = len(data) // 2
    for kind in ("gz", "bz2", "xz", "zstd"):
        parts: list[bytes] = []
        for part in (data[:half], data[half:]):
            (tmp_path / "part").write_bytes(part)
            parts.append(packed(tmp_path / "part", kind).read_bytes())
        (tmp_path / f"whole.tar.{kind}").write_bytes(b"".join(parts))
        assert contents(tmp_path / f"whole.tar.{kind}") == FILES, kind


def test_a_packed_tar_leaves_nothing_behind(tmp_path, monkeypatch):
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tarred, "spool_folder", lambda: str(spool))
    opened = archive_at(packed(tar_of(tmp_path / "a.tar", FILES), "gz"))
    assert opened is not None
    assert opened.reader("photos/cat/0.png")() == FILES["photos/cat/0.png"]
    assert not list(spool.iterdir())


def test_a_packed_tar_that_does_not_fit_says_how_much_room_there_is(tmp_path, monkeypatch):
    monkeypatch.setattr(tarred, "_ROOM_LEFT_BYTES", 1 << 62)
    with pytest.raises(BadDataError, match="TMPDIR"):
        archive_at(packed(tar_of(tmp_path / "a.tar", FILES), "gz"))


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_an_archive_is_read_by_many_threads(make, tmp_path):
    files = {f"cat/{i}": random.Random(i).randbytes(5000) for i in range(50)}
    opened = archive_at(make(tmp_path / "a", files))
    assert opened is not None
    start = threading.Barrier(8)

    def read_all(_: int) -> dict[str, bytes]:
        start.wait()
        return {name: opened.reader(name)() for name in opened.paths}

    with ThreadPoolExecutor(8) as pool:
        assert all(read == files for read in pool.map(read_all, range(8)))


def test_names_with_a_dot_slash_in_front_are_names_without(tmp_path):
    assert list(contents(tar_of(tmp_path / "a.tar", {"./cat/./1.png": b"x", ".//dog/2.png": b"y"}))) == [
        "cat/1.png",
        "dog/2.png",
    ]


def test_a_file_that_is_not_there_is_missed_when_it_is_read(tmp_path):
    opened = archive_at(zip_of(tmp_path / "a.zip", FILES))
    assert opened is not None
    with pytest.raises(FileNotFoundError):
        opened.reader("photos/cow/1.png")()


def test_a_name_from_the_unicode_field_goes_before_the_old_one(tmp_path):
    raw = b"cat/k\xe4fer.png"
    field = struct.pack("<HHBL", 0x7075, 5 + len("cat/käfer.png".encode()), 1, zlib.crc32(raw))
    info = zipfile.ZipInfo("cat/kXfer.png")
    info.extra = field + "cat/käfer.png".encode()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as target:
        target.writestr(info, b"x")
    path = tmp_path / "a.zip"
    path.write_bytes(path.read_bytes().replace(b"cat/kXfer.png", raw))
    assert list(contents(path)) == ["cat/käfer.png"]


def test_zip64_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
    assert contents(zip_of(tmp_path / "a.zip", FILES)) == FILES


def test_an_entry_takes_little_memory(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as target:
        for i in range(5_000):
            target.writestr(zipfile.ZipInfo(f"class-{i % 10}/picture-{i}.png"), b"x" * 40)
    tracemalloc.start()
    opened = archive_at(path)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert opened is not None
    assert len(opened.paths) == 5_000
    assert held / 5_000 < 300
    assert peak / 5_000 < 600


# Odd, but honest


def test_what_stands_before_and_behind_a_zip_is_told(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES)
    path.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())
    assert codes(path) == ["W_TRAILING_DATA"]
    assert contents(path) == FILES
    path.write_bytes(path.read_bytes() + b"<html>")
    assert codes(path) == ["W_TRAILING_DATA"] * 2


def test_what_stands_before_a_zip_is_told_if_its_places_count_it_too(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"#!/bin/sh\nexit\n")
    with zipfile.ZipFile(path, "a") as target:
        for name, data in FILES.items():
            target.writestr(name, data)
    assert codes(path) == ["W_TRAILING_DATA"]
    assert contents(path) == FILES


def test_the_mark_of_a_split_zip_that_is_whole_again_is_no_remark(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES)
    path.write_bytes(b"PK00" + path.read_bytes())
    assert codes(path) == []


def test_a_comment_is_not_taken_for_the_end_of_a_zip(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES)
    with zipfile.ZipFile(path, "a") as target:
        target.comment = b"PK\5\6" + bytes(18)
    assert contents(path) == FILES


@pytest.mark.parametrize("n", [3, 5])
def test_a_zip_that_lists_more_or_less_than_it_should_hold_is_refused(n, tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES)
    data = bytearray(path.read_bytes())
    struct.pack_into("<2H", data, len(data) - 14, n, n)
    path.write_bytes(data)
    with pytest.raises(RefusedSourceError, match=f"{n} entries, and lists 4.*E_ARCHIVE_CORRUPT"):
        open_source(path).find(ImportOptions())


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_a_folder_with_bytes_in_it_is_not_lost_silently(make, tmp_path):
    path = make(tmp_path / "a", FILES | {"photos/cat/9.png/": b"data"})
    assert [(item.source, item.code) for item in items(path) if isinstance(item, Refused)] == [
        ("photos/cat/9.png/", "E_ARCHIVE_CORRUPT")
    ]


def test_a_tar_without_the_mark_at_its_end_is_read_and_told(tmp_path):
    path = tar_of(tmp_path / "a.tar", FILES)
    path.write_bytes(_without_end(path))
    assert codes(path) == ["E_ARCHIVE_CORRUPT"]
    assert contents(path) == FILES


def _without_end(path: Path) -> bytes:
    with tarfile.open(path) as source:
        last = source.getmembers()[-1]
    return path.read_bytes()[: last.offset_data + -(-last.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE]


def test_an_entry_without_a_name_is_told_so(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES | {"./.": b"x"})
    [line] = [item for item in items(path) if isinstance(item, Refused)]
    assert (line.source, line.code) == ("(no name)", "E_NAME")
    assert "is empty" in line.reason


def test_what_stands_behind_a_tar_is_told_unless_it_is_padding(tmp_path):
    path = tar_of(tmp_path / "a.tar", FILES)
    path.write_bytes(path.read_bytes() + bytes(5000))
    assert codes(path) == []
    path.write_bytes(path.read_bytes() + b"more")
    assert codes(path) == ["W_TRAILING_DATA"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_name_that_is_there_twice_is_kept_twice_and_told(kind, tmp_path):
    path = tmp_path / f"a.{kind}"
    names = ["cat/a.png", "cat/a.png", "cat/a (2).png", "cat/a.png"]
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as target:
            for i, name in enumerate(names):
                target.writestr(name, str(i))
    else:
        with tarfile.open(path, "w") as target:
            for i, name in enumerate(names):
                info = tarfile.TarInfo(name)
                info.size = 1
                target.addfile(info, io.BytesIO(str(i).encode()))
    assert contents(path) == {
        "cat/a.png": b"0",
        "cat/a (2).png": b"2",
        "cat/a (3).png": b"1",
        "cat/a (4).png": b"3",
    }
    assert codes(path) == ["W_NAME_COLLISION"]


def test_archives_inside_are_named_not_opened(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES | {"photos/cat/more.tar.gz": b"x", "old.zip": b"y"})
    assert [(item.source, item.code) for item in items(path) if isinstance(item, Refused)] == [
        ("old.zip", "W_NESTED_IGNORED"),
        ("photos/cat/more.tar.gz", "W_NESTED_IGNORED"),
    ]


def test_litter_in_an_archive_is_left_out_silently(tmp_path):
    litter = {"__MACOSX/photos/cat/._0.png": b"x", "photos/.DS_Store": b"x", "photos/cat/Thumbs.db": b"x"}
    assert contents(zip_of(tmp_path / "a.zip", FILES | litter)) == FILES


def test_a_name_that_is_too_deep_costs_its_own_line(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES | {"d/" * 200 + "a.png": b"x", "n" * 5000: b"x"})
    assert codes(path) == ["E_NAME", "E_NAME"]
    assert contents(path) == FILES


def test_a_damaged_entry_costs_its_own_line(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES, zipfile.ZIP_STORED)
    data = path.read_bytes()
    place = data.index(FILES["photos/cat/0.png"]) + 100
    path.write_bytes(data[:place] + b"\0\0\0\0" + data[place + 4 :])
    opened = archive_at(path)
    assert opened is not None
    with pytest.raises(UnreadablePictureError, match="E_ARCHIVE_CORRUPT"):
        opened.reader("photos/cat/0.png")()
    assert opened.reader("photos/cat/2.png")() == FILES["photos/cat/2.png"]


def test_a_large_file_that_is_no_picture_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGE_FILE_BYTES", 1000)
    monkeypatch.setattr(regular_files, "LARGE_FILE_BYTES", 1000)
    large = file_of(noise(1, 100, 100))
    for make in (zip_of, tar_of):
        opened = archive_at(make(tmp_path / "a", {"cat/film.mp4": b"\0\0\0 ftypisom" * 200, "cat/large.png": large}))
        assert opened is not None
        assert opened.picture("cat/large.png")() == large
        assert len(opened.reader("cat/film.mp4")()) == 2400
        with pytest.raises(UnreadablePictureError, match="E_NOT_IMAGE"):
            opened.picture("cat/film.mp4")()


# Hostile or hopeless


HOSTILE_NAMES = ["../evil", "cat/../../evil", "/etc/passwd", "C:evil", "c:\\evil", "..\\evil", "\\\\host\\x", "cat/.."]


@pytest.mark.parametrize("make", [zip_of, tar_of])
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_points_outside_condemns_the_archive(make, name, tmp_path):
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_TRAVERSAL"):
        open_source(make(tmp_path / "a", FILES | {name: b"x"}))


def test_a_nul_in_a_name_condemns_the_archive(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES | {"cat/XX/evil": b"x"})
    path.write_bytes(path.read_bytes().replace(b"cat/XX", b"cat/\0/"))
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_TRAVERSAL"):
        open_source(path)


@pytest.mark.parametrize("name", ["b: side/1.png", "....//x", "%2e%2e%2fevil", "..%c0%afevil", "~/.ssh/x", "a..b/c"])
def test_a_name_that_stays_inside_is_only_a_name(name, tmp_path):
    assert len(contents(zip_of(tmp_path / "a.zip", FILES | {name: b"x"}))) == 5


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        (stat.S_IFLNK, "E_ARCHIVE_LINK"),
        (stat.S_IFIFO, "E_ARCHIVE_SPECIAL"),
        (stat.S_IFCHR, "E_ARCHIVE_SPECIAL"),
        (stat.S_IFBLK, "E_ARCHIVE_SPECIAL"),
        (stat.S_IFSOCK, "E_ARCHIVE_SPECIAL"),
    ],
)
def test_a_zip_with_something_that_is_no_file_is_refused(mode, code, tmp_path):
    info = zipfile.ZipInfo("cat/x")
    info.external_attr = (mode | 0o644) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as target:
        target.writestr(info, "/etc/passwd")
    with pytest.raises(RefusedSourceError, match=code):
        open_source(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (tarfile.SYMTYPE, "E_ARCHIVE_LINK"),
        (tarfile.LNKTYPE, "E_ARCHIVE_LINK"),
        (tarfile.FIFOTYPE, "E_ARCHIVE_SPECIAL"),
        (tarfile.CHRTYPE, "E_ARCHIVE_SPECIAL"),
        (tarfile.BLKTYPE, "E_ARCHIVE_SPECIAL"),
        (tarfile.GNUTYPE_SPARSE, "E_ARCHIVE_SPECIAL"),
        (b"M", "E_ARCHIVE_SPECIAL"),
    ],
)
def test_a_tar_with_something_that_is_no_file_is_refused(kind, code, tmp_path):
    member = tarfile.TarInfo("cat/x")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(RefusedSourceError, match=code):
        open_source(tar_of(tmp_path / "a.tar", FILES, member))


def test_a_pax_header_cannot_smuggle_a_path_or_a_size(tmp_path):
    for said, code in (
        ({"path": "../../x"}, "TRAVERSAL"),
        ({"size": "-1"}, "CORRUPT"),
        ({"size": "9" * 30}, "CORRUPT"),
        ({"size": "9" * 4300}, "CORRUPT"),  # the longest that Python reads, and its end is too long to write
    ):
        member = tarfile.TarInfo("cat/x")
        member.pax_headers = said
        with pytest.raises(RefusedSourceError, match=f"E_ARCHIVE_{code}"):
            open_source(tar_of(tmp_path / "a.tar", FILES, member))


def _cpu_s(judge: Callable[[], object]) -> float:
    began = time.process_time()
    judge()
    return time.process_time() - began


def _header(name: str, kind: bytes, body: bytes) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(body)
    return info.tobuf(tarfile.USTAR_FORMAT) + body + bytes(-len(body) % tarfile.BLOCKSIZE)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE], ids=["here", "everywhere"])
def test_a_pax_header_of_a_hundred_thousand_records_costs_no_time(kind, tmp_path):
    said = b"".join(b"%d k%06d=\n" % (len("11 k000000=\n"), i) for i in range(80_000))
    files = {f"cat/{i}.png": bytes(40) for i in range(2_000)}
    path = tar_of(tmp_path / "a.tar", files)
    path.write_bytes(_header("pax", kind, said) + path.read_bytes())
    assert _cpu_s(lambda: archive_at(path)) < 5
    assert contents(path) == files


def test_headers_that_belong_to_no_file_have_an_end(tmp_path):
    path = tar_of(tmp_path / "a.tar", FILES)
    path.write_bytes(_header("pax", tarfile.XHDTYPE, b"") * 101 + path.read_bytes())
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_CORRUPT"):
        open_source(path)


def test_a_packed_tar_of_hundreds_of_thousands_of_parts_costs_no_time(tmp_path):
    whole = gzip.compress(tar_of(tmp_path / "a.tar", FILES).read_bytes())
    (tmp_path / "a.tar.gz").write_bytes(whole + gzip.compress(b"") * 400_000)
    # Copying what is left of a megabyte for each part took twice as long, and what is left of a little a fourth.
    assert _cpu_s(lambda: archive_at(tmp_path / "a.tar.gz")) < 3
    assert contents(tmp_path / "a.tar.gz") == FILES


def test_a_password_is_asked_for_by_nobody(tmp_path):
    path = zip_of(tmp_path / "a.zip", FILES)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\1\2") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_ENCRYPTED"):
        open_source(path)


@pytest.mark.parametrize("kind", ["zip", "gz", "bz2", "xz", "zstd"])
def test_a_bomb_is_not_unpacked(kind, tmp_path, monkeypatch):
    for module in (archive, tarred):
        monkeypatch.setattr(module, "BOMB_ENTRY_BYTES", 1 << 20)
    bomb = {"cat/a.bmp": bytes(8 << 20)}
    path = zip_of(tmp_path / "a.zip", bomb) if kind == "zip" else packed(tar_of(tmp_path / "a.tar", bomb), kind)
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_BOMB"):
        open_source(path)


def test_many_small_bombs_are_one_bomb(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "BOMB_BYTES", 1 << 20)
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_BOMB"):
        open_source(zip_of(tmp_path / "a.zip", {f"cat/{i}.bmp": bytes(200_000) for i in range(10)}))


def test_an_entry_that_unpacks_to_more_than_it_says_is_cut_off(tmp_path):
    data = bytes(1 << 20)
    crafted = bytearray(_zip_by_hand(data, zlib.compress(data, wbits=-15), 8))
    for signature, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        struct.pack_into("<L", crafted, crafted.index(signature) + at, 100)
    (tmp_path / "a.zip").write_bytes(crafted)
    with pytest.raises(UnreadablePictureError, match="E_ARCHIVE_CORRUPT"):
        contents(tmp_path / "a.zip")


def test_tens_of_thousands_of_empty_entries_are_refused(tmp_path):
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_ENTRIES"):
        open_source(tar_of(tmp_path / "a.tar", {f"c/{i}.txt": b"" for i in range(11_000)}))


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.xz", "tar.zstd", "zip"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_an_archive_that_was_cut_off_is_refused_whole(kind, share, tmp_path):
    files = {f"cat/{i}.png": random.Random(i).randbytes(4000) for i in range(9)}
    path = zip_of(tmp_path / "a.zip", files) if kind == "zip" else tar_of(tmp_path / "a.tar", files)
    path = packed(path, kind.split(".")[1]) if "." in kind else path
    cut = tmp_path / f"cut.{kind}"
    # A tar ends with up to 10 kB of zeros, which may be missing.
    length = path.stat().st_size - (10_240 if kind == "tar" else 0)
    cut.write_bytes(path.read_bytes()[: int(length * share)])
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_CORRUPT"):
        open_source(cut)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.zst"])
def test_nothing_at_all_is_told(name, tmp_path):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(RefusedSourceError, match="E_EMPTY"):
        open_source(tmp_path / name)


def test_an_archive_of_folders_or_litter_holds_nothing(tmp_path):
    for files in ({}, {"cat/": b"", "dog/": b""}, {"__MACOSX/._x": b"x"}):
        with pytest.raises(RefusedSourceError, match="E_EMPTY"):
            open_source(zip_of(tmp_path / "a.zip", files))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(50)),
        ("a.rar", b"Rar!\x1a\x07\x01\0" + bytes(50)),
        ("7z called.zip", b"7z\xbc\xaf\x27\x1c" + bytes(50)),
        ("rar called.tar.gz", b"Rar!\x1a\x07\x01\0" + bytes(50)),
        ("a.tar.Z", b"\x1f\x9d\x90" + bytes(50)),
        ("photo.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\3\x4b\x04\0\x43\xbe\xb7\xe8\1\0\0\0"),
        ("a.xz", lzma.compress(b"a")),
    ],
)
def test_other_archives_say_what_to_do(name, data, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(RefusedSourceError, match=r"unpack it yourself.*E_ARCHIVE_UNSUPPORTED"):
        open_source(tmp_path / name)
