"""Tokens open the server; they come from one place, are long enough, are shown once and are never quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from winnow.errors import UserError
from winnow.serve.keys import Keys, keys_of

ASKER, CHANGER = "long-enough-to-ask", "long-enough-to-change"


def test_tokens_come_from_the_environment():
    keys, made = keys_of(None, {"WINNOW_TOKEN": ASKER, "WINNOW_ADMIN_TOKEN": CHANGER})
    assert made == {}
    assert keys.allowed_by(ASKER.encode()) == "predict"
    assert keys.allowed_by(CHANGER.encode()) == "admin"
    assert keys.allowed_by(b"") is keys.allowed_by(ASKER[:-1].encode()) is None


def test_without_any_two_are_made_and_told():
    keys, made = keys_of(None, {})
    assert {keys.allowed_by(token.encode()) for token in made.values()} == {"predict", "admin"}
    assert keys_of(None, {})[1] != made


def test_only_hashes_are_kept():
    keys = Keys({ASKER: "predict"})
    assert ASKER not in repr(vars(keys))


def test_a_file_has_a_line_for_each(tmp_path: Path):
    file = tmp_path / "tokens"
    file.write_text(f"# who asks\n{ASKER}  # the shop\n\nadmin {CHANGER}\n")
    keys, _ = keys_of(file, {"WINNOW_TOKEN": "this-one-is-not-used"})
    assert keys.allowed_by(ASKER.encode()) == "predict"
    assert keys.allowed_by(CHANGER.encode()) == "admin"
    assert keys.allowed_by(b"this-one-is-not-used") is None


def test_a_file_that_goes_or_breaks_opens_to_nobody(tmp_path: Path):
    file = tmp_path / "tokens"
    file.write_text(f"predict {ASKER}\n")
    keys = Keys.from_file(file)
    for spoil in (lambda: file.write_text("nonsense is here\n"), file.unlink):
        spoil()
        keys.look_again()
        assert keys.allowed_by(ASKER.encode()) is None
    file.write_text(f"predict {ASKER}\n")
    keys.look_again()
    assert keys.allowed_by(ASKER.encode()) == "predict"


def test_a_changed_file_is_noticed_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "tokens"
    file.write_text(f"predict {ASKER}\n")
    keys = Keys.from_file(file)
    file.write_text(f"predict {CHANGER}\n")
    assert keys.allowed_by(ASKER.encode()) == "predict"  # it looks once a second at most
    monkeypatch.setattr("time.monotonic", lambda: 1e12)
    assert keys.allowed_by(ASKER.encode()) is None
    assert keys.allowed_by(CHANGER.encode()) == "predict"


@pytest.mark.parametrize(
    "lines", ["", "# nothing", "predict short", "predict has spaces in the token", "admin tab\x00tab-and-so-on-more"]
)
def test_a_file_that_makes_no_sense_is_told_without_quoting_it(tmp_path: Path, lines: str):
    file = tmp_path / "tokens"
    file.write_text(lines)
    with pytest.raises(UserError) as error:
        keys_of(file, {})
    assert "short" not in str(error.value)
    assert "spaces" not in str(error.value)
    assert "tokens" in str(error.value)


def test_a_short_token_is_refused():
    with pytest.raises(UserError, match="at least 16"):
        keys_of(None, {"WINNOW_TOKEN": "hunter2"})
