"""What the label page's own script asks: rows in the order of a filter, what changed, and actions to store."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from winnow.api.labelling import act, take_back, taken_back, undo_action
from winnow.data.class_names import ClassNameError, class_name, encodable
from winnow.data.edits import Edit, from_json
from winnow.errors import NotFoundError, UserError, WorkspaceError
from winnow.studio.pages.label.capture import add_captured
from winnow.studio.pages.label.desk import Desk
from winnow.workspace.records import VersionRecord
from winnow.workspace.workspace import Workspace

NOBODY = "somebody in the studio"
_LOG_SHOWN = 40
_MOST_ROWS = 1000
_NAME_CHARS = 60
_ACTION_CHARS = 100
_Json = Annotated[dict[str, Any], Body()]


class Desks:
    """The datasets that are being labelled here; one desk each, as long as the studio runs."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._desks: dict[str, Desk] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Desk:
        """The desk of a dataset; NotFoundError if there is none of that name."""
        with self._lock:
            if name not in self._desks:
                self._desks[name] = Desk(self.workspace, name)
            return self._desks[name]

    def forget(self, name: str) -> None:
        """The dataset is gone: one that comes later under its name is another."""
        with self._lock:
            self._desks.pop(name, None)


def label_routes(workspace: Workspace) -> APIRouter:
    """The routes below /label-data."""
    router = APIRouter(prefix="/label-data")
    desks = Desks(workspace)

    # None is async: reading and storing wait in threads, and other pages go on.
    @router.get("/{name}/state")
    def _state(name: str, client: str = "", epoch: str = "", since: int = 0) -> JSONResponse:
        def answer() -> dict[str, Any]:
            desk = desks.of(name)
            desk.look()
            return _state_of(desk, client, epoch, since)

        try:
            return _answered(answer)
        except NotFoundError as error:
            desks.forget(name)
            return _refused(error)

    @router.get("/{name}/order")
    def _order(name: str, which: str = "all") -> JSONResponse:
        def answer() -> dict[str, Any]:
            desk = desks.of(name)
            desk.board.catch_up()
            order = desk.order(which)
            board = desk.board
            return {"epoch": board.epoch, "version": board.version, "rows": order.rows, "note": order.note}

        return _answered(answer)

    @router.get("/{name}/rows")
    def _rows(name: str, ids: str, epoch: str, which: str = "all") -> JSONResponse:
        return _answered(lambda: _rows_of(desks.of(name), ids, epoch, which))

    @router.post("/{name}/names")
    def _names(name: str, asked: _Json) -> JSONResponse:
        def answer() -> dict[str, Any]:
            board = desks.of(name).board
            if asked.get("epoch") != board.epoch:
                return {"epoch": board.epoch, "names": []}
            return {"epoch": board.epoch, "names": [board.sources[int(row)] for row in asked["rows"]]}

        return _answered(answer)

    @router.post("/{name}/act")
    def _act(name: str, asked: _Json) -> JSONResponse:
        def answer() -> dict[str, Any]:
            done = act(desks.of(name).board, _edits(asked), who=_who(asked), action=_action(asked))
            return {"version": done.record.number, "what": done.record.what, "gone": list(done.gone)}

        return _answered(answer)

    @router.post("/{name}/take-back")
    def _take_back(name: str, asked: _Json) -> JSONResponse:
        def answer() -> dict[str, Any]:
            board, version = desks.of(name).board, int(asked["version"])
            action = undo_action(_action({"action": asked.get("client")}), version)
            board.catch_up()
            stored = next((one for one in reversed(board.log) if one.action == action), None)
            record = stored or take_back(workspace, board.name, version, who=_who(asked), action=action)
            board.catch_up()
            return {"version": record.number, "what": record.what, "gone": []}

        return _answered(answer)

    @router.post("/{name}/capture")
    def _capture(name: str, asked: _Json) -> JSONResponse:
        def answer() -> dict[str, Any]:
            board = desks.of(name).board
            n_new = add_captured(workspace, board.name, str(asked["label"]), asked["pictures"])
            board.catch_up()
            return {"version": board.version, "added": n_new}

        return _answered(answer)

    return router


def _answered(answer: Callable[[], dict[str, Any]]) -> JSONResponse:
    """The answer; a sentence with 503 where trying again may help, with 4xx where it does not."""
    try:
        return JSONResponse(answer())
    except (KeyError, ValueError, TypeError, IndexError) as error:
        return JSONResponse({"error": f"This is no request of the label page ({error!r}): load it again."}, 400)
    except UserError as error:
        return _refused(error)


def _refused(error: UserError) -> JSONResponse:
    status = 503 if isinstance(error, WorkspaceError) else 404 if isinstance(error, NotFoundError) else 409
    return JSONResponse({"error": str(error)}, status)


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
    rows = [int(text) for text in ids.split(",")[:_MOST_ROWS]]
    found: list[list[Any]] = []
    for row in rows:
        guess = desk.guess(row, which)
        said = [list(guess[0]), round(guess[1], 3)] if guess else [None, None]
        found.append([*_cell(desk, row), board.contents[row], board.sources[row], *said])
    return {"epoch": board.epoch, "ready": desk.lessons.ready, "rows": found}


def _edits(asked: dict[str, Any]) -> tuple[Edit, ...]:
    return from_json(json.dumps(asked["edits"]))


def _who(asked: dict[str, Any]) -> str:
    """The visitor's name, without signs that hide or turn what follows."""
    try:
        return class_name(encodable(str(asked.get("who") or NOBODY))[:_NAME_CHARS])[0]
    except ClassNameError:
        return NOBODY


def _action(asked: dict[str, Any]) -> str:
    action = str(asked["action"])
    if not 0 < len(action) <= _ACTION_CHARS or not action.isascii():
        raise ValueError("action")
    return action
