"""A server and who asks it read tokens from files of one form, and the server says if others may read them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from winnow.errors import UserError
from winnow.serve.token_file import read_tokens, token_in, warning_about

ASKER, CHANGER = "long-enough-to-ask", "long-enough-to-change"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tokens"


def test_a_line_holds_a_token_and_what_it_is_for(file: Path):
    file.write_text(f"# who may what\nadmin {CHANGER}\n\n{ASKER}  # the shop\n")
    assert [(line.allows, line.token) for line in read_tokens(file)] == [("admin", CHANGER), ("predict", ASKER)]


def test_who_asks_takes_the_first_token_for_asking(file: Path):
    file.write_text(f"admin {CHANGER}\npredict {ASKER}\nanother-one-that-asks\n")
    assert token_in(file) == ASKER
    file.write_text(f"admin {CHANGER}\n")
    with pytest.raises(UserError, match="holds no token for asking"):
        token_in(file)


def test_a_mark_that_editors_of_windows_put_in_front_is_no_part_of_a_token(file: Path):
    file.write_bytes(b"\xef\xbb\xbf" + ASKER.encode() + b"\r\n")
    assert token_in(file) == ASKER


def test_a_line_that_makes_no_sense_is_told_without_quoting_it(file: Path):
    file.write_text(f"{ASKER}\nadmin with secret words\n")
    with pytest.raises(UserError, match="In line 2 of") as told:
        token_in(file)
    assert "secret" not in str(told.value)


def test_a_token_is_not_shown_with_its_line(file: Path):
    file.write_text(ASKER)
    assert ASKER not in repr(read_tokens(file))


@pytest.mark.skipif(os.name != "posix", reason="rights are bits on POSIX")
@pytest.mark.parametrize("rights", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_may_read_or_change_is_told_with_what_to_do(file: Path, rights: int):
    file.write_text(ASKER)
    file.chmod(rights)
    assert f"chmod 600 {file}" in str(warning_about(file))
    file.chmod(0o600)
    assert warning_about(file) is None
