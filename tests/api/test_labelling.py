"""Labelling together: the board follows everybody, and each can take back what they did."""

from __future__ import annotations

from pathlib import Path

import pytest

import winnow
from winnow.api.dataset import Dataset
from winnow.api.labelling import Board, act, take_back, undo_action
from winnow.data.edits import MergeClasses, MoveToSplit, Relabel, Remove, RenameClass
from winnow.errors import NotFoundError, UserError
from winnow.events import tell_nobody


@pytest.fixture
def squares(photos: Path, tmp_path: Path) -> Dataset:
    return winnow.load(photos, name="squares", workspace=tmp_path / "ws", tell=tell_nobody)


@pytest.fixture
def board(squares: Dataset) -> Board:
    return Board(squares.workspace, "squares")


def labels(board: Board) -> list[tuple[str, ...] | None]:
    return [board.labels[row] for row in board.chosen("all")]


def test_the_board_follows_what_others_do(board: Board, squares: Dataset):
    first = board.sources[0]
    squares.relabel({first: "circle"})
    board.catch_up()
    assert (board.version, board.labels[0], board.changed_since(1)) == (2, ("circle",), [0])
    assert board.chosen("class:circle") == [0]
    squares.relabel({first: None})
    squares.remove([board.sources[1]])
    board.catch_up()
    assert board.chosen("unlabelled") == [0]
    assert (board.n_unlabelled, len(board), 1 in board.chosen("all")) == (1, 59, False)
    assert sum(board.split_counts.values()) == 59


def test_an_import_makes_a_new_epoch(board: Board, squares: Dataset):
    epoch = board.epoch
    squares.relabel({board.sources[0]: "circle"})
    board.catch_up()
    assert board.epoch == epoch
    squares.restore(1)
    board.catch_up()
    assert board.epoch != epoch


def test_an_action_that_comes_twice_is_stored_once(board: Board):
    edits = [Relabel({board.sources[0]: "circle"})]
    one, again = (act(board, edits, who="ada", action="ada:1") for _ in range(2))
    assert one == again
    assert (board.version, board.log[-1].who) == (2, "ada")


def test_pictures_that_somebody_removed_meanwhile_do_not_stop_the_others(board: Board, squares: Dataset):
    gone, there = board.sources[:2]
    squares.remove([gone])
    done = act(board, [Relabel({gone: "circle", there: "circle"})], who="ada", action="ada:1")
    assert done.gone == (gone,)
    assert board.chosen("class:circle") == [1]
    with pytest.raises(NotFoundError, match="No picture"):
        act(board, [Relabel({gone: "circle"})], who="ada", action="ada:2")


def test_each_visitor_undoes_their_own_steps(board: Board):
    before = labels(board)
    act(board, [Relabel({board.sources[0]: "circle"})], who="ada", action="ada:1")
    act(board, [Relabel({board.sources[1]: "circle"})], who="bob", action="bob:1")
    act(board, [Relabel({board.sources[2]: "circle"})], who="ada", action="ada:2")
    assert board.steps("ada") == ([2, 4], [])
    for version in (4, 2):
        take_back(board.workspace, "squares", version, who="ada", action=undo_action("ada", version))
    board.catch_up()
    assert board.steps("ada") == ([], [5, 6])
    assert labels(board) == [before[0], ("circle",), *before[2:]]
    take_back(board.workspace, "squares", 6, who="ada", action=undo_action("ada", 6))
    board.catch_up()
    assert board.steps("ada") == ([7], [5])
    assert board.labels[0] == ("circle",)
    assert board.steps("bob") == ([3], [])


def test_what_somebody_changed_since_stays(board: Board, squares: Dataset):
    one, other = board.sources[:2]
    before = board.labels[1]
    squares.relabel({one: "circle", other: "circle"})
    squares.relabel({one: "star"})
    take_back(board.workspace, "squares", 2)
    board.catch_up()
    assert (board.labels[0], board.labels[1]) == (("star",), before)
    with pytest.raises(UserError, match="Nothing of version 2 is left"):
        take_back(board.workspace, "squares", 2)


def test_removed_pictures_come_back_with_their_labels(board: Board, squares: Dataset):
    first = squares.examples()[0]
    squares.edit([Remove([first.source]), Relabel({board.sources[1]: "circle"})])
    take_back(board.workspace, "squares", 2)
    board.catch_up()
    assert (len(board), board.chosen("class:circle")) == (60, [])
    assert board.labels[board.place(first.source)] == first.labels


@pytest.mark.parametrize(
    "edit",
    [
        MergeClasses(["plain"], "square"),
        RenameClass("plain", "empty"),
        MoveToSplit(["plain/000.png", "square/001.png"], "validation"),
    ],
)
def test_every_kind_of_edit_can_be_taken_back(squares: Dataset, edit: MergeClasses | RenameClass | MoveToSplit):
    squares.edit([edit])
    take_back(squares.workspace, "squares", 2)
    last = squares.workspace.manifest("squares")
    for column in ("source", "labels", "split"):
        assert last.column(column) == squares.manifest.column(column)


def test_added_pictures_are_taken_out_again(squares: Dataset, tmp_path: Path):
    from .squares import write_squares

    squares.add(write_squares(tmp_path / "more", n=6, seed=1))
    take_back(squares.workspace, "squares", 2)
    assert squares.workspace.manifest("squares").column("source") == squares.manifest.column("source")


def test_an_import_cannot_be_taken_back_alone(squares: Dataset):
    with pytest.raises(UserError, match="winnow restore squares"):
        take_back(squares.workspace, "squares", 1)


def test_an_unknown_filter_is_refused(board: Board):
    with pytest.raises(UserError, match="There is no filter 'odd'"):
        board.chosen("odd")
