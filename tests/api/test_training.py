"""Training from end to end: what comes out, that it comes out again, and what it does not touch."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

import winnow
from winnow.api.loading import load
from winnow.api.model import Model
from winnow.errors import BadDataError, NotFoundError, UserError
from winnow.events import Event, Note, PlanMade, RungFinished, RungStarted, tell_nobody
from winnow.workspace.workspace import Workspace

from .squares import CLASSES, RUNGS, squares


def graph(model: Model) -> bytes:
    return (model.folder / "model.onnx").read_bytes()


def test_a_folder_becomes_a_model_with_its_proof(trained: Model, photos: Path) -> None:
    report = trained.report.numbers
    assert trained.classes == CLASSES
    assert trained.rung == "pixels-nearest-neighbour"
    assert report.verdict.startswith("Chosen: pixels + nearest neighbour.")
    assert [rung.rung for rung in report.ladder] == RUNGS
    assert report.judged.evaluation.n == 48
    assert report.test is not None
    assert report.test.evaluation.n == 12
    assert report.openings is not None
    assert (report.openings.opening, report.openings.count) == (1, 1)
    assert [answer.label for answer in trained.predict(photos)] == ["plain"] * 30 + ["square"] * 30
    assert sorted(path.name for path in trained.folder.iterdir()) == [
        "MODEL_CARD.md",
        "drift.json",
        "judged.npz",
        "model.onnx",
        "report.html",
        "report.json",
        "test.npz",
        "winnow.json",
    ]


def test_the_plan_is_told_before_and_each_rung_after(photos: Path, tmp_path: Path) -> None:
    heard: list[Event] = []
    winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=heard.append)
    told = [event for event in heard if isinstance(event, (PlanMade, RungFinished))]
    assert isinstance(told[0], PlanMade)
    assert [event.rung for event in told[1:] if isinstance(event, RungFinished)] == RUNGS


def test_the_same_seed_gives_the_same_bytes_in_another_workspace(trained: Model, photos: Path, tmp_path: Path) -> None:
    again = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=tell_nobody)
    assert graph(again) == graph(trained)
    assert again.report.numbers.judged == trained.report.numbers.judged
    assert again.report.numbers.test == trained.report.numbers.test


def test_the_order_in_which_rungs_are_named_does_not_matter(trained: Model, photos: Path, tmp_path: Path) -> None:
    again = winnow.train(photos, workspace=tmp_path, rungs=RUNGS[::-1], tell=tell_nobody)
    assert graph(again) == graph(trained)


def test_a_closed_test_split_stays_closed(photos: Path, tmp_path: Path) -> None:
    model = winnow.train(photos, workspace=tmp_path, rungs=RUNGS[:1], open_test=False, tell=tell_nobody)
    assert model.report.numbers.test is None
    assert model.report.numbers.openings is None
    assert Workspace.open(tmp_path).find_dataset("photos").openings == 0


def test_another_model_is_a_second_look_and_is_said_to_be(photos: Path, tmp_path: Path) -> None:
    heard: list[Event] = []
    first = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=tell_nobody)
    second = winnow.train(photos, workspace=tmp_path, rungs=RUNGS[:1], seed=1, tell=heard.append)
    assert graph(first) != graph(second), "one and the same model would be one and the same look"
    assert second.report.numbers.openings is not None
    assert second.report.numbers.openings.opening == 2
    assert any(isinstance(event, Note) and event.is_warning and "opened 2 times" in event.text for event in heard)


def test_the_same_training_again_is_the_same_model_and_no_second_look(photos: Path, tmp_path: Path) -> None:
    first, second = (winnow.train(photos, workspace=tmp_path, rungs=RUNGS[:1], tell=tell_nobody) for _ in range(2))
    assert first.folder == second.folder
    assert Workspace.open(tmp_path).find_dataset("photos").openings == 1


KILLED = """
import os, signal, sys
import winnow
from winnow.events import RungFinished

def kill_after_the_first_rung(event):
    if isinstance(event, RungFinished):
        os.kill(os.getpid(), signal.SIGKILL)

winnow.train(
    sys.argv[1], workspace=sys.argv[2], rungs=sys.argv[3:], backbone="none", tell=kill_after_the_first_rung
)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_climb_resumes_to_the_same_bits(trained: Model, photos: Path, tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(photos), str(tmp_path), *RUNGS], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    heard: list[Event] = []
    model = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=heard.append)
    assert any(isinstance(event, Note) and "resumed" in event.text for event in heard)
    assert [e.is_from_before for e in heard if isinstance(e, RungFinished)] == [True, False]
    assert graph(model) == graph(trained)


def test_a_budget_for_nothing_is_said_with_what_to_do(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="larger budget"):
        winnow.train(photos, workspace=tmp_path, rungs=RUNGS[1:], budget=1e-6, tell=tell_nobody)


def test_a_climb_stopped_by_ctrl_c_keeps_the_best_so_far(photos: Path, tmp_path: Path) -> None:
    def stop_at_the_second(event: Event) -> None:
        if isinstance(event, RungStarted) and event.rung == RUNGS[1]:
            raise KeyboardInterrupt

    model = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=stop_at_the_second)
    assert model.rung == "commonest-class"
    assert model.report.numbers.climb.was_interrupted


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"optimise": "acuracy"}, "Did you mean accuracy"),
        ({"prefer": "dearest"}, "choose cheapest or best"),
        ({"seed": -1}, "from 0 to 4294967295"),
        ({"rungs": ["pixels-swm"]}, "Did you mean pixels-svm"),
        ({"budget": "soon"}, "write 30s, 5m or 1h"),
        ({"backbone": "resnet"}, "No backbone is called 'resnet'"),
    ],
)
def test_an_argument_that_makes_no_sense_is_told(
    wish: dict[str, object], said: str, photos: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=said):
        winnow.train(photos, workspace=tmp_path, tell=tell_nobody, **wish)  # type: ignore[arg-type]


def test_no_rungs_at_all_is_told(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="rung"):
        winnow.train(photos, workspace=tmp_path, rungs=[], tell=tell_nobody)


def test_an_unknown_dataset_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="clouds"):
        winnow.train("clouds", workspace=tmp_path, tell=tell_nobody)


def test_few_groups_make_few_folds(photos: Path, tmp_path: Path) -> None:
    files = sorted(photos.rglob("*.png"))
    table = pa.table(
        {
            "path": [str(file) for file in files],
            "label": [file.parent.name for file in files],
            "group": [f"patient {place % 3}" for place in range(len(files))],
        }
    )
    model = winnow.train(table, workspace=tmp_path, rungs=RUNGS, tell=tell_nobody)
    assert model.report.numbers.climb.judged_by.startswith("2-fold")
    assert model.report.numbers.climb.n_judged == 40


def test_copies_of_one_picture_are_refused_in_a_sentence(tmp_path: Path) -> None:
    pictures, ids = squares(20)
    pictures[:] = pictures[0]
    with pytest.raises(BadDataError, match="copies of one picture or belong to one group"):
        winnow.train(pictures, ids, workspace=tmp_path, rungs=RUNGS, tell=tell_nobody)


ALONE = """
import socket, sys

def refuse(*_):
    raise AssertionError("a socket was opened")

socket.socket.connect = socket.socket.connect_ex = refuse
import numpy as np
import winnow

model = winnow.train(sys.argv[1], workspace=sys.argv[2], rungs=sys.argv[3:])
model.predict(sys.argv[1])
noise = np.random.default_rng(0).integers(0, 256, (20, 8, 8), dtype=np.uint8)
winnow.Classifier(rungs=sys.argv[3:]).fit(noise, [0, 1] * 10)
winnow.evaluate(model, noise, ["plain", "square"] * 10)
"""


def tree(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_nothing_is_written_outside_the_workspace_and_no_socket_is_opened(photos: Path, tmp_path: Path) -> None:
    places = {name: tmp_path / name for name in ("home", "tmp", "here")}
    for place in places.values():
        place.mkdir()
    pictures_before = tree(photos)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "WINNOW_"))}
    done = subprocess.run(
        [sys.executable, "-B", "-c", ALONE, str(photos), str(tmp_path / "workspace"), *RUNGS],
        env={
            **inherited,
            "HOME": str(places["home"]),
            "TMPDIR": str(places["tmp"]),
            "PYTHONPATH": str(Path(winnow.__file__).parents[1]),
        },
        cwd=places["here"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert {name: list(place.rglob("*")) for name, place in places.items()} == {"home": [], "tmp": [], "here": []}
    assert tree(photos) == pictures_before
    assert done.stdout == "", "stdout is for answers"
    assert "Chosen: " in done.stderr


def test_a_model_can_be_named(photos: Path, tmp_path: Path) -> None:
    model = winnow.train(photos, workspace=tmp_path, rungs=RUNGS[:1], name="first", tell=tell_nobody)
    assert (model.name, model.full_name) == ("first", "first@1")


def test_a_dataset_that_is_loaded_is_trained_where_it_lies(photos: Path, tmp_path: Path) -> None:
    dataset = load(photos, workspace=tmp_path)
    model = winnow.train(dataset, rungs=RUNGS[:1], tell=tell_nobody)
    assert tmp_path in model.folder.parents


def test_ctrl_c_keeps_the_best_so_far_and_the_test_closed_until_the_climb_is_done(photos: Path, tmp_path: Path) -> None:
    def impatient(event: Event) -> None:
        if isinstance(event, RungStarted) and event.rung == RUNGS[-1]:
            raise KeyboardInterrupt

    stopped = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=impatient).report.numbers
    assert stopped.climb.was_interrupted
    assert stopped.ladder[-1].state == "skipped"
    assert stopped.openings is None
    done = winnow.train(photos, workspace=tmp_path, rungs=RUNGS, tell=tell_nobody).report.numbers
    assert not done.climb.was_interrupted
    assert done.openings is not None
    assert done.openings.opening == 1
