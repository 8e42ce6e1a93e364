"""What `winnow serve` refuses before anything starts, and what it says of itself."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import winnow
from winnow.cli.main import run
from winnow.errors import NotFoundError, UserError
from winnow.serve.voice import Voice

from .tiny_models import tiny_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("models") / "first")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"host": "0.0.0.0"}, "--allow-host"),
        ({"host": "192.0.2.1"}, "--allow-host"),
        ({"host": "not a host"}, "no name of a host"),
        ({"allow_hosts": ["*"]}, "no name of a host"),
        ({"port": 70000}, "Port 70000"),
        ({"workers": 0}, "0 workers"),
        ({"queue": 0}, "A queue of 0"),
        ({"timeout_s": 0}, "A timeout of 0"),
        ({"max_body_mb": -1}, "a body"),
        ({"max_batch": 0}, "Batches of 0"),
        ({"cache": -1}, "A cache of -1"),
        ({"grace_s": -1}, "A grace of -1"),
        ({"token_file": "nowhere/tokens"}, "nowhere/tokens cannot be read"),
        ({"canary": "clouds@3"}, "no canary"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_starts(model: Path, options: dict[str, Any], sentence: str):
    with pytest.raises(UserError, match=sentence):
        winnow.serve(str(model), **options)


def test_a_model_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(NotFoundError, match="nobody"):
        winnow.serve("nobody", workspace=tmp_path)


@pytest.mark.skipif(os.name != "posix", reason="rights are bits on POSIX")
def test_a_token_file_that_others_may_read_is_told_and_taken(tmp_path: Path):
    tokens = tmp_path / "tokens"
    tokens.write_text("predict long-enough-to-ask\n")
    tokens.chmod(0o644)
    heard: list[str] = []
    with pytest.raises(NotFoundError):
        winnow.serve("nobody", workspace=tmp_path, token_file=tokens, said=heard.append)
    assert [line.split(":")[0] for line in heard] == ["Warning"]


def test_a_port_that_is_taken_is_told(model: Path, tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} of 127.0.0.1 cannot be used"):
            winnow.serve(str(model), port=port, workspace=tmp_path)


def test_the_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        run(["serve", "--help"])
    said = capsys.readouterr().out
    assert "$ winnow serve clouds@2 --canary clouds@3=0.1" in said
    for option in ("--allow-host", "--token-file", "--queue", "--allow-urls", "--grace"):
        assert option in said


def test_the_verb_keeps_its_name_when_its_room_is_imported():
    from winnow.serve.launch import serve

    assert winnow.serve is serve


def test_the_front_process_loads_nothing_that_trains_or_computes():
    """It would start seconds later, and each server would hold it in memory."""
    heavy = "{'sklearn', 'scipy', 'pandas', 'torch', 'openvino', 'onnxruntime', 'nicegui'}"
    code = f"import sys, winnow.serve.launch; print(*sorted({heavy} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


def full_disk(_: str) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_tokens_that_cannot_be_shown_end_the_server_with_a_sentence(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("WINNOW_TOKEN", "WINNOW_ADMIN_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="tokens that were made for this server cannot be shown"):
        winnow.serve(str(model), port=0, workers=1, grace_s=0, workspace=tmp_path, said=full_disk)


def test_what_cannot_be_written_is_logged_once_until_it_can_be(caplog: pytest.LogCaptureFixture):
    takers = [full_disk, full_disk, lambda _: None, full_disk]
    voice = Voice(lambda words: takers.pop(0)(words))
    heard: list[bool] = []
    for _ in range(4):
        voice.say("{}")
        heard.append(voice.is_heard)
    assert heard == [False, False, True, False]
    assert [record.message for record in caplog.records] == [
        "What the server says cannot be written (No space left on device); it goes on in silence."
    ] * 2
