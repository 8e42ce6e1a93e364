"""Work in the background says how far it is, ends in one of four ways, and can be stopped."""

from __future__ import annotations

import threading

import pytest

from winnow.errors import UserError
from winnow.events import Note, Progress, Tell
from winnow.studio.background import Background


def test_the_outcome_is_there_when_it_is_done():
    def work(tell: Tell) -> int:
        tell(Progress("counting", 2, 3))
        tell(Note("mind the gap"))
        return 7

    background = Background(work)
    background.wait(5)
    assert (background.state, background.outcome, background.error) == ("done", 7, "")
    assert background.progress == Progress("counting", 2, 3)
    assert [note.text for note in background.notes] == ["mind the gap"]


def test_what_the_visitor_can_mend_is_kept_as_a_sentence():
    def work(_: Tell) -> None:
        raise UserError("The disk is full.")

    background = Background(work)
    background.wait(5)
    assert (background.state, background.error) == ("failed", "The disk is full.")


def test_what_we_must_mend_is_not_shown_to_the_visitor(caplog: pytest.LogCaptureFixture):
    def work(_: Tell) -> None:
        raise ZeroDivisionError("secret")

    background = Background(work)
    background.wait(5)
    assert background.state == "failed"
    assert "secret" not in background.error
    assert "secret" in caplog.text


def test_it_stops_with_its_next_word():
    began, go_on = threading.Event(), threading.Event()

    def work(tell: Tell) -> None:
        began.set()
        go_on.wait(5)
        tell(Progress("counting", 1))

    background = Background(work)
    began.wait(5)
    background.stop()
    go_on.set()
    background.wait(5)
    assert (background.state, background.outcome) == ("stopped", None)


@pytest.mark.parametrize("fails", [True, False])
def test_what_belongs_afterwards_is_done_however_it_ended(fails: bool):
    done: list[str] = []

    def work(_: Tell) -> None:
        if fails:
            raise UserError("No.")

    Background(work, lambda: done.append("tidied")).wait(5)
    assert done == ["tidied"]
