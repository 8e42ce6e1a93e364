"""Pictures are decoded by other processes: what happens to one of those costs one picture and nothing else."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import tracemalloc
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from winnow.data.batch import Keep
from winnow.data.blobs import BlobStore
from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.decoder.facts import PictureFacts, facts_of, from_text, to_text
from winnow.data.decoder.pool import DecodingPool
from winnow.data.importing import import_examples
from winnow.data.inputs import InputSpec, read_input
from winnow.data.regular_files import read_file
from winnow.errors import WorkspaceError

from ..pictures import class_folders, file_of, noise


@pytest.fixture
def pool() -> Iterator[DecodingPool]:
    pool = DecodingPool(2)
    yield pool
    pool.close()


def test_a_child_tells_what_this_process_would_find(pool: DecodingPool):
    files = [file_of(noise(1)), file_of(noise(2, 40, 30), "JPEG"), file_of(noise(3), "GIF")]
    assert pool.facts(files) == [facts_of(data) for data in files]


def test_children_that_were_started_ahead_are_those_that_are_asked(pool: DecodingPool, monkeypatch):
    pool.start(1)
    pool.start()
    pool.start()
    monkeypatch.setattr("winnow.data.decoder.pool.Child", None)  # no other is made
    files = [file_of(noise(1)), file_of(noise(2))]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda data: pool.facts([data]), files * 4)) == [[facts_of(data)] for data in files * 4]


def test_where_no_child_can_be_started_ahead_whoever_needs_one_is_told(pool: DecodingPool, monkeypatch):
    def refuse() -> None:
        raise WorkspaceError("No process for decoding pictures can be started.")

    monkeypatch.setattr("winnow.data.decoder.pool.Child", refuse)
    pool.start()
    with pytest.raises(WorkspaceError, match="No process"):
        pool.facts([file_of(noise(1))])


def test_what_is_no_picture_says_why_and_the_next_one_is_read(pool: DecodingPool):
    nothing, picture = pool.facts([b"no picture", file_of(noise(1))])
    assert isinstance(nothing, UnreadablePictureError)
    assert nothing.code == "E_NOT_IMAGE"
    assert isinstance(picture, PictureFacts)


def test_the_pixels_come_over_whole(pool: DecodingPool):
    large, small = file_of(noise(4, 480, 640), "JPEG"), file_of(noise(1))
    assert np.array_equal(pool.pixels(large, 100), decode(large, at_least_px=100).pixels)
    assert np.array_equal(pool.pixels(small, 100), noise(1))
    with pytest.raises(UnreadablePictureError, match="E_TRUNCATED"):
        pool.pixels(small[:-60], 100)


@pytest.mark.parametrize("fit", ["squash", "crop"])
def test_files_come_as_a_graph_wants_to_see_them_or_with_the_reason_why_not(pool: DecodingPool, tmp_path: Path, fit):
    spec = InputSpec(12, fit)
    whole = {"a.png": file_of(noise(1, 30, 20)), "b.jpg": file_of(noise(2, 480, 640), "JPEG"), "c.png": b"no picture"}
    for name, data in whole.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder.png").mkdir()
    names = ["a.png", "gone.png", "b.jpg", "c.png", "folder.png", "a.png"]
    found = pool.inputs([str(tmp_path / name) for name in names], spec)
    told = [one.code if isinstance(one, UnreadablePictureError) else "" for one in found]
    assert told == ["", "E_MISSING", "", "E_NOT_IMAGE", "E_SPECIAL_FILE", ""]
    for place in (0, 2, 5):
        assert np.array_equal(np.asarray(found[place]), read_input(whole[names[place]], spec))
    assert pool.inputs([], spec) == []


def test_no_files_are_no_question(pool: DecodingPool):
    assert pool.facts([]) == []


def test_many_threads_may_ask_at_once(pool: DecodingPool):
    files = [file_of(noise(i)) for i in range(24)]
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda data: pool.facts([data])[0], files))
    assert answers == [facts_of(data) for data in files]


def test_programs_that_lie_beside_the_pictures_are_not_run(monkeypatch, tmp_path):
    for name in ("numpy", "PIL", "json", "struct", "winnow"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'was_run')!r}, 'w')\nraise SystemExit\n")
    monkeypatch.chdir(tmp_path)
    pool = DecodingPool(1)
    good = file_of(noise(1))
    assert pool.facts([good]) == [facts_of(good)]
    pool.close()
    assert not (tmp_path / "was_run").exists()


@pytest.mark.parametrize(("how", "code"), [("segfault", "E_CORRUPT"), ("hang", "E_TIMEOUT"), ("nonsense", "E_CORRUPT")])
def test_a_picture_that_takes_a_child_down_is_the_only_one_refused(how, code, monkeypatch, tmp_path):
    _sabotage(how, monkeypatch, tmp_path)
    pool = DecodingPool(1)
    good = file_of(noise(1))
    answers = pool.facts([good, b"evil", good])
    assert np.array_equal(pool.pixels(good, 8), noise(1))
    pool.close()
    assert answers[0] == answers[2] == facts_of(good)
    assert isinstance(answers[1], UnreadablePictureError)
    assert answers[1].code == code


@pytest.mark.parametrize("how", ["segfault", "hang", "nonsense"])
def test_a_file_that_takes_the_child_down_that_read_it_costs_one_line(how, monkeypatch, tmp_path):
    _sabotage(how, monkeypatch, tmp_path)
    photos = class_folders(tmp_path / "photos", {"cat": 3, "dog": 3})
    (photos / "cat" / "evil.png").write_bytes(b"evil")
    pool = DecodingPool(1)
    monkeypatch.setattr("winnow.data.batch.decoding_pool", lambda: pool)
    imported = import_examples(photos, Keep(BlobStore(tmp_path / "blobs")))
    pool.close()
    assert len(imported.manifest) == 6
    assert [line.source for line in imported.refused] == ["cat/evil.png"]


def test_a_file_that_takes_a_child_down_costs_its_own_input_only(monkeypatch, tmp_path):
    _sabotage("segfault", monkeypatch, tmp_path)
    (tmp_path / "good.png").write_bytes(file_of(noise(1, 8, 8)))
    (tmp_path / "evil.png").write_bytes(b"evil")
    pool = DecodingPool(1)
    first, evil, last = pool.inputs([str(tmp_path / f"{name}.png") for name in ("good", "evil", "good")], InputSpec(8))
    pool.close()
    assert np.array_equal(np.asarray(first), noise(1, 8, 8))
    assert np.array_equal(np.asarray(last), noise(1, 8, 8))
    assert isinstance(evil, UnreadablePictureError)
    assert evil.code == "E_CORRUPT"


def test_a_child_reads_files_and_tells_what_they_hold(pool: DecodingPool, tmp_path: Path):
    files = [file_of(noise(seed)) for seed in range(3)]
    for number, data in enumerate(files):
        (tmp_path / str(number)).write_bytes(data)
    with pool.reading([str(tmp_path / name) for name in ("0", "missing", "1", "2")]) as reading:
        assert [held and held.content for held in reading.files] == [
            hashlib.sha256(data).hexdigest() if data else None for data in (files[0], None, files[1], files[2])
        ]
        assert reading.tell([0, 3], [2]) == ([facts_of(files[0]), facts_of(files[2])], [files[1]])
        assert reading.tell([], []) == ([], [])


def test_a_child_holds_no_more_than_a_few_megabytes(pool: DecodingPool, tmp_path: Path):
    path = tmp_path / "5 MB"
    path.write_bytes(bytes(5 << 20))
    with pool.reading([str(path)] * 3) as reading:
        assert len(reading.files) == 2


def test_a_large_file_lies_in_memory_once(pool: DecodingPool, tmp_path: Path):
    whole = file_of(noise(1)) + bytes(30 << 20)
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    small.write_bytes(file_of(noise(2)))
    large.write_bytes(whole)
    tracemalloc.start()
    try:
        with pool.reading([str(small), str(large)]) as reading:
            told = reading.tell([0, 1], [0, 1])
            assert told is not None
            facts, files = told
            is_whole = files[1] == whole
        assert pool.facts([files[1]]) == facts[1:]
        assert read_file(large, is_picture=True) == whole
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert is_whole
    assert peak < 2 * len(whole) + (5 << 20), "what the child gave, and what was read here"


def test_a_child_that_gives_other_bytes_than_it_read_is_not_believed(monkeypatch, tmp_path: Path):
    _run_instead(monkeypatch, tmp_path, "child._about = lambda data: child.HELD_FILE.pack(bytes(32), len(data))")
    pool = DecodingPool(1)
    (tmp_path / "file").write_bytes(b"held")
    with pool.reading([str(tmp_path / "file")]) as reading:
        assert reading.tell([], [0]) is None
    pool.close()


def test_a_child_takes_no_more_memory_than_a_picture_may(tmp_path):
    # The largest picture that is read, in the dearest mode: 64 megapixels with transparency.
    side = 8192
    rows = zlib.compress(bytes(side * (4 * side + 1)), 1)
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    chunks = (b"IHDR" + header, b"IDAT" + rows, b"IEND")
    sized = (struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks)
    path = tmp_path / "large.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(sized))
    script = (
        "import sys\n"
        "from tests.data.peak import peak_bytes\n"
        "from winnow.data.decoder.facts import facts_of\n"
        "from winnow.data.decoder.child import limit_memory\n"
        "limit_memory()\n"
        "before = peak_bytes()\n"
        "facts = facts_of(open(sys.argv[1], 'rb').read())\n"
        "print(facts.width, (peak_bytes() - before) // 1024)\n"
    )
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", script, path], cwd=root, capture_output=True, text=True, check=True)
    width, kilobytes = map(int, run.stdout.split())
    assert width == side
    assert kilobytes < 512 * 1024


def test_facts_survive_being_written_down():
    facts = facts_of(file_of(noise(1)))
    assert from_text(to_text(facts)) == facts


def test_so_does_why_there_are_none():
    error = from_text(to_text(UnreadablePictureError("E_EMPTY", "The file is empty.")))
    assert isinstance(error, UnreadablePictureError)
    assert (error.code, error.reason) == ("E_EMPTY", "The file is empty.")


@pytest.mark.parametrize("text", ["", "{}", "[1, 2]", '["a", 1, 2, "PNG", true, [], null]', "null"])
def test_what_is_no_answer_is_not_believed(text):
    with pytest.raises(ValueError, match=r"no facts|Expecting"):
        from_text(text)


def test_grey_is_told_from_colour():
    grey = np.repeat(noise(1)[..., :1], 3, axis=2)
    assert facts_of(file_of(grey)).is_grey
    grey = grey.copy()
    grey[-1, -1, 0] ^= 1
    assert not facts_of(file_of(grey)).is_grey


def _sabotage(how: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """A child whose decoder misbehaves on one file: what a flaw in a library would do."""
    sabotage = {
        "segfault": "os.kill(os.getpid(), 11)",
        "hang": "[None for _ in iter(int, 1)]",
        "nonsense": "(os.write(1, b'\\xff' * 4000), os._exit(0))",
    }[how]
    _run_instead(
        monkeypatch,
        folder,
        "child.CPU_S = 0.3\n"
        "import winnow.data.decoder.facts as facts, winnow.data.inputs as inputs\n"
        "honest = facts.decode\n"
        f"facts.decode = lambda data, **how: {sabotage} if data == b'evil' else honest(data, **how)\n"
        "inputs.decode = facts.decode",
    )


def _run_instead(monkeypatch: pytest.MonkeyPatch, folder: Path, change: str) -> None:
    (folder / "run_child.py").write_text(
        f"import os, sys\nimport winnow.data.decoder.child as child\n{change}\nchild.main()\n"
    )
    monkeypatch.setattr("winnow.data.decoder.child_process.COMMAND", (sys.executable, str(folder / "run_child.py")))
