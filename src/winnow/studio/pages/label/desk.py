"""What the label page knows of one dataset while somebody looks at it: its board, and a model that learns along."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from dataclasses import dataclass

import numpy as np

from winnow.api.dataset import Dataset
from winnow.api.labelling import Board
from winnow.api.suggesting import HOWS, How, Pupil
from winnow.errors import NotFoundError, UserError
from winnow.studio.checks import checks_of, pictures_of
from winnow.workspace.workspace import Workspace

_IDLE_S = 60.0
_PAUSE_S = 0.2
_TRY_AGAIN_S = 60.0
"""So long after a failure the model is given another chance: a disk may be free again, a backbone added."""
_NICENESS = 10
_GROWTH = 1.5
"""So many times the pictures must have been seen before the same labels are learned from again."""
_PATIENCE_S = 20.0
"""So long a visitor waits for a health check, and a thread of the server with them."""
_ALIKE = 120
_log = logging.getLogger(__name__)


@dataclass
class Order:
    """Rows in the order of a filter, and a sentence where there is something to say about it."""

    rows: list[int]
    note: str = ""


@dataclass
class Lessons:
    """Where the model stands."""

    ready: int = 0
    """Grows with every lesson: what was suggested before is out of date then."""
    n_learned: int = 0
    n_seen: int = 0
    n: int = 0
    reason: str = ""
    """Why nothing can be suggested; "" where something can, or soon will."""


class Desk:
    """One dataset; routes of several visitors use it at once."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        self.board = Board(workspace, name)
        self.lessons = Lessons()
        self._workspace = workspace
        self._pupil: Pupil | None = None
        self._epoch = ""
        self._learned_from = (-1, 0)
        """The version whose labels were learned from, and how many pictures had been seen then."""
        self._rests_until = 0.0
        self._looked_at = 0.0
        self._failed_at = -_TRY_AGAIN_S
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def look(self) -> None:
        """Somebody looks: take in what others did, and let the model learn."""
        self.board.catch_up()
        self._looked_at = time.monotonic()
        with self._lock:
            is_resting = time.monotonic() - self._failed_at < _TRY_AGAIN_S
            if not is_resting and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._teach, name="winnow-suggesting", daemon=True)
                self._thread.start()

    @property
    def _current(self) -> Pupil | None:
        """The model, if it knows the rows as they are: after an import it has to begin anew."""
        return self._pupil if self._epoch == self.board.epoch else None

    def guess(self, row: int, which: str) -> tuple[tuple[str, ...], float] | None:
        """What is suggested for a row, shown in a filter; None where nothing is."""
        pupil = self._current
        if pupil is None:
            return None
        return (pupil.contradictions.get(row) if which == "wrong" else None) or pupil.guess(row)

    def order(self, which: str) -> Order:
        """The rows of a filter: those of `Board.chosen`, of `suggest`, "near:PICTURE" or "only:FINDING".

        Raises:
            UserError: no filter is called so.
            NotFoundError: no such picture or finding.
        """
        kind, _, value = which.partition(":")
        for how in HOWS:
            if kind == how:
                return self._suggested(how)
        if kind == "near":
            return self._near(self.board.place(value))
        if kind == "only":
            return self._found(value)
        return Order(self.board.chosen(which))

    def _suggested(self, how: How) -> Order:
        pupil, board = self._current, self.board
        if pupil is None or not pupil.n_seen:
            reason = self.lessons.reason or "The model is still looking at its first pictures; try again in a moment."
            return Order(board.chosen("unlabelled" if how in ("useful", "uncertain") else "all"), reason)
        rows = pupil.order(how, self._labels(), is_there=lambda row: bool(board.is_there[row]))
        note = ""
        if pupil.n_seen < len(board.sources):
            note = f"The model has looked at {pupil.n_seen:,} of {len(board.sources):,} pictures so far."
        if how == "useful" and not rows:
            note = "Every picture has a label."
        if how == "wrong" and not rows:
            note = "No label looks wrong, or too few pictures of two classes have one to tell."
        return Order(rows, note)

    def _near(self, row: int) -> Order:
        likeness = _hash_likeness(self.board.phashes, row)
        pupil = self._current
        seen = None if pupil is None else pupil.like(row)
        if seen is not None:
            likeness = np.maximum(likeness, seen)
        likeness[~self.board.is_there] = -2
        likeness[row] = 2
        nearest = np.argsort(-likeness, kind="stable")[:_ALIKE]
        return Order([place for place in nearest.tolist() if likeness[place] > -2], "The most similar pictures first.")

    def _found(self, code: str) -> Order:
        board = self.board
        checks = checks_of(self._workspace)
        health = checks.health(board.name)
        if health is None:
            work = checks.begin(Dataset(self._workspace, board.name, board.version))
            work.wait(_PATIENCE_S)
            if work.is_running:
                said = "The health check is still under way, so all pictures are shown; press Show again in a moment."
                return Order(board.chosen("all"), said)
            health = work.outcome
        findings = () if health is None else health.findings
        finding = next((one for one in findings if code in (one.code, one.kind)), None)
        if finding is None:
            raise NotFoundError(
                f"The health check finds nothing called '{code}' in this version: all pictures are shown."
            )
        beside = {one.source: one.beside for one in finding.examples}
        named = [one for source in pictures_of(finding) for one in (source, beside.get(source)) if one is not None]
        gone = board.missing(named)
        rows = dict.fromkeys(board.place(picture) for picture in named if picture not in gone)
        return Order(list(rows), finding.sentence)

    def _labels(self) -> list[tuple[str, ...] | None]:
        board = self.board
        pairs = zip(board.labels, board.is_there.tolist(), strict=True)
        return [labels if is_there else None for labels, is_there in pairs]

    def _teach(self) -> None:
        """Look at more pictures and learn from new labels, as long as somebody looks at the page."""
        # Linux gives each thread its own priority, and those it starts inherit it: storing a label must not wait.
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        try:
            self._workspace.prepare_edits(self.board.name)
            while time.monotonic() - self._looked_at < _IDLE_S:
                if not self._step():
                    time.sleep(_PAUSE_S)
        except UserError as error:
            self._failed_at = time.monotonic()
            self.lessons.reason = str(error)
        except Exception:  # a page that labels must go on without suggestions
            _log.exception("the model that suggests labels failed")
            self._failed_at = time.monotonic()
            self.lessons.reason = "Nothing can be suggested: the model failed; the studio's terminal says more."

    def _step(self) -> bool:
        """One step; False if there was nothing to do."""
        board = self.board
        if self._pupil is None or self._epoch != board.epoch:
            epoch, contents = board.epoch, board.contents
            self._pupil = Pupil(self._workspace, contents)
            self._epoch = epoch
            self._learned_from = (-1, 0)
        pupil, version = self._pupil, board.version
        has_looked = pupil.n_seen < pupil.n
        if has_looked:
            pupil.look_on()
        if self._is_time_for_a_lesson(pupil, version):
            self._lesson(pupil, version)
            return True
        return has_looked

    def _is_time_for_a_lesson(self, pupil: Pupil, version: int) -> bool:
        learned_version, learned_seen = self._learned_from
        has_grown = pupil.n_seen >= _GROWTH * learned_seen or pupil.n_seen == pupil.n
        is_new = version != learned_version or (pupil.n_seen != learned_seen and has_grown)
        return is_new and time.monotonic() >= self._rests_until

    def _lesson(self, pupil: Pupil, version: int) -> None:
        start = time.monotonic()
        guesses = pupil.learn(self._labels(), has_several=self.board.task == "multilabel")
        self._learned_from = (version, pupil.n_seen)
        # At most half of the time: the other half is for looking, and for those who label.
        self._rests_until = 2 * time.monotonic() - start
        n_learned = 0 if guesses is None else guesses.n_learned
        self.lessons = Lessons(self.lessons.ready + 1, n_learned, pupil.n_seen, len(self.board.sources))


def _hash_likeness(phashes: list[bytes], row: int) -> np.ndarray:
    """(N,) the cosine between perceptual hashes; -1 where one is empty."""
    likeness = np.full(len(phashes), -1, dtype=np.float32)
    places = [place for place, phash in enumerate(phashes) if phash]
    if not phashes[row]:
        return likeness
    hashes = np.frombuffer(b"".join(phashes[place] for place in places), np.int8).reshape(len(places), -1)
    rows = hashes.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
    likeness[places] = rows @ rows[places.index(row)]
    return likeness
