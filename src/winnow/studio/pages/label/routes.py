"""What the label page's own script asks: rows in the order of a filter, what changed, and actions to store."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response

from winnow.api.labelling import act, take_back, taken_back, undo_action
from winnow.data.class_names import ClassNameError, class_name, encodable
from winnow.data.edits import Edit, from_json
from winnow.errors import NotFoundError, UserError
from winnow.studio.pages.label.capture import add_captured
from winnow.studio.pages.label.desk import Desk
from winnow.studio.refusals import OddRequestError, answered, body_of
from winnow.workspace.names import same_name_key
from winnow.workspace.records import VersionRecord
from winnow.workspace.workspace import Workspace

NOBODY = "somebody in the studio"
_LOG_SHOWN = 40
_MOST_ROWS = 1000
_NAME_CHARS = 60
_MOST_CHARS = 100
_MOST_BYTES = 64 << 20
"""Of one request: a label for each of 200,000 pictures, or what the camera takes at once, with room to spare."""


async def _body(request: Request) -> bytes | None:
    """What was sent; None where it is more than any page of ours sends."""
    return await body_of(request, _MOST_BYTES)


_Sent = Annotated[bytes | None, Depends(_body)]


class Desks:
    """The datasets that are being labelled here; one desk each, as long as the studio runs."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._desks: dict[str, Desk] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Desk:
        """The desk of a dataset; NotFoundError if there is none of that name."""
        key = same_name_key(name)
        with self._lock:
            if key not in self._desks:
                self._desks[key] = Desk(self.workspace, name)
            return self._desks[key]

    def forget(self, name: str) -> None:
        """The dataset is gone: one that comes later under its name is another."""
        with self._lock:
            self._desks.pop(same_name_key(name), None)


def label_routes(workspace: Workspace) -> APIRouter:
    """The routes below /label-data."""
    router = APIRouter(prefix="/label-data")
    desks = Desks(workspace)

    # None is async: reading and storing wait in threads, and other pages go on.
    @router.get("/{name}/state")
    def _state(name: str, client: str = "", epoch: str = "", since: int = 0) -> Response:
        def answer() -> dict[str, Any]:
            desk = desks.of(name)
            try:
                desk.look()
            except NotFoundError:
                desks.forget(name)
                raise
            return _state_of(desk, client, epoch, since)

        return _answered(answer)

    @router.get("/{name}/order")
    def _order(name: str, which: str = "all") -> Response:
        def answer() -> dict[str, Any]:
            desk = desks.of(name)
            desk.board.catch_up()
            order = desk.order(which)
            board = desk.board
            return {"epoch": board.epoch, "version": board.version, "rows": order.rows, "note": order.note}

        return _answered(answer)

    @router.get("/{name}/rows")
    def _rows(name: str, ids: str, epoch: str, which: str = "all") -> Response:
        def answer() -> dict[str, Any]:
            desk = desks.of(name)
            with desk.board.held():
                return _rows_of(desk, ids, epoch, which)

        return _answered(answer)

    @router.post("/{name}/names")
    def _names(name: str, sent: _Sent) -> Response:
        def answer() -> dict[str, Any]:
            asked, board = _asked(sent), desks.of(name).board
            with board.held():
                is_known = asked.get("epoch") == board.epoch
                rows = _rows_in(asked, len(board.sources)) if is_known else []
                return {"epoch": board.epoch, "names": [board.sources[row] for row in rows]}

        return _answered(answer)

    @router.post("/{name}/act")
    def _act(name: str, sent: _Sent) -> Response:
        def answer() -> dict[str, Any]:
            asked = _asked(sent)
            done = act(desks.of(name).board, _edits(asked), who=_who(asked), action=_text(asked, "action"))
            return {"version": done.record.number, "what": done.record.what, "gone": list(done.gone)}

        return _answered(answer)

    @router.post("/{name}/take-back")
    def _take_back(name: str, sent: _Sent) -> Response:
        def answer() -> dict[str, Any]:
            asked = _asked(sent)
            board, version = desks.of(name).board, _number(asked.get("version"))
            action = undo_action(_text(asked, "client"), version)
            board.catch_up()
            stored = next((one for one in reversed(board.log) if one.action == action), None)
            record = stored or take_back(workspace, board.name, version, who=_who(asked), action=action)
            board.catch_up()
            return {"version": record.number, "what": record.what, "gone": []}

        return _answered(answer)

    @router.post("/{name}/capture")
    def _capture(name: str, sent: _Sent) -> Response:
        def answer() -> dict[str, Any]:
            asked, board = _asked(sent), desks.of(name).board
            pictures = [str(one) for one in _listed(asked, "pictures")]
            n_new = add_captured(workspace, board.name, _text(asked, "label"), pictures, who=_who(asked))
            board.catch_up()
            return {"version": board.version, "added": n_new}

        return _answered(answer)

    return router


def _answered(answer: Callable[[], dict[str, Any]]) -> Response:
    return answered(lambda: JSONResponse(answer()))


def _state_of(desk: Desk, client: str, epoch: str, since: int) -> dict[str, Any]:
    board, lessons = desk.board, desk.lessons
    undo, redo = board.steps(client)
    is_new = epoch != board.epoch
    return {
        "epoch": board.epoch,
        "version": board.version,
        "n": len(board),
        "task": board.task,
        "classes": [[name, count] for name, count in board.class_counts.items()],
        "unlabelled": board.n_unlabelled,
        "splits": board.split_counts,
        "changed": [] if is_new else [_cell(desk, row) for row in board.changed_since(since)],
        "undo": undo[-1] if undo else None,
        "redo": redo[-1] if redo else None,
        "log": [_told(record) for record in board.log[: -_LOG_SHOWN - 1 : -1]],
        "model": {
            "ready": lessons.ready,
            "learned": lessons.n_learned,
            "seen": lessons.n_seen,
            "n": lessons.n,
            "reason": lessons.reason,
        },
    }


def _told(record: VersionRecord) -> dict[str, Any]:
    taken = taken_back(record)
    return {
        "number": record.number,
        "who": record.who,
        "what": record.what if taken is None else f"took version {taken} back: {record.what}",
        "created": record.created,
        "can": record.parent is not None and record.kind not in ("import", "restore", "change"),
    }


def _cell(desk: Desk, row: int) -> list[Any]:
    board = desk.board
    return [row, board.labels[row], board.splits[row], bool(board.is_there[row])]


def _rows_of(desk: Desk, ids: str, epoch: str, which: str) -> dict[str, Any]:
    board = desk.board
    if epoch != board.epoch:
        return {"epoch": board.epoch, "rows": []}
    rows = [_number(text) for text in ids.split(",")[:_MOST_ROWS]]
    found: list[list[Any]] = []
    for row in rows:
        if row >= len(board.sources):
            raise OddRequestError
        guess = desk.guess(row, which)
        said = [list(guess[0]), round(guess[1], 3)] if guess else [None, None]
        found.append([*_cell(desk, row), board.contents[row], board.sources[row], *said])
    return {"epoch": board.epoch, "ready": desk.lessons.ready, "rows": found}


def _asked(sent: bytes | None) -> dict[str, Any]:
    """The JSON object that was sent."""
    if sent is None:
        raise UserError(f"More than {_MOST_BYTES >> 20} MB came at once: do it in several steps.")
    try:
        asked: object = json.loads(sent)
    except (ValueError, RecursionError) as error:
        raise OddRequestError from error
    if not isinstance(asked, dict):
        raise OddRequestError
    return cast("dict[str, Any]", asked)


def _edits(asked: dict[str, Any]) -> tuple[Edit, ...]:
    try:
        text = json.dumps(asked["edits"], ensure_ascii=False)
        text.encode()  # half of a pair of surrogates is no text
        edits = from_json(text)
    except (KeyError, TypeError, AttributeError, UnicodeEncodeError) as error:
        raise OddRequestError from error
    if not all(isinstance(picture, str) for edit in edits for picture in cast("tuple[object, ...]", edit.pictures)):
        raise OddRequestError
    return edits


def _rows_in(asked: dict[str, Any], n: int) -> list[int]:
    rows = [_number(row) for row in _listed(asked, "rows")]
    if any(row >= n for row in rows):
        raise OddRequestError
    return rows


def _listed(asked: dict[str, Any], key: str) -> list[Any]:
    given = asked.get(key, [])
    if not isinstance(given, list):
        raise OddRequestError
    return cast("list[Any]", given)


def _number(given: Any) -> int:
    text = str(given)
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise OddRequestError
    return int(text)


def _text(asked: dict[str, Any], key: str) -> str:
    """A short text, such as an action's name."""
    text = asked.get(key)
    if not isinstance(text, str) or not 0 < len(text) <= _MOST_CHARS or encodable(text) != text:
        raise OddRequestError
    return text


def _who(asked: dict[str, Any]) -> str:
    """The visitor's name, without signs that hide or turn what follows."""
    try:
        return class_name(encodable(str(asked.get("who") or NOBODY))[:_NAME_CHARS])[0]
    except ClassNameError:
        return NOBODY
