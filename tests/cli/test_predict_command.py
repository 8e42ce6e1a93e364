"""`winnow predict` for very many pictures, and of a server."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from terminal import Winnow

RUNGS = "commonest-class,pixels-nearest-neighbour"
TOKEN = "the-token-of-the-server"


def test_answers_for_many_are_written_to_a_file_as_the_csv_on_stdout(winnow: Winnow, shapes: Path, tmp_path: Path):
    winnow("train", shapes, "--rungs", RUNGS)
    said = winnow("predict", "shapes", shapes, "--out", tmp_path / "answers.csv")
    assert (said.code, said.out) == (0, "")
    assert "60 pictures" in said.err
    assert (tmp_path / "answers.csv").read_text(encoding="utf-8") == winnow(
        "predict", "shapes", shapes, "--to", "csv"
    ).out
    again = winnow("predict", "shapes", shapes, "--out", tmp_path / "answers.csv")
    assert again.code == 2
    assert "add --restart to overwrite it" in again.err


def test_a_batch_leaves_with_3_only_if_nothing_could_be_read(winnow: Winnow, shapes: Path, tmp_path: Path):
    winnow("train", shapes, "--rungs", RUNGS)
    bad, good = tmp_path / "bad.png", shapes / "dark" / "00.png"
    bad.write_bytes(b"no picture")
    some = winnow("predict", "shapes", bad, good, "--out", tmp_path / "some.csv")
    assert (some.code, some.err.splitlines()[-1]) == (
        0,
        f"2 pictures, 1 of which could not be read: {tmp_path / 'some.csv'}",
    )
    none = winnow("predict", "shapes", bad, "--out", tmp_path / "none.csv")
    assert none.code == 3
    assert f"0 of 1 picture could be read: {tmp_path / 'none.csv'} says why." in none.err
    assert "E_" in (tmp_path / "none.csv").read_text(encoding="utf-8")


def test_ctrl_c_says_that_the_same_command_goes_on(
    winnow: Winnow, shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("winnow.api.batch.predict_files", interrupted)
    said = winnow("predict", "shapes", shapes, "--out", tmp_path / "answers.csv")
    assert said.code == 130
    assert said.err == "winnow: stopped. The same command goes on from there.\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["shapes"], "Name pictures"),
        (["--url", "http://127.0.0.1:9", "x.png", "--out", "a.csv"], "--out works only with a model on this machine"),
        (["--url", "http://127.0.0.1:9", "x.png", "--near", "2"], "--near works only with a model on this machine"),
        (["--url", "http://127.0.0.1:9", "x.png", "--restart"], "--restart works only with --out"),
        (["--url", "http://127.0.0.1:9", "--token-file", "nowhere", "x.png"], "token file nowhere cannot be read"),
        (["shapes", "x.png", "--token-file", "secret.txt"], "--token-file works only with --url"),
        (["shapes", "x.png", "--insecure"], "--insecure works only with --url"),
        (["shapes", "x.png", "--restart"], "--restart works only with --out"),
        (
            ["shapes", "x.png", "--out", "a.csv", "--json"],
            "--json works only without --out, whose ending says the form",
        ),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(winnow: Winnow, words: list[str], sentence: str):
    said = winnow("predict", *words)
    assert said.code == 2
    assert sentence in said.err
    assert len(said.err.strip().splitlines()) == 1


class Server(BaseHTTPRequestHandler):
    """Serves two models, and answers "cat" to every picture."""

    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self) -> None:
        version = {"version": "2", "share": 1.0, "task": "classify", "classes": ["cat", "dog"]}
        names = ["animals", "others"]
        self._send({"models": [{"name": name, "versions": [version]} for name in names]})

    def do_POST(self) -> None:
        self.asked.append(self.path)
        n = self.rfile.read(int(self.headers["Content-Length"])).count(b'filename="')
        one = {"source": "x", "label": "cat", "labels": ["cat"], "prob": 0.75, "probs": {"cat": 0.75, "dog": 0.25}}
        self._send({"model": "animals", "version": "2", "predictions": [{**one, "is_sure": False, "error": None}] * n})

    def _send(self, value: object) -> None:
        is_known = self.headers["Authorization"] == f"Bearer {TOKEN}"
        body = json.dumps(value if is_known else {"detail": "No token."}).encode()
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("WINNOW_TOKEN", TOKEN)
    Server.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_servers_answers_come_in_the_same_forms(winnow: Winnow, shapes: Path, url: str):
    file = str(shapes / "dark" / "00.png")
    assert winnow("predict", "--url", url, "animals", file).out == f"{file}: cat 75.0 %, dog 25.0 % (not sure)\n"
    line = json.loads(winnow("predict", "--url", url, "animals@2", file, "--json").out)
    assert (line["source"], line["label"], line["is_sure"]) == (file, "cat", False)
    rows = list(csv.DictReader(io.StringIO(winnow("predict", "--url", url, "others", shapes, "--to", "csv").out)))
    assert len(rows) == 60
    assert list(rows[0]) == ["source", "label", "prob", "prob_cat", "prob_dog", "error"]
    assert Server.asked == [
        "/predict?model=animals",
        "/predict?model=animals&version=2",
        *["/predict?model=others&version=2"] * 4,
    ]


def test_without_a_models_name_the_servers_first_answers(winnow: Winnow, shapes: Path, url: str):
    assert "cat 75.0 %" in winnow("predict", "--url", url, shapes / "dark" / "00.png").out
    assert Server.asked == ["/predict"]


def test_a_wrong_name_and_a_wrong_token_are_said(
    winnow: Winnow, shapes: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    wrong = winnow("predict", "--url", url, "animal", shapes)
    assert wrong.code == 4
    assert "Did you mean animals" in wrong.err
    (tmp_path / "token").write_text("# of another server\npredict some-other-token-here\n", encoding="utf-8")
    refused = winnow("predict", "--url", url, "--token-file", tmp_path / "token", "animals", shapes)
    assert refused.code == 2
    assert "does not take this token" in refused.err
    assert "some-other-token" not in refused.err
