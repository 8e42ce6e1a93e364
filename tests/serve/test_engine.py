"""Questions in, answers out: the same as everywhere else, and one for every question whatever happens to workers."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from PIL import Image

from data.pictures import file_of, noise
from winnow.errors import ConflictError, UserError
from winnow.serve import crew
from winnow.serve.engine import Engine
from winnow.serve.opening import open_served
from winnow.serve.questions import Answer, Question, UnansweredError
from winnow.serve.served import Lineup, Served, Share

from .tiny_models import expected, tiny_model

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="stops and ends processes by signals"),
]


def lineup_of_one(folder: Path) -> Lineup:
    return Lineup([Share(open_served(str(folder)), 1.0)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "first")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def one_worker(folder: Path) -> AsyncGenerator[Engine]:
    engine = Engine(lineup_of_one(folder), workers=1, most_waiting=3)
    await engine.start()
    yield engine
    await engine.drain(5)


@pytest.fixture
def served(one_worker: Engine) -> Served:
    return one_worker.lineup.choose(None, None, b"")


class Pictures:
    """New pictures each time, so that no answer is known already."""

    seed = 0

    def some(self, n: int) -> list[bytes]:
        Pictures.seed += n
        return [file_of(noise(Pictures.seed - place)) for place in range(n)]


@pytest.fixture
def new() -> Callable[[int], list[bytes]]:
    return Pictures().some


def ask(engine: Engine, served: Served, what: Any, patience_s: float = 30.0) -> Coroutine[Any, Any, Answer]:
    return engine.ask(Question(served, what, time.monotonic() + patience_s))


async def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.005)


async def hold(engine: Engine, served: Served, n: int) -> tuple[int, list[asyncio.Task[Answer]]]:
    """Stop the one worker and ask n questions: it has the first, under load the second as well, the others wait."""
    (worker,) = engine.process_ids
    os.kill(worker, signal.SIGSTOP)
    tasks = [asyncio.ensure_future(ask(engine, served, picture)) for picture in Pictures().some(n)]
    await until(lambda: engine.counts.computing + engine.counts.waiting == n)
    return worker, tasks


MODES = {
    "1": Image.fromarray(noise(1, channels=1)).convert("1"),
    "L": Image.fromarray(noise(2, channels=1)),
    "LA": Image.fromarray(noise(3, channels=1)).convert("LA"),
    "P": Image.fromarray(noise(4)).quantize(16),
    "RGB": Image.fromarray(noise(5, 40, 60)),
    "RGBA": Image.fromarray(noise(6, channels=4)),
    "CMYK": Image.fromarray(noise(7)).convert("CMYK"),
    "I;16": Image.fromarray(noise(8, channels=1).astype(np.uint16) * 257),
    "F": Image.fromarray(noise(9, channels=1).astype(np.float32) / 255),
}


async def test_answers_are_those_of_python_for_every_mode_and_orientation(
    one_worker: Engine, served: Served, folder: Path
):
    files = [file_of(image, "PNG" if mode not in ("CMYK", "F") else "TIFF") for mode, image in MODES.items()]
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        files.append(file_of(noise(orientation, 150, 200), "JPEG", exif=exif))  # large enough to be drafted
    answers = [await ask(one_worker, served, file) for file in files]
    found = np.stack([answer.outputs["probabilities"] for answer in answers])
    assert found == pytest.approx(expected(folder, files), abs=1e-6)
    assert all(answer.served is served for answer in answers)
    lengths = {len(answer.summary) for answer in answers}
    others = (file_of(noise(number)) for number in range(1000, 5000))
    while 7 not in lengths:  # those that come fast are sampled
        lengths.add(len((await ask(one_worker, served, next(others))).summary))
    assert lengths <= {0, 7}


async def test_a_bad_picture_costs_its_own_answer_only(
    one_worker: Engine, served: Served, test_data: Path, new: Callable[[int], list[bytes]]
):
    bad = sorted(path for path in (test_data / "badinput/images").rglob("*") if path.is_file())[::100]
    workers = one_worker.process_ids
    outcomes = [
        one
        for path in bad
        for one in await asyncio.gather(ask(one_worker, served, path.read_bytes()), return_exceptions=True)
    ]
    refused = [one for one in outcomes if isinstance(one, UnansweredError)]
    assert {one.status // 100 for one in refused} == {4}
    assert {one.code[:2] for one in refused} == {"E_"}
    assert {type(one) for one in outcomes} == {Answer, UnansweredError}
    await ask(one_worker, served, *new(1))
    assert one_worker.process_ids == workers


async def test_the_same_bytes_are_computed_once(one_worker: Engine, served: Served, new: Callable[[int], list[bytes]]):
    (picture,) = new(1)
    computed = one_worker.counts.in_queue.count
    together = await asyncio.gather(*(ask(one_worker, served, picture) for _ in range(3)))
    later = await ask(one_worker, served, picture)
    assert one_worker.counts.in_queue.count == computed + 1
    assert later.is_cached
    assert all(np.array_equal(one.outputs["probabilities"], later.outputs["probabilities"]) for one in together)


async def test_what_is_wrong_with_a_picture_is_remembered_too(one_worker: Engine, served: Served):
    with pytest.raises(UnansweredError) as first:
        await ask(one_worker, served, b"no picture")
    computed = one_worker.counts.in_queue.count
    with pytest.raises(UnansweredError) as second:
        await ask(one_worker, served, b"no picture")
    assert (second.value.status, second.value.code) == (415, "E_NOT_IMAGE") == (first.value.status, first.value.code)
    assert one_worker.counts.in_queue.count == computed


async def test_a_full_queue_refuses_and_says_when_to_come_again(
    one_worker: Engine, served: Served, new: Callable[[int], list[bytes]]
):
    worker, accepted = await hold(one_worker, served, 5)
    with pytest.raises(UnansweredError, match="3 questions are waiting already") as refused:
        await ask(one_worker, served, *new(1))
    os.kill(worker, signal.SIGCONT)
    assert (refused.value.status, refused.value.code) == (429, "queue-full")
    assert refused.value.retry_after_s is not None
    assert refused.value.retry_after_s > 0
    assert len(await asyncio.gather(*accepted)) == 5


async def test_a_question_whose_time_is_over_is_never_computed(
    one_worker: Engine, served: Served, new: Callable[[int], list[bytes]]
):
    worker, accepted = await hold(one_worker, served, 2)
    handed_out = one_worker.counts.in_queue.count
    for patience_s in (-1.0, 0.02):
        with pytest.raises(UnansweredError) as late:
            await ask(one_worker, served, *new(1), patience_s)
        assert (late.value.status, late.value.code) == (504, "too-late")
    os.kill(worker, signal.SIGCONT)
    await asyncio.gather(*accepted)
    assert one_worker.counts.in_queue.count == handed_out + 1


async def test_a_bug_of_one_who_waited_too_long_is_not_the_others_affair(
    one_worker: Engine, served: Served, new: Callable[[int], list[bytes]]
):
    worker, accepted = await hold(one_worker, served, 1)
    told: list[Answer | UnansweredError] = []

    def fail(found: Answer | UnansweredError) -> None:
        told.append(found)
        raise ValueError("a bug of who asked")

    deadline = time.monotonic() + 0.02
    for picture in new(2):
        one_worker.put(Question(served, picture, deadline), fail)
    await until(lambda: len(told) == 2)
    assert one_worker.counts.waiting == 0
    os.kill(worker, signal.SIGCONT)
    await asyncio.gather(*accepted)


async def test_a_question_that_nobody_waits_for_is_never_computed(one_worker: Engine, served: Served):
    worker, (first, second) = await hold(one_worker, served, 2)
    handed_out = one_worker.counts.in_queue.count
    second.cancel()
    await asyncio.wait([second])
    assert one_worker.counts.waiting == one_worker.counts.waiting_bytes == 0
    os.kill(worker, signal.SIGCONT)
    await first
    assert one_worker.counts.in_queue.count == handed_out


async def test_a_killed_worker_is_replaced_and_its_questions_are_asked_again(one_worker: Engine, served: Served):
    restarts = one_worker.counts.restarts
    worker, accepted = await hold(one_worker, served, 3)
    os.kill(worker, signal.SIGKILL)
    assert len(await asyncio.gather(*accepted)) == 3
    assert one_worker.counts.restarts == restarts + 1
    assert worker not in one_worker.process_ids


async def test_a_question_that_workers_do_not_survive_is_given_up(
    one_worker: Engine, served: Served, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crew, "_MOST_LOST", 1)
    worker, (first, second) = await hold(one_worker, served, 2)
    os.kill(worker, signal.SIGKILL)
    with pytest.raises(UnansweredError) as lost:
        await first
    assert (lost.value.status, lost.value.code, lost.value.retry_after_s) == (503, "worker-lost", 1.0)
    assert (await second).served is served


@pytest.mark.parametrize(("name", "code"), [("SIGPROF", "E_TIMEOUT"), ("SIGSEGV", "E_CORRUPT")])
async def test_a_picture_that_ends_its_worker_is_to_blame(one_worker: Engine, served: Served, name: str, code: str):
    worker, (first, second) = await hold(one_worker, served, 2)
    os.kill(worker, getattr(signal, name))
    os.kill(worker, signal.SIGCONT)
    with pytest.raises(UnansweredError) as refused:
        await first
    assert (refused.value.status, refused.value.code) == (422, code)
    assert (await second).served is served


async def test_a_worker_that_does_not_come_back_is_ended(folder: Path):
    engine = Engine(lineup_of_one(folder), workers=1, patience_s=0.2)
    await engine.start()
    _, (first,) = await hold(engine, engine.lineup.choose(None, None, b""), 1)
    with pytest.raises(UnansweredError, match=r"No answer was found in 0\.2 s") as slow:
        await first
    assert slow.value.status == 504
    await engine.drain(5)


async def test_a_question_behind_a_slow_one_is_answered_by_another_worker(folder: Path):
    engine = Engine(lineup_of_one(folder), workers=2)
    await engine.start()
    served = engine.lineup.choose(None, None, b"")
    for worker in engine.process_ids:
        os.kill(worker, signal.SIGSTOP)
    # One each, then a second for the first worker; two still wait.
    tasks = [asyncio.ensure_future(ask(engine, served, picture)) for picture in Pictures().some(5)]
    await until(lambda: engine.counts.computing == 3)
    os.kill(engine.process_ids[1], signal.SIGCONT)
    await until(lambda: sum(task.done() for task in tasks) == 4)
    assert not tasks[0].done()
    os.kill(engine.process_ids[0], signal.SIGCONT)
    assert len(await asyncio.gather(*tasks)) == 5
    await engine.drain(5)


async def test_a_drained_engine_finishes_what_it_accepted(folder: Path, new: Callable[[int], list[bytes]]):
    engine = Engine(lineup_of_one(folder), workers=1)
    await engine.start()
    served = engine.lineup.choose(None, None, b"")
    worker, accepted = await hold(engine, served, 3)
    draining = asyncio.ensure_future(engine.drain(30))
    await until(lambda: engine.is_draining)
    with pytest.raises(UnansweredError) as refused:
        await ask(engine, served, *new(1))
    assert (refused.value.status, refused.value.code) == (503, "draining")
    with pytest.raises(ConflictError, match="being stopped"):
        await engine.swap(lineup_of_one(folder))
    os.kill(worker, signal.SIGCONT)
    assert len(await asyncio.gather(*accepted)) == 3
    await draining
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


async def test_a_drain_does_not_wait_for_ever(folder: Path):
    engine = Engine(lineup_of_one(folder), workers=1)
    await engine.start()
    _, accepted = await hold(engine, engine.lineup.choose(None, None, b""), 2)
    await engine.drain(0.05)
    for task in accepted:
        with pytest.raises(UnansweredError) as lost:
            await task
        assert lost.value.status == 503


async def test_a_swap_under_load_loses_no_answer_and_mixes_none(
    folder: Path, tmp_path: Path, new: Callable[[int], list[bytes]]
):
    other = tiny_model(tmp_path / "second", scale=3.0)
    engine = Engine(lineup_of_one(folder), workers=1, most_cached=0)
    await engine.start()
    before, after = engine.lineup, lineup_of_one(other)
    pictures = new(40)
    truth = {
        one.choose(None, None, b"").path: expected(one.choose(None, None, b"").path, pictures)
        for one in (before, after)
    }
    answers: list[tuple[int, Answer]] = []
    is_over = asyncio.Event()

    async def load(start: int) -> None:
        while not is_over.is_set():
            for place in range(start, len(pictures), 4):
                served = engine.lineup.choose(None, None, b"")
                answers.append((place, await ask(engine, served, pictures[place])))
                assert answers[-1][1].served is served

    askers = [asyncio.ensure_future(load(start)) for start in range(4)]
    await until(lambda: len(answers) > 40)
    await engine.swap(after)
    n_before = len(answers)
    await until(lambda: len(answers) > n_before + 40)
    is_over.set()
    await asyncio.gather(*askers)
    for place, answer in answers:
        assert answer.outputs["probabilities"] == pytest.approx(truth[answer.served.path][place], abs=1e-6)
    assert {answer.served.path for _, answer in answers} == truth.keys()
    await engine.drain(5)


async def test_where_only_shares_change_no_worker_is_started(one_worker: Engine, served: Served):
    workers, before = one_worker.process_ids, one_worker.lineup
    again = Lineup([Share(served, 1.0)])
    await one_worker.swap(again)
    assert one_worker.process_ids == workers
    assert one_worker.lineup is again is not before


async def test_a_swap_that_fails_changes_nothing(
    one_worker: Engine, served: Served, tmp_path: Path, new: Callable[[int], list[bytes]]
):
    broken = lineup_of_one(tiny_model(tmp_path / "broken", scale=2.0))
    (tmp_path / "broken/model.onnx").write_bytes(b"")
    before, workers = one_worker.lineup, one_worker.process_ids
    with pytest.raises(UserError, match="is not the graph that"):
        await one_worker.swap(broken)
    assert (one_worker.lineup, one_worker.process_ids) == (before, workers)
    assert (await ask(one_worker, served, *new(1))).served is served
